"""Somebody's own LightningModule as the application's predictor: on the rows of the feature store, by a Trainer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.utils.data import DataLoader

from loops.checkpoint import SavedCheckpoint, read_checkpoint, write_checkpoint
from loops.embeddings.features import FeatureStore
from loops.errors import (
    CheckpointDamagedError,
    CheckpointMismatchError,
    NotEnoughSamplesError,
    OwnCodeError,
    TrainingInterruptedError,
)
from loops.frozen import trainer_warnings_silenced
from loops.predictors.logits import Logits
from loops.predictors.module import ModulePredictor
from loops.predictors.trainer_options import trainer_for
from loops.random_numbers import random_numbers_of
from loops.seeding import seed_of
from loops.training_samples import Labeled, SeededOrder, unchanged

OPTIONS = "trainer_options"  # attribute of a module: options of the Trainer that fits it
BATCH_SIZE = 32
_SCORED_AT_ONCE = 256  # samples

Make = Callable[[], pl.LightningModule]
Callbacks = Callable[[int | None], Sequence[pl.Callback]]  # of a fold, or for None of a round's own fit


class StoredInputs:
    """The rows of a feature store as a module takes them: pixels as 0..1 `[C, S, S]`, features as they are `[D]`."""

    def __init__(self, store: FeatureStore) -> None:
        self._store = store

    def inputs(self, sample_ids: ArrayLike, batch_size: int | None = None) -> Iterator[Tensor]:
        """Batches in the order of the ids."""
        ids = np.asarray(sample_ids, np.int64).reshape(-1)
        size = batch_size or _SCORED_AT_ONCE
        return (self._rows(ids[start : start + size]) for start in range(0, len(ids), size))

    def __len__(self) -> int:
        """Stored samples."""
        return len(self._store)

    def __getitem__(self, sample_id: int) -> tuple[Tensor, int]:
        """One sample; its label comes from elsewhere."""
        return self._rows(np.array([sample_id]))[0], 0

    def _rows(self, sample_ids: ArrayLike) -> Tensor:
        rows = torch.from_numpy(self._store.rows(sample_ids))
        return rows.float() / 255 if self._store.backbone.is_pixels else rows.float()


class OwnModule(ModulePredictor):
    """Makes a module for each fit and fits it by a Trainer, on a GPU when there is one.

    A module may have `trainer_options`, a dictionary such as `{"max_epochs": 50, "gradient_clip_val": 1.0}`; where a
    project's settings name one too, the project's counts.

    Args:
        make: Makes a module that has learned nothing.
        name: `package.module:name`, as the person gave it.
        store: Where the rows of samples come from.
        num_classes: C.
        seed: Of weights, order and dropout.
        mc_iterations: K.
        callbacks: Join every fit: progress, stop requests.
        fold: Of a cross-validation.
        trainer: Settings of the Trainer, as the project has them.

    Raises:
        OwnCodeError: If the module gives logits of another number of classes, or the Trainer refuses its settings.
    """

    def __init__(
        self,
        make: Make,
        name: str,
        store: FeatureStore,
        *,
        num_classes: int,
        seed: int,
        mc_iterations: int,
        callbacks: Callbacks = lambda _fold: (),
        fold: int | None = None,
        trainer: Mapping[str, Any] | None = None,
    ) -> None:
        self._make, self.store, self._callbacks, self._fold = make, store, callbacks, fold
        self._options = trainer
        self._wanted = num_classes
        self.inputs = StoredInputs(store)
        with random_numbers_of(seed_of(seed, "untrained")), trainer_warnings_silenced():
            module = make()
            self._chosen = {**getattr(module, OPTIONS, {}), **(trainer or {})}
            trainer_for(name, self._chosen, [])  # refused now rather than in the first fit
        super().__init__(name, Logits(module), self.inputs, seed=seed, mc_iterations=mc_iterations, fold=fold)

    def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None:
        """Makes a module and fits it on all labels.

        Raises:
            NotEnoughSamplesError: If there are no labels.
            TrainingInterruptedError: If something stopped it; the module before stays.
        """
        del checkpoint_dir
        if not labels:
            raise NotEnoughSamplesError(wanted=1, found=0)
        seed = seed_of(self._run_seed, "fit", round_number)
        with random_numbers_of(seed), trainer_warnings_silenced():
            module = self._make()
            trainer = trainer_for(self._name, self._chosen, list(self._callbacks(self._fold)))
            trainer.fit(module, self._batches(labels, seed))
        if trainer.interrupted:
            raise TrainingInterruptedError(steps=trainer.global_step, wanted=int(trainer.estimated_stepping_batches))
        self.take([Logits(module.cpu())])

    @property
    def fingerprint(self) -> str:
        """Other settings of the Trainer make another fit of it."""
        return repr((super().fingerprint, sorted(self._chosen.items())))

    def fresh(self, fold: int | None = None) -> OwnModule:
        """One of the same kind that has learned nothing."""
        return OwnModule(
            self._make,
            self._name,
            self.store,
            num_classes=self._wanted,
            seed=self.seed,
            mc_iterations=self.mc_iterations,
            callbacks=self._callbacks,
            fold=fold,
            trainer=self._options,
        )

    def embedding(self, sample_ids: ArrayLike) -> Any:  # noqa: ANN401
        """The stored rows, flattened."""
        return self.store.flat_rows(sample_ids)

    def save(self, path: Path, loop_state: dict[str, Any]) -> SavedCheckpoint:
        """Writes weights and loop state into one file, atomically."""
        checkpoint = {
            "learner": {"backbone": self._kind, "num_classes": self.num_classes},
            "state_dict": self.models[0].module.state_dict(),
            "active_learning_loop": loop_state,
        }
        return write_checkpoint(checkpoint, path)

    def load(self, path: Path, *, sha256: str, size: int) -> dict[str, Any]:
        """Loads what `save` wrote, into a module that is made anew."""
        checkpoint = read_checkpoint(path, sha256=sha256, size=size)
        found = checkpoint.get("learner", {})
        if (found.get("backbone"), found.get("num_classes")) != (self._kind, self.num_classes):
            raise CheckpointMismatchError(path, f"{self._kind} wanted, {found.get('backbone')} found")
        module = self._make()
        try:
            module.load_state_dict(checkpoint["state_dict"])
            loop_state: dict[str, Any] = checkpoint["active_learning_loop"]
        except (KeyError, RuntimeError) as error:
            raise CheckpointDamagedError(path, "its weights do not fit the module") from error
        self.take([Logits(module)])
        return loop_state

    def _classes(self) -> int:
        if not len(self.store):
            return self._wanted
        one = next(self.inputs.inputs(self.store.ids[:1]))
        with torch.no_grad():
            found = int(self._untrained(one).shape[1])
        if found != self._wanted:
            raise OwnCodeError(self._name, f"it gives {found} logits, the project has {self._wanted} classes")
        return found

    @property
    def _kind(self) -> str:
        return f"{self._name} on {self.store.backbone.name}"

    def _batches(self, labels: Mapping[int, int], seed: int) -> DataLoader[Any]:
        return DataLoader(
            Labeled(self.inputs, labels),
            batch_size=BATCH_SIZE,
            sampler=SeededOrder(len(labels), seed=seed),
            collate_fn=unchanged,  # `Labeled` makes the batches
            drop_last=len(labels) > BATCH_SIZE and len(labels) % BATCH_SIZE == 1,  # batch norm needs two
        )
