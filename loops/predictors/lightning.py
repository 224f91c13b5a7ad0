"""A `LightningModule` as a predictor: it is fitted by the Trainer's own fit loop, as its author wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from loops.class_indices import class_indices
from loops.errors import AttachError, NotEnoughSamplesError
from loops.predictors.module import ModulePredictor
from loops.random_numbers import random_numbers_of
from loops.seeding import seed_of

if TYPE_CHECKING:
    from loops.attachment import Attachment


class LightningPredictor(ModulePredictor):
    """Fits by running the wrapped loop of a Trainer that is in the middle of its `fit`.

    Each fit is one of its own: weights as they were at the beginning (or as the fit before left them), optimizers and
    schedulers made anew, epochs counted from 0. Its checkpoint is the Trainer's.

    Args:
        attachment: To the Trainer.
        fold: Of a cross-validation.
    """

    def __init__(self, attachment: Attachment, fold: int | None = None) -> None:
        self._attachment, self._fold = attachment, fold
        self.interrupted = False  # whether the next fit goes on where a checkpoint was saved
        super().__init__(
            type(attachment.module).__name__,
            attachment.untrained,
            attachment.data,
            seed=attachment.seed,
            mc_iterations=attachment.mc_iterations,
            fold=fold,
            embedding=attachment.data.embedding,
        )

    def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None:
        """Runs the wrapped loop on the labeled samples.

        Raises:
            AttachError: If a label is none of the module's classes.
            NotEnoughSamplesError: If there are no labels.
        """
        del checkpoint_dir
        class_indices(labels.values(), self.num_classes)
        if not labels:
            raise NotEnoughSamplesError(wanted=1, found=0)
        seed = seed_of(self._run_seed, "fit", round_number)
        with random_numbers_of(seed):
            trainer, data = self._attachment.trainer, self._attachment.data
            begin_fit = partial(data.begin_fit, labels, seed=seed, process=(trainer.global_rank, trainer.world_size))
            begin_fit()  # schedulers may be made for so many batches
            goes_on, self.interrupted = self.interrupted, False
            begin_fit(done=self._attachment.go_on() if goes_on else self._attachment.begin())
            self._attachment.run(goes_on=goes_on)
        self.take(self._attachment.fitted())

    def fresh(self, fold: int | None = None) -> LightningPredictor:
        """One on the same Trainer that has learned nothing."""
        return LightningPredictor(self._attachment, fold)

    def save(self, path: Path, loop_state: dict[str, Any]) -> NoReturn:
        """It has no file of its own: the Trainer's checkpoint holds weights and loops."""
        del path, loop_state
        raise AttachError("an attached module is saved by trainer.save_checkpoint() and ModelCheckpoint")

    def load(self, path: Path, *, sha256: str, size: int) -> NoReturn:
        """It has no file of its own, as `save` says."""
        del path, sha256, size
        raise AttachError("an attached module is loaded by trainer.fit(..., ckpt_path=...)")
