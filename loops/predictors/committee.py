"""A committee of predictors, one per fold, with the verbs of one predictor."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from loops.acquisition.functions import bald
from loops.checkpoint import SavedCheckpoint, read_checkpoint, write_checkpoint
from loops.errors import (
    CheckpointDamagedError,
    CheckpointMismatchError,
    IdenticalDrawsError,
    NotEnoughSamplesError,
    NotFittedError,
)
from loops.folds import duplicate_groups
from loops.kfold import CrossValidation, KFoldLoop
from loops.oracle import PoolScores
from loops.predictors.graph_learner import GRAPHED, GraphLearner
from loops.predictors.network import Network
from loops.predictors.network_spec import NetworkSpec
from loops.predictors.predictor import Predictor
from loops.uncertainty.mc_dropout import KEEP_DRAWS_UP_TO

_ARRAYS = ("sample_ids", "labels", "folds", "probs")  # of a saved cross-validation


class Committee:
    """Fits one predictor per fold and takes the mean of their votes; stands in a predictor's place.

    Each member is fitted on all labels but those of its fold, so a fit yields a cross-validation besides. Samples with
    equal rows, one picture in two files, are never on both sides.

    Members start from fresh weights in every round, whatever `reset_weights` says: with those of the round before, a
    member would have been trained on the labels that it is now to predict out of fold.

    Args:
        learner_of_fold: Makes a new predictor for a fold; its seed should follow from the fold. See `KFoldLoop`.
        num_folds: Members, at most; fewer when the labels do not suffice, see `loops.folds.assign_folds`.
        seed: Of the folds.
    """

    def __init__(self, predictor_of_fold: Callable[[int], Network], *, num_folds: int = 5, seed: int = 0) -> None:
        self.cross_validation: CrossValidation | None = None  # of the last fit; None: too few labels to hold any out
        self._predictor_of_fold = predictor_of_fold
        self._num_folds = num_folds
        self._seed = seed
        self._unfitted = predictor_of_fold(0)
        self._members: tuple[Network, ...] = ()

    @property
    def spec(self) -> NetworkSpec:
        """Which kind of predictor the members are."""
        return self._unfitted.spec

    def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None:
        """Runs a `KFoldLoop`; an interrupted fit of the same round and labels goes on in its fold.

        With too few labels to hold any out, all members are fitted on all labels, from weights of their own.

        Args:
            labels: Sample id -> class index.
            round_number: Seeds the fresh weights and the order of batches.
            checkpoint_dir: Where each fold's files go, `fold-K/`; None keeps none.

        Raises:
            NotEnoughSamplesError: If there are no labels.
            TrainingInterruptedError: If something stopped it before the last step; the members before stay in force.
        """
        if not labels:
            raise NotEnoughSamplesError(wanted=1, found=0)
        sample_ids = sorted(labels)
        try:
            loop = KFoldLoop(
                labels,
                self._predictor_of_fold,
                num_folds=self._num_folds,
                groups=duplicate_groups(sample_ids, self.embedding(sample_ids)),
                seed=self._seed,
                round_number=round_number,
                folder=checkpoint_dir,
            )
        except NotEnoughSamplesError:
            self._members = self._fit_on_all(labels, round_number, checkpoint_dir)
            self.cross_validation = None
            return
        loop.resume()
        result = loop.run()
        self._members = tuple(result.predictors[fold] for fold in sorted(result.predictors))
        self.cross_validation = result

    def predict(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """The mean vote: class probabilities, dropout off, averaged over the members.

        Args:
            sample_ids: `[N]`.

        Returns:
            `probs_N_C`, in the order of `sample_ids`.

        Raises:
            NotFittedError: Before the first fit or load.
        """
        return _mean([member.predict(sample_ids) for member in self._fitted()])

    def score(self, sample_ids: ArrayLike, *, round_number: int) -> PoolScores:
        """Scores every sample by what the members say, and by MC dropout within each of them.

        Draw k is the vote of member k. `committee_bald` is BALD over these draws: doubt that other labels would have
        changed the answer. The other scores are those of the members' own MC dropout, averaged over the members, so
        `predictive_entropy` is still `bald` plus `expected_entropy`.

        Args:
            sample_ids: `[N]`, at least one.
            round_number: Seeds the masks.

        Raises:
            IdenticalDrawsError: If all members agree to the last bit, or MC dropout has nothing to say.
            NotEnoughSamplesError: If there is nothing to score.
            NotFittedError: Before the first fit or load.
        """
        members = self._fitted()
        pools = [member.score(sample_ids, round_number=round_number) for member in members]
        draws_N_C_K = np.stack([member.predict(sample_ids) for member in members], axis=-1)
        if (draws_N_C_K == draws_N_C_K[..., :1]).all():
            raise IdenticalDrawsError(f"all {len(members)} members of the committee agree to the last bit")
        scores = {name: _mean([pool.scores[name] for pool in pools]) for name in pools[0].scores}
        return PoolScores(
            sample_ids=pools[0].sample_ids,
            scores=scores | {"committee_bald": bald(torch.from_numpy(draws_N_C_K)).numpy()},
            probs_N_C=_mean(list(np.moveaxis(draws_N_C_K, -1, 0))),
            draws_N_C_K=draws_N_C_K.astype(np.float16) if draws_N_C_K.size <= KEEP_DRAWS_UP_TO else None,
        )

    def draw(self, sample_ids: ArrayLike, *, round_number: int, mc_iterations: int) -> NDArray[np.float32]:
        """The members' votes, `probs_N_C_K`: as many as there are members, whatever was asked for."""
        del round_number, mc_iterations
        return np.stack([member.predict(sample_ids) for member in self._fitted()], axis=-1)

    def penultimate(self, sample_ids: ArrayLike) -> tuple[NDArray[np.float32], nn.Sequential]:
        """As the first member has it: the members' features are of different spaces."""
        return self._fitted()[0].penultimate(sample_ids)

    def embedding(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """The stored rows, flattened, as each member has them: `features_N_D`."""
        return self._unfitted.embedding(sample_ids)

    def save(self, path: Path, loop_state: dict[str, Any]) -> SavedCheckpoint:
        """Writes all members, the cross-validation and the loop state into one file, atomically.

        Args:
            path: In an existing folder.
            loop_state: Plain values only, such as `Loop.state_dict()`.
        """
        with tempfile.TemporaryDirectory() as folder:
            files = [member.save(Path(folder, f"{k}.ckpt"), {}).path for k, member in enumerate(self._fitted())]
            members = [read_checkpoint(file) for file in files]
        first = members[0]["learner"]
        checkpoint = {
            # Described as a network too, so that a single network says what it found instead of taking it for damaged.
            "learner": first | {"backbone": f"a committee of {len(members)} on {first['backbone']}"},
            "state_dict": {},
            "members": members,
            "cross_validation": _state_of(self.cross_validation),
            "active_learning_loop": loop_state,
        }
        return write_checkpoint(checkpoint, path)

    def load(self, path: Path, *, sha256: str, size: int) -> dict[str, Any]:
        """Loads a committee of any number of members that `save` wrote, after verifying every byte.

        Returns:
            The loop state that was saved with it.

        Raises:
            CheckpointDamagedError: If it is not that file.
            CheckpointMismatchError: If it is, and holds a single predictor, or members of another kind.
        """
        checkpoint = read_checkpoint(path, sha256=sha256, size=size)
        if "learner" in checkpoint and "members" not in checkpoint:
            raise CheckpointMismatchError(path, "a committee wanted, a single learner found")
        try:
            saved, state = checkpoint["members"], checkpoint["cross_validation"]
            loop_state: dict[str, Any] = checkpoint["active_learning_loop"]
        except KeyError as error:
            raise CheckpointDamagedError(path, "it holds no committee of ours") from error
        self._members = self._restored(saved, path.name)
        self.cross_validation = _cross_validation_of(state, self._members)
        return loop_state

    def _fit_on_all(
        self, labels: Mapping[int, int], round_number: int, checkpoint_dir: Path | None
    ) -> tuple[Network, ...]:
        members = [self._predictor_of_fold(k) for k in range(self._num_folds)]
        for k, member in enumerate(members):
            folder = None if checkpoint_dir is None else checkpoint_dir / f"fold-{k}"
            member.fit(labels, round_number=round_number, checkpoint_dir=folder)
        return tuple(members)

    def _restored(self, checkpoints: Sequence[dict[str, Any]], name: str) -> tuple[Network, ...]:
        members = [self._predictor_of_fold(k) for k in range(len(checkpoints))]
        with tempfile.TemporaryDirectory() as folder:  # each member checks and loads its own part
            for member, checkpoint in zip(members, checkpoints, strict=True):
                saved = write_checkpoint(checkpoint, Path(folder, name))
                member.load(saved.path, sha256=saved.sha256, size=saved.size)
        return tuple(members)

    def _fitted(self) -> tuple[Network, ...]:
        if not self._members:
            raise NotFittedError
        return self._members


def _mean(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = np.mean(np.stack(arrays), axis=0, dtype=np.float64).astype(np.float32)
    return mean


def _state_of(result: CrossValidation | None) -> dict[str, torch.Tensor] | None:
    if result is None:
        return None
    arrays = (result.sample_ids, result.labels_N, result.folds_N, result.probs_N_C)
    return {name: torch.from_numpy(array) for name, array in zip(_ARRAYS, arrays, strict=True)}


def _cross_validation_of(state: dict[str, torch.Tensor] | None, members: Sequence[Network]) -> CrossValidation | None:
    if state is None:
        return None
    sample_ids, labels_N, folds_N, probs_N_C = (state[name].numpy() for name in _ARRAYS)
    return CrossValidation(sample_ids, labels_N, folds_N, probs_N_C, predictors=dict(enumerate(members)))


def predictor_for(acquisition: str, make: Callable[[int | None], Network], *, seed: int) -> Predictor:
    """What an acquisition function needs to ask: a committee, a predictor beside a graph, or a predictor alone.

    Args:
        acquisition: Its name.
        make: Makes a new predictor; of a fold, or for None the only one.
        seed: Of folds and graph.
    """
    if acquisition in GRAPHED:
        return GraphLearner(make, acquisition=acquisition, seed=seed)
    return Committee(make, seed=seed) if acquisition == "committee_bald" else make(None)
