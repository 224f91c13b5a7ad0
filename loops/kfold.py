"""Cross-validation: every labeled sample is predicted, once, by a predictor that never saw its label."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning.loops.loop import Loop
from pytorch_lightning.trainer.progress import Progress

from loops.checkpoint import SavedCheckpoint, checkpoint_at
from loops.errors import CheckpointDamagedError, CheckpointMismatchError
from loops.evaluation.estimates import wilson_interval
from loops.folds import assign_folds, duplicate_groups
from loops.predictors.predictor import Predictor
from loops.protocol import no_silent_end


@dataclass(frozen=True)
class CrossValidation:
    """What a run of `KFoldLoop` found. N labeled samples in ascending order of their ids, C classes.

    Where the samples were chosen by a model, so was the accuracy's test set: it says how well the labels at hand are
    learned, not how well the pool is. The folds share training samples, so the interval is a little too narrow.
    """

    sample_ids: NDArray[np.int64]  # `[N]`
    labels_N: NDArray[np.int64]  # class indices, as people gave them
    folds_N: NDArray[np.int64]  # the fold that each was held out in
    probs_N_C: NDArray[np.float32]  # out of fold
    predictors: Mapping[int, Predictor] = field(default_factory=dict)  # by fold: those fitted or loaded in this process
    checkpoints: Mapping[int, SavedCheckpoint] = field(default_factory=dict)  # by fold; none without a folder

    @property
    def accuracy(self) -> float:
        """Share of the samples whose label was predicted out of fold."""
        return self._correct / len(self.sample_ids)

    @property
    def interval(self) -> tuple[float, float]:
        """The accuracy's 95 % Wilson interval."""
        return wilson_interval(self._correct, len(self.sample_ids))

    @property
    def unseen(self) -> NDArray[np.bool_]:
        """Whether no other fold held a label of the sample's class, so that its prediction could not be right."""
        pairs_2_N = np.stack([self.labels_N, self.folds_N])
        classes_of_pairs = np.unique(pairs_2_N, axis=1)[0]
        folds_of_class = dict(zip(*np.unique(classes_of_pairs, return_counts=True), strict=True))
        return np.array([folds_of_class[label] == 1 for label in self.labels_N], np.bool_)

    @property
    def _correct(self) -> int:
        return int((self.probs_N_C.argmax(1) == self.labels_N).sum())


class KFoldLoop(Loop[CrossValidation]):
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

    Args:
        labels: Sample id -> class index.
        predictor_of_fold: Makes a new predictor for a fold, the same for the same fold; its seed should follow from the
            fold (`seed_of(seed, "fold", fold)`), so that the folds start from weights of their own.
        num_folds: At most; see `assign_folds`.
        groups: Sample id -> group, such as duplicates: no group is split. Who is not in it is a group of its own.
        seed: Of the folds.
        round_number: For which the predictors fit.
        folder: Where each fold's checkpoint goes, `fold-K/model.ckpt`; None saves none.

    Raises:
        NotEnoughSamplesError: If the labels cannot be split.
    """

    def __init__(
        self,
        labels: Mapping[int, int],
        predictor_of_fold: Callable[[int], Predictor],
        *,
        num_folds: int = 5,
        groups: Mapping[int, int] | None = None,
        seed: int = 0,
        round_number: int = 0,
        folder: Path | None = None,
    ) -> None:
        super().__init__()
        self.progress = Progress()
        self.fold_of = assign_folds(labels, num_folds=num_folds, groups=groups, seed=seed)
        self.num_folds = max(self.fold_of.values()) + 1
        self._labels = dict(labels)
        self._predictor_of_fold = predictor_of_fold
        self._round_number = round_number
        self._folder = folder
        self._probs: list[NDArray[np.float32]] = []  # of the finished folds
        self._predictors: dict[int, Predictor] = {}
        self._checkpoints: dict[int, SavedCheckpoint] = {}
        described = repr((predictor_of_fold(0).fingerprint, round_number, seed, sorted(labels.items()), self.fold_of))
        self._fingerprint = hashlib.sha256(described.encode()).hexdigest()

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
        if any(predictor is other for other in self._predictors.values()):
            raise ValueError(f"fold {fold} needs a fresh predictor; the one given has seen its labels")
        others = {sample_id: label for sample_id, label in self._labels.items() if self.fold_of[sample_id] != fold}
        predictor.fit(others, round_number=self._round_number, checkpoint_dir=self._folder_of(fold))
        return predictor

    def predict(self, fold: int, predictor: Predictor) -> None:
        """Predicts the samples that were held out."""
        self._probs.append(predictor.predict(self.held_out(fold)))
        self._predictors[fold] = predictor
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
        return CrossValidation(
            sample_ids=sample_ids,
            labels_N=np.array([self._labels[sample_id] for sample_id in sample_ids.tolist()], np.int64),
            folds_N=np.array([self.fold_of[sample_id] for sample_id in sample_ids.tolist()], np.int64),
            probs_N_C=np.concatenate(self._probs)[order],
            predictors=dict(self._predictors),
            checkpoints=dict(self._checkpoints),
        )

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
        """The out-of-fold probabilities of finished folds, and which run they are of."""
        return {
            "run": self._fingerprint,
            "folds": [
                {"sample_ids": torch.from_numpy(self.held_out(fold)), "probs": torch.from_numpy(probs_N_C)}
                for fold, probs_N_C in enumerate(self._probs[: self.fold])
            ],
        }

    def on_load_checkpoint(self, state_dict: dict[str, Any]) -> None:
        """Takes over the finished folds, if they are of this very run."""
        folds = state_dict["folds"] if state_dict["run"] == self._fingerprint else []
        self._probs = [fold["probs"].numpy() for fold in folds]

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
