"""Cross-validation: every labeled sample is predicted, once, by a predictor that never saw its label."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning.loops.loop import Loop

from loops.attachment import Attachment, data_of
from loops.checkpoint import SavedCheckpoint, checkpoint_at
from loops.cross_validation import CrossValidation, VotingModel
from loops.errors import (
    AttachError,
    CheckpointDamagedError,
    CheckpointMismatchError,
    NotEnoughSamplesError,
    NotFittedError,
)
from loops.folds import MIN_FOLDS, assign_folds, duplicate_groups
from loops.lightning_private import WrappingLoop
from loops.module_state import State
from loops.predictors.lightning import LightningPredictor
from loops.predictors.logits import LogitsOf
from loops.predictors.predictor import Predictor
from loops.progress import ResumableProgress
from loops.protocol import no_silent_end
from loops.several_processes import as_the_first_has_it


class KFoldLoop(WrappingLoop[CrossValidation]):
    """fit a fresh predictor on all folds but one -> predict that one; again.

        done     every fold was predicted
        reset    first run: fold 0. Restarted: after the last finished fold
        advance  one fold

    Its state is the progress and the out-of-fold probabilities of finished folds; it is saved inside the model
    checkpoint of the last of them. A killed run goes on in the fold, and the epoch, it was killed in:

        loop = KFoldLoop(labels, predictor_of_fold, folder=folder)
        loop.resume()
        result = loop.run()

    A state of other labels, folds, seed or kind of predictor is not used: the run starts anew.

    Attached to a Trainer it wraps the Trainer's own fit loop, and its state, with the weights of the finished folds, is
    in the Trainer's checkpoints:

        trainer.fit_loop = KFoldLoop(num_folds=5, wrapping=trainer.fit_loop)
        trainer.fit(module, ActiveLearningDataModule(dataset, oracle=labels))
        trainer.fit_loop.result.accuracy      # out of fold
        trainer.fit_loop.voting_model()(x)    # log of the folds' mean class probabilities

    Inside an `ActiveLearningLoop` it cross-validates the labels of each round, and the folds' modules vote. Where the
    labels of a round are too few to hold any out, one module is fitted on all of them.

    Args:
        labels: Sample id -> class index; attached, those of the data.
        predictor_of_fold: Makes a new predictor for a fold, the same for the same fold; its seed should follow from the
            fold (`seed_of(seed, "fold", fold)`), so that the folds start from weights of their own.
        num_folds: At most; see `assign_folds`.
        groups: Sample id -> group, such as duplicates: no group is split. Who is not in it is a group of its own.
        seed: Of the folds.
        round_number: For which the predictors fit.
        folder: Where each fold's checkpoint goes, `fold-K/model.ckpt`; None saves none.
        wrapping: The Trainer's fit loop.
        logits: Where they are in what the module's `forward` returns; see `loops.predictors.logits.Logits`.

    Raises:
        AttachError: If it is given neither labels and predictors nor a fit loop to wrap, or fewer than two folds.
        NotEnoughSamplesError: If the labels cannot be split.
    """

    place = 1

    def __init__(
        self,
        labels: Mapping[int, int] | None = None,
        predictor_of_fold: Callable[[int], Predictor] | None = None,
        *,
        num_folds: int = 5,
        groups: Mapping[int, int] | None = None,
        seed: int = 0,
        round_number: int = 0,
        folder: Path | None = None,
        wrapping: Loop[Any] | None = None,
        logits: LogitsOf = None,
    ) -> None:
        super().__init__(wrapping)
        if num_folds < MIN_FOLDS:
            raise AttachError(f"num_folds must be {MIN_FOLDS} or more, found {num_folds}")
        self.progress = ResumableProgress()
        self.result: CrossValidation | None = None  # of the last run
        self.voters: list[State] = []  # attached: the weights of the finished folds
        self._most_folds, self._logits = num_folds, logits
        self._round_number = round_number
        self._folder = folder
        self._probs: list[NDArray[np.float32]] = []  # of the finished folds
        self._predictors: dict[int, Predictor] = {}
        self._checkpoints: dict[int, SavedCheckpoint] = {}
        self._attachment: Attachment | None = None
        self._goes_on = False  # in the middle of the fold that a checkpoint was saved in
        self._restored: dict[str, Any] = {}  # what a checkpoint knew
        if wrapping is None:
            if labels is None or predictor_of_fold is None:
                raise AttachError("a KFoldLoop needs wrapping=trainer.fit_loop, or labels and predictor_of_fold")
            self._split(labels, predictor_of_fold, groups=groups, seed=seed)

    @property
    def fold(self) -> int:
        """The fold that is, or would be, worked on: the number of finished ones."""
        return self.progress.current.completed

    @property
    def done(self) -> bool:
        """Every fold was predicted."""
        return self.fold >= self.num_folds

    def reset(self) -> None:
        """Begins with fold 0, or after the last finished fold of the state that was loaded."""
        self._predictors, self._checkpoints = {}, {}
        if self.wrapped is not None:
            self._attach()
        finished = len(self._probs) if self.restarting else 0
        if self._folder is not None:
            finished = next((fold for fold in range(finished) if not self._restore(fold)), finished)
        del self._probs[finished:]
        if self.restarting:  # finished folds that cannot be used do not count
            self.progress.total.completed -= self.progress.current.completed - finished
        self.progress.current.completed = finished
        self.progress.current.reset_on_restart()
        self.progress.total.reset_on_restart()

    def on_advance_start(self) -> None:
        """Counts the fold as ready."""
        self.progress.increment_ready()

    @no_silent_end
    def advance(self) -> None:
        """One fold."""
        fold = self.fold
        self.progress.increment_started()
        predictor = self.fit(fold)
        self.predict(fold, predictor)
        # Counted before the save, so that the fold's checkpoint says it is finished.
        self.progress.increment_completed()
        self.save(fold, predictor)

    def fit(self, fold: int) -> Predictor:
        """Fits a fresh predictor on the labels of all other folds."""
        predictor = self._predictor_of_fold(fold)
        if isinstance(predictor, LightningPredictor):
            predictor.interrupted, self._goes_on = self._goes_on, False
        if any(predictor is other for other in self._predictors.values()):
            raise ValueError(f"fold {fold} needs a fresh predictor; the one given has seen its labels")
        others = {sample_id: label for sample_id, label in self._labels.items() if self.fold_of.get(sample_id) != fold}
        predictor.fit(others, round_number=self._round_number, checkpoint_dir=self._folder_of(fold))
        return predictor

    def predict(self, fold: int, predictor: Predictor) -> None:
        """Predicts the samples that were held out."""
        self._probs.append(predictor.predict(self.held_out(fold)))
        self._predictors[fold] = predictor
        if isinstance(predictor, LightningPredictor):
            self.voters.append(predictor.models[0].module.state_dict())
        self.progress.increment_processed()

    def save(self, fold: int, predictor: Predictor) -> None:
        """Saves the fold's model with the state of the loop inside."""
        folder = self._folder_of(fold)
        if folder is not None:
            self._checkpoints[fold] = predictor.save(folder / "model.ckpt", self.state_dict())

    def on_run_end(self) -> CrossValidation:
        """Puts the folds together."""
        held_out = np.concatenate([self.held_out(fold) for fold in range(self.num_folds)])
        order = np.argsort(held_out)
        sample_ids = held_out[order]
        self.result = CrossValidation(
            sample_ids=sample_ids,
            labels_N=np.array([self._labels[sample_id] for sample_id in sample_ids.tolist()], np.int64),
            folds_N=np.array([self.fold_of[sample_id] for sample_id in sample_ids.tolist()], np.int64),
            probs_N_C=np.concatenate(self._probs)[order],
            predictors=dict(self._predictors),
            checkpoints=dict(self._checkpoints),
        )
        return self.result

    def voting_model(self) -> VotingModel:
        """The modules of all folds, which answer together; attached only.

        Raises:
            NotFittedError: Before the first run.
        """
        if self._attachment is None or not self.voters:
            raise NotFittedError
        return VotingModel([self._attachment.network_of(weights) for weights in self.voters])

    def held_out(self, fold: int) -> NDArray[np.int64]:
        """The samples of a fold, ascending."""
        return np.array(sorted(i for i, of_sample in self.fold_of.items() if of_sample == fold), np.int64)

    def resume(self) -> bool:
        """Loads the state of the last finished fold of this very run whose checkpoint is whole, if there is one."""
        for fold in reversed(range(self.num_folds)):
            state = self._restore(fold)
            if state:
                self.load_state_dict(state)
                return True
        return False

    def on_save_checkpoint(self) -> dict[str, Any]:
        """The out-of-fold probabilities of finished folds, and which run they are of; attached, their weights too."""
        if self._attachment is not None:
            attached = {"attachment": self._attachment.state_dict(), "voters": list(self.voters)}
        elif self.wrapped is not None:
            return {}  # not begun yet
        else:
            attached = {}
        return attached | {
            "run": self._fingerprint,
            "folds": [
                {"sample_ids": torch.from_numpy(self.held_out(fold)), "probs": torch.from_numpy(probs_N_C)}
                for fold, probs_N_C in enumerate(self._probs[: self.fold])
            ],
        }

    def on_load_checkpoint(self, state_dict: dict[str, Any]) -> None:
        """Takes over the finished folds, if they are of this very run; attached, once its labels are known."""
        self._restored = state_dict
        if self.wrapped is None:
            self._take_over()

    def _take_over(self) -> bool:
        same = bool(self._restored) and self._restored["run"] == self._fingerprint
        self._probs = [fold["probs"].numpy() for fold in self._restored["folds"]] if same else []
        self.voters = list(self._restored.get("voters", [])) if same else []
        return same

    def _split(
        self,
        labels: Mapping[int, int],
        predictor_of_fold: Callable[[int], Predictor],
        *,
        groups: Mapping[int, int] | None = None,
        seed: int,
    ) -> None:
        """Assigns the folds."""
        self.fold_of = assign_folds(labels, num_folds=self._most_folds, groups=groups, seed=seed)
        self._take_labels(labels, predictor_of_fold, seed)

    def _take_labels(self, labels: Mapping[int, int], predictor_of_fold: Callable[[int], Predictor], seed: int) -> None:
        self.num_folds = max(self.fold_of.values(), default=0) + 1
        self._labels, self._predictor_of_fold = dict(labels), predictor_of_fold
        fingerprint = predictor_of_fold(0).fingerprint
        described = repr((fingerprint, self._round_number, seed, sorted(labels.items()), self.fold_of))
        self._fingerprint = hashlib.sha256(described.encode()).hexdigest()

    def _attach(self) -> None:
        """Takes labels and module of the Trainer; restarted: in the fold, and with the weights, of the checkpoint."""
        data = data_of(self.trainer)
        outermost: Loop[Any] = self.trainer.fit_loop
        is_inside = outermost is not self
        labels = data.labels if is_inside else as_the_first_has_it(self.trainer, data.known_labels)
        seed = data.fit_seed if is_inside else data.seed
        restored = self._restored if self.restarting else {}
        self._attachment = attachment = Attachment(
            self, seed=seed, logits=self._logits, mc_iterations=2, state=restored.get("attachment")
        )
        try:
            self._split(labels, attachment.predictor_of_fold, seed=seed)
        except NotEnoughSamplesError:
            if not is_inside:
                raise
            self.fold_of = {}
            self._take_labels(labels, attachment.predictor_of_fold, seed)
        self._goes_on = self._take_over() and self.restarting and self.progress.is_interrupted
        if not self.restarting:
            self.progress.reset()
            self._probs, self.voters = [], []

    def _restore(self, fold: int) -> dict[str, Any]:
        """Loads the predictor of a finished fold; returns the state saved with it, empty if it must be fitted again."""
        folder = self._folder_of(fold)
        path = None if folder is None else folder / "model.ckpt"
        if path is None or not path.exists():
            return {}
        saved, predictor = checkpoint_at(path), self._predictor_of_fold(fold)
        try:
            state = predictor.load(path, sha256=saved.sha256, size=saved.size)
        except (CheckpointDamagedError, CheckpointMismatchError):
            return {}
        if state.get("state_dict", {}).get("run") != self._fingerprint:
            return {}
        self._predictors[fold], self._checkpoints[fold] = predictor, saved
        return state

    def _folder_of(self, fold: int) -> Path | None:
        if self._folder is None:
            return None
        folder = self._folder / f"fold-{fold}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def cross_validated(
    predictor: Predictor,
    labels: Mapping[int, int],
    *,
    num_folds: int,
    round_number: int = 0,
    folder: Path | None = None,
) -> CrossValidation:
    """Cross-validates labels by fresh predictors of one kind; see `Predictor.cross_validate`.

    Raises:
        NotEnoughSamplesError: If the labels cannot be split.
    """
    loop = KFoldLoop(
        labels,
        predictor.fresh,
        num_folds=num_folds,
        groups=duplicate_groups(sorted(labels), predictor.embedding(sorted(labels))),
        seed=predictor.seed,
        round_number=round_number,
        folder=folder,
    )
    loop.resume()
    return loop.run()
