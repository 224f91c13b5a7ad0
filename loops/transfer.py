"""How batches that are scored come to the device: as those of a validation would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_utilities.core.apply_func import apply_to_collection
from pytorch_lightning.trainer.states import RunningStage
from pytorch_lightning.utilities.model_helpers import is_overridden

from loops.lightning_private import before_transfer


def overridden_hooks(data: pl.LightningDataModule | None) -> list[str]:
    """Names of the transfer hooks that somebody's data have of their own; Lightning prefers them to the module's."""
    hooks = ("on_before_batch_transfer", "transfer_batch_to_device", "on_after_batch_transfer")
    return [] if data is None else [hook for hook in hooks if is_overridden(hook, data)]


def evaluation_batch(trainer: pl.Trainer, batch: Any) -> Any:  # noqa: ANN401
    """A batch as validation would be given it, through the transfer hooks of module or data, on the device."""
    with _evaluating(trainer):
        batch = before_transfer(trainer.lightning_module, batch)
        batch = trainer.strategy.batch_to_device(batch, dataloader_idx=0)
    return _doubled(batch) if trainer.precision == "64" else batch


@contextmanager
def _evaluating(trainer: pl.Trainer) -> Iterator[None]:
    """Hooks ask `trainer.training` or `self.training` whether they are to augment."""
    stage, modes = trainer.state.stage, [(part, part.training) for part in trainer.lightning_module.modules()]
    trainer.state.stage = RunningStage.VALIDATING
    trainer.lightning_module.eval()
    try:
        yield
    finally:
        trainer.state.stage = stage
        for part, mode in modes:
            part.training = mode


def _doubled(batch: Any) -> Any:  # noqa: ANN401
    return apply_to_collection(batch, torch.Tensor, lambda x: x.double() if x.is_floating_point() else x)
