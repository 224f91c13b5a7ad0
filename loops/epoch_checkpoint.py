"""The checkpoint of an unfinished fit: a killed trainer loses at most an epoch, or five seconds."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from loops.checkpoint import read_checkpoint
from loops.errors import CheckpointDamagedError

EVERY_S = 5.0  # seconds, at least, between two saves
_KEY = "labelloop_fit"


class EpochCheckpoint(pl.Callback):
    """Saves `epoch.ckpt` at the end of epochs, and says whether one is there to go on from.

    Args:
        folder: Of the round; made when missing.
        fingerprint: Of all that the fit depends on: predictor, seed, rows, labels. A checkpoint of another is not used.
        steps_per_epoch: Batches of a whole epoch.
    """

    def __init__(self, folder: Path, *, fingerprint: str, steps_per_epoch: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "epoch.ckpt"
        self._fingerprint = fingerprint
        self._steps_per_epoch = steps_per_epoch
        self._saved_at = time.monotonic()

    def resumable(self) -> Path | None:
        """Returns the checkpoint if it is whole and of this very fit; a damaged one is removed, the fit starts anew."""
        if not self.path.exists():
            return None
        try:
            checkpoint = read_checkpoint(self.path)
        except CheckpointDamagedError:
            self.path.unlink(missing_ok=True)  # another process of the same fit may have been first
            return None
        return self.path if checkpoint.get(_KEY) == self._fingerprint else None

    def on_save_checkpoint(self, _trainer: pl.Trainer, _module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Writes down which fit this is."""
        checkpoint[_KEY] = self._fingerprint

    def on_train_epoch_end(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        """Saves, unless it did so a moment ago or the epoch was cut short: half an epoch cannot be resumed."""
        whole = trainer.global_step == (trainer.current_epoch + 1) * self._steps_per_epoch
        due = whole and time.monotonic() - self._saved_at >= EVERY_S
        if trainer.strategy.broadcast(due):  # processes that fit together save together, and clocks differ
            trainer.save_checkpoint(self.path)
            self._saved_at = time.monotonic()
