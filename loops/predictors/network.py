"""The network: the verbs of a predictor over Flash's trainer, on stored rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from loops.checkpoint import AtomicCheckpointIO, SavedCheckpoint, read_checkpoint, write_checkpoint
from loops.embeddings.features import FeatureStore
from loops.epoch_checkpoint import EpochCheckpoint
from loops.errors import CheckpointDamagedError, NotEnoughSamplesError, NotFittedError, TrainingInterruptedError
from loops.frozen import Classifier, FreezeUnfreeze, Trainer
from loops.oracle import PoolScores
from loops.predictors.as_module import NetworkModule
from loops.predictors.batches import LabeledBatches, PoolBatches
from loops.predictors.instant_head import InstantHead, split_at_last_layer
from loops.predictors.layers import RandomAffine, network_parts
from loops.predictors.network_spec import NetworkSpec
from loops.predictors.predictor import KEEP_DRAWS_UP_TO, Description, Predictor
from loops.predictors.saved_model import SavedModel, saved_model
from loops.seeding import seed_of
from loops.uncertainty.mc_dropout import MCDropout, MCDropoutScorer, gather

__all__ = ["Network", "SavedCheckpoint"]

_UNFREEZE_AT = 0.25  # of the epochs, when going on with the weights of the round before: first the head, then all


Callbacks = Callable[[int | None], Sequence[pl.Callback]]  # of a fold, or for None of a round's own fit


class Network(Predictor):
    """Fits, predicts, scores, saves and loads one kind of classifier over cached features.

    Args:
        spec: Which kind, and how it is fitted.
        store: Where the rows of samples come from.
        num_classes: C, at least 2.
        seed: Same seed, same labels: the same ranking, to the last bit on one kind of machine.
        mc_iterations: K.
        accelerator: `auto` (a GPU when there is one) or `cpu`.
        callbacks: Join every fit, predict and scoring pass: progress, stop requests. Made for each fold anew.
        reset_weights: Whether each round starts from fresh weights.
        fold: Of a cross-validation, whose weights start elsewhere; None: the round's own.
    """

    _processes = 1  # that fit together

    def __init__(
        self,
        spec: NetworkSpec,
        store: FeatureStore,
        *,
        num_classes: int,
        seed: int,
        mc_iterations: int = 20,
        accelerator: str = "auto",
        callbacks: Callbacks = lambda _fold: (),
        reset_weights: bool = True,
        fold: int | None = None,
    ) -> None:
        super().__init__(store, num_classes=num_classes, seed=seed, mc_iterations=mc_iterations)
        self.spec = spec
        self._run_seed = seed if fold is None else seed_of(seed, "fold", fold)
        self._accelerator = accelerator
        self._callbacks_of, self._callbacks = callbacks, tuple(callbacks(fold))
        self._reset_weights = reset_weights
        self._classifier: Classifier | None = None

    @property
    def fingerprint(self) -> str:
        """A text of all that decides what it learns from the same labels."""
        return repr((self.spec, self.num_classes, self.seed))

    def describe(self) -> Description:
        """Its name, and what the person at the screen is told of it."""
        return Description("network", "A network answers.", asks_by=self.spec.acquisition)

    def fresh(self, fold: int | None = None) -> Network:
        """A network of the same kind that has learned nothing."""
        return type(self)(**self._arguments(fold))

    def _arguments(self, fold: int | None) -> dict[str, Any]:
        return {
            "spec": self.spec,
            "store": self.store,
            "num_classes": self.num_classes,
            "seed": self.seed,
            "mc_iterations": self.mc_iterations,
            "accelerator": self._accelerator,
            "callbacks": self._callbacks_of,
            "reset_weights": self._reset_weights,
            "fold": fold,
        }

    def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None:
        """Fits on all labels; an interrupted fit of the same round and labels goes on from its last epoch.

        Args:
            labels: Sample id -> class index.
            round_number: Seeds the fresh weights and the order of batches.
            checkpoint_dir: Where `epoch.ckpt` goes while fitting; None keeps none.

        Raises:
            NotEnoughSamplesError: If there are no labels.
            TrainingInterruptedError: If something stopped it before the last step; the model before stays in force.
        """
        if not labels:
            raise NotEnoughSamplesError(wanted=1, found=0)
        seed = seed_of(self._run_seed, "fit", round_number)
        batches = self._labeled_batches(labels, seed)
        total_steps = self.spec.epochs * len(batches)
        with torch.random.fork_rng(range(min(1, torch.cuda.device_count()))):
            torch.manual_seed(seed)
            classifier = self._build(batches.rows, seed=seed, total_steps=total_steps)
            self._run_fit(classifier, batches, checkpoint_dir, total_steps)
        self._classifier = classifier.eval()

    def predict(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """Class probabilities, dropout off.

        Args:
            sample_ids: `[N]`.

        Returns:
            `probs_N_C`, in the order of `sample_ids`.

        Raises:
            NotFittedError: Before the first fit or load.
        """
        ids = _as_ids(sample_ids)
        if not len(ids):
            return np.empty((0, self.num_classes), np.float32)
        tiles = self._predict(self._fitted(), ids)
        return torch.cat(tiles).numpy()

    def score(self, sample_ids: ArrayLike, *, round_number: int) -> PoolScores:
        """Scores every sample by MC dropout, with evaluation transforms; a linear head as by infinitely many masks.

        Args:
            sample_ids: `[N]`, at least one.
            round_number: Seeds the masks.

        Raises:
            IdenticalDrawsError: If MC dropout has nothing to say.
            NotEnoughSamplesError: If there is nothing to score.
            NotFittedError: Before the first fit or load.
        """
        ids = _as_ids(sample_ids)
        if not len(ids):
            raise NotEnoughSamplesError(wanted=1, found=0)
        return gather(self._predict(self.model_of_pass(len(ids), round_number), ids))

    def model_of_pass(self, samples: int, round_number: int | None) -> pl.LightningModule:
        """What scores so many samples in a round; without a round, what predicts."""
        if round_number is None:
            return self._fitted()
        return MCDropoutScorer(
            self._fitted().network,
            mc_iterations=self.mc_iterations,
            seed=seed_of(self._run_seed, "masks", round_number),
            keep_draws=samples * self.num_classes * self.mc_iterations <= KEEP_DRAWS_UP_TO,
            closed_form=True,
        )

    @torch.inference_mode()
    def draws(self, sample_ids: ArrayLike, *, count: int, round_number: int) -> NDArray[np.float32]:
        """The answers of K masks, the same K for all samples of a round: `probs_N_C_K`.

        Raises:
            IdenticalDrawsError: If MC dropout has nothing to say.
            NotFittedError: Before the first fit or load.
        """
        ids = _as_ids(sample_ids)
        if not len(ids):
            return np.empty((0, self.num_classes, count), np.float32)
        seed = seed_of(self._run_seed, "masks", round_number)
        committee = MCDropout(self._fitted().network, mc_iterations=count, seed=seed)
        batches = PoolBatches(self.store, ids, batch_size=self.spec.score_batch_size)
        tiles = [torch.softmax(committee(batches[position][1]), dim=1) for position in range(len(batches))]
        return torch.cat(tiles).numpy()

    @torch.inference_mode()
    def penultimate(self, sample_ids: ArrayLike) -> tuple[NDArray[np.float32], nn.Sequential]:
        """What the network makes of samples before its last layer, dropout off, and that layer with its dropout.

        Returns:
            `features_N_D` and the head, for an `InstantHead`.

        Raises:
            NotFittedError: Before the first fit or load.
        """
        body, head = split_at_last_layer(self._fitted().network)
        batches = PoolBatches(self.store, _as_ids(sample_ids), batch_size=self.spec.score_batch_size)
        return torch.cat([body(batches[position][1]) for position in range(len(batches))]).numpy(), head

    def as_module(self) -> NetworkModule:
        """The network, dropout off."""
        return NetworkModule([self._fitted().network])

    def features(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """What the last layer sees, `features_N_D`."""
        return self.penultimate(sample_ids)[0]

    def instant(self, sample_ids: ArrayLike, *, round_number: int) -> InstantHead:
        """The last layer, refit in a blink on what the layers before it make of these samples."""
        features_N_D, head = self.penultimate(sample_ids)
        masks = seed_of(self._run_seed, "masks", round_number)
        return InstantHead(
            sample_ids,
            features_N_D,
            head,
            mc_iterations=self.mc_iterations,
            seed=masks,
            accelerator=self._accelerator,
        )

    def save(self, path: Path, loop_state: dict[str, Any]) -> SavedCheckpoint:
        """Writes model and loop state into one file, atomically.

        Args:
            path: In an existing folder.
            loop_state: Plain values only, such as `Loop.state_dict()`.
        """
        return write_checkpoint(self._saved(self._fitted(), loop_state).checkpoint(), path)

    def load(self, path: Path, *, sha256: str, size: int) -> dict[str, Any]:
        """Loads a model that `save` wrote, after verifying every byte against the database's row.

        Returns:
            The loop state that was saved with it.

        Raises:
            CheckpointDamagedError: If it is not that file.
            CheckpointMismatchError: If it is, and holds a model of another backbone or number of classes.
        """
        checkpoint = read_checkpoint(path, sha256=sha256, size=size)
        found = saved_model(checkpoint, path, backbone=self.spec.backbone, num_classes=self.num_classes)
        try:
            self._classifier = self._restore(found)
        except (KeyError, TypeError, RuntimeError) as error:
            raise CheckpointDamagedError(path, "its weights do not fit its description") from error
        return found.loop_state

    def _labeled_batches(self, labels: Mapping[int, int], seed: int) -> LabeledBatches:
        ids = sorted(labels)  # the order in which people labeled must not matter
        return LabeledBatches(
            torch.from_numpy(self.store.rows(ids)),
            torch.tensor([labels[sample_id] for sample_id in ids]),
            batch_size=self.spec.batch_size,
            min_batches=self.spec.min_steps_per_epoch,
            max_batches=self.spec.max_steps_per_epoch,
            seed=seed,
            processes=self._processes,
        )

    def _build(self, rows: torch.Tensor, *, seed: int, total_steps: int) -> Classifier:
        classifier = self._new_classifier(tuple(rows.shape[1:]), seed=seed, total_steps=total_steps)
        previous = self._classifier
        if not self._reset_weights and previous is not None and previous.prepare.inputs == classifier.prepare.inputs:
            classifier.load_state_dict(previous.state_dict())
        else:
            classifier.prepare.learn(rows)  # type: ignore[operator]
        return classifier

    def _new_classifier(self, row_shape: tuple[int, ...], *, seed: int = 0, total_steps: int = 1) -> Classifier:
        prepare, backbone, head = network_parts(row_shape, self.num_classes)
        return Classifier(
            prepare=prepare,
            augment=RandomAffine() if len(row_shape) == 3 else nn.Identity(),
            backbone=backbone,
            head=head,
            num_classes=self.num_classes,
            total_steps=total_steps,
            learning_rate=self.spec.learning_rate,
            weight_decay=self.spec.weight_decay,
            seed=seed,
        )

    def _run_fit(
        self, classifier: Classifier, batches: LabeledBatches, checkpoint_dir: Path | None, total_steps: int
    ) -> None:
        callbacks, resume_from = list(self._callbacks), None
        if checkpoint_dir is not None:
            fingerprint = batches.fingerprint((asdict(self.spec), self.num_classes, self._reset_weights))
            epochs = EpochCheckpoint(checkpoint_dir, fingerprint=fingerprint, steps_per_epoch=len(batches))
            resume_from = epochs.resumable()
            callbacks.append(epochs)
        trainer = self._trainer(callbacks)
        loader = batches.loader(trainer.global_rank)
        if self._reset_weights or self._classifier is None:
            trainer.fit(classifier, loader, ckpt_path=resume_from)
        else:
            unfreeze_at = max(1, round(_UNFREEZE_AT * self.spec.epochs))
            trainer.finetune(classifier, loader, strategy=FreezeUnfreeze(unfreeze_at), ckpt_path=resume_from)
        # Not the status: Lightning's fit returns normally, and says FINISHED, when it was asked to stop.
        if trainer.global_step < total_steps:
            raise TrainingInterruptedError(steps=trainer.global_step, wanted=total_steps)

    def _predict(self, model: pl.LightningModule, ids: NDArray[np.int64]) -> list[Any]:
        batches = PoolBatches(self.store, ids, batch_size=self.spec.score_batch_size)
        tiles = self._trainer(self._callbacks).predict(model, batches.loader())
        if len(tiles) < len(batches):  # Lightning takes Ctrl+C for an answer and returns nothing
            raise TrainingInterruptedError(steps=len(tiles), wanted=len(batches), doing="scoring")
        return tiles

    def _trainer(self, callbacks: Sequence[pl.Callback]) -> Trainer:
        return Trainer(
            accelerator=self._accelerator,
            max_epochs=self.spec.epochs,
            callbacks=callbacks,
            plugins=[AtomicCheckpointIO()],
        )

    def _saved(self, classifier: Classifier, loop_state: dict[str, Any]) -> SavedModel:
        inputs: int = classifier.prepare.inputs  # type: ignore[assignment]
        return SavedModel(self.spec.backbone, self.num_classes, inputs, classifier.state_dict(), loop_state)

    def _restore(self, saved: SavedModel) -> Classifier:
        backbone = self.store.backbone
        row_shape = (saved.inputs, backbone.side, backbone.side) if backbone.is_pixels else (saved.inputs,)
        with torch.device("meta"):  # no weights are drawn: a fit on another thread may be drawing its own
            classifier = self._new_classifier(row_shape)
        classifier.load_state_dict(saved.weights, assign=True)
        classifier.eval()
        return classifier

    def _fitted(self) -> Classifier:
        if self._classifier is None:
            raise NotFittedError
        return self._classifier


def _as_ids(sample_ids: ArrayLike) -> NDArray[np.int64]:
    return np.ascontiguousarray(sample_ids, np.int64).reshape(-1)
