"""A committee: predictors of one kind, each fitted on another part of the labels, which answer by their mean vote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from loops.checkpoint import SavedCheckpoint, read_checkpoint, write_checkpoint
from loops.cross_validation import CrossValidation
from loops.errors import (
    CheckpointDamagedError,
    CheckpointMismatchError,
    IdenticalDrawsError,
    NotEnoughSamplesError,
    NotFittedError,
)
from loops.folds import duplicate_groups
from loops.kfold import KFoldLoop
from loops.oracle import PoolScores
from loops.predictors.as_module import mean_of
from loops.predictors.predictor import KEEP_DRAWS_UP_TO, Description, Instant, Predictor
from loops.predictors.saved import load_members, saved_members

_ARRAYS = ("sample_ids", "labels", "folds", "probs")  # of a saved cross-validation


class Committee(Predictor):
    """Fits one predictor per fold and takes the mean of their votes.

    Each member is fitted on all labels but those of its fold, so a fit yields a cross-validation besides. Samples with
    equal rows, one picture in two files, are never on both sides.

    Members start from fresh weights in every round, whatever `reset_weights` says: with those of the round before, a
    member would have been trained on the labels that it is now to predict out of fold.

    Args:
        member: Of which kind the members are; it learns nothing itself.
        num_folds: Members, at most; fewer when the labels do not suffice, see `loops.folds.assign_folds`.
        votes: Whether a draw is the vote of a member; otherwise the members draw in turn, as by MC dropout.
    """

    def __init__(self, member: Predictor, *, num_folds: int = 5, votes: bool = True) -> None:
        self.cross_validation: CrossValidation | None = None  # of the last fit; None: too few labels to hold any out
        # Not of the store: a member need not have one.
        self.num_classes, self.seed, self.mc_iterations = member.num_classes, member.seed, member.mc_iterations
        self._num_folds, self._draws_are_votes = num_folds, votes
        self._member = member
        self._members: tuple[Predictor, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Of members and folds."""
        return repr(("committee", self._num_folds, self._member.fingerprint))

    def describe(self) -> Description:
        """Its name, and what the person at the screen is told of it."""
        kind, count = self._member.describe(), len(self._members) or self._num_folds
        details = f"Each of the {count} was trained on another part of the labels; their mean vote counts."
        return Description("committee", "Several models answer together.", details, asks_by=kind.asks_by)

    def fresh(self, fold: int | None = None) -> Committee:
        """A committee of the same kind that has learned nothing."""
        return Committee(self._member.fresh(fold), num_folds=self._num_folds, votes=self._draws_are_votes)

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
                self._member.fresh,
                num_folds=self._num_folds,
                groups=duplicate_groups(sample_ids, self.embedding(sample_ids)),
                seed=self.seed,
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
        """Scores every sample by what MC dropout says within each member; draw k is the vote of member k.

        Scores are averaged over the members, so the total is still the sum of what the draws and the sample leave open.

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
        votes_N_C_K = self._votes(sample_ids)
        if (votes_N_C_K == votes_N_C_K[..., :1]).all():
            raise IdenticalDrawsError(f"all {len(members)} members of the committee agree to the last bit")
        return PoolScores(
            sample_ids=pools[0].sample_ids,
            scores={name: _mean([pool.scores[name] for pool in pools]) for name in pools[0].scores},
            probs_N_C=_mean(list(np.moveaxis(votes_N_C_K, -1, 0))),
            draws_N_C_K=votes_N_C_K.astype(np.float16) if votes_N_C_K.size <= KEEP_DRAWS_UP_TO else None,
        )

    def draws(self, sample_ids: ArrayLike, *, count: int, round_number: int) -> NDArray[np.float32]:
        """The members' votes, `probs_N_C_K`, as many as there are members; or K draws, one member's after another's.

        Members that cannot disagree with themselves, such as a network without dropout, give their votes.
        """
        if self._draws_are_votes:
            return self._votes(sample_ids)
        members = self._fitted()
        each = -(-count // len(members))
        try:
            drawn = [one.draws(sample_ids, count=each, round_number=round_number) for one in members]
        except IdenticalDrawsError:
            return self._votes(sample_ids)
        k_th = np.arange(each)
        in_turn: NDArray[np.float32] = np.stack([one[..., k_th % one.shape[-1]] for one in drawn], axis=-1)
        return in_turn.reshape(*in_turn.shape[:2], each * len(members))[..., :count]

    def _votes(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        return np.stack([member.predict(sample_ids) for member in self._fitted()], axis=-1)

    def as_module(self) -> nn.Module | None:
        """The members' mean vote."""
        members = self._fitted()
        return mean_of([member.as_module() for member in members], [1 / len(members)] * len(members))

    def features(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """As the first member has it: the members' features are of different spaces."""
        return self._fitted()[0].features(sample_ids)

    def instant(self, sample_ids: ArrayLike, *, round_number: int) -> Instant | None:
        """The first member's: each of them would have to be refit after every label."""
        return self._fitted()[0].instant(sample_ids, round_number=round_number)

    def cross_validate(
        self, labels: Mapping[int, int], *, num_folds: int, round_number: int = 0, folder: Path | None = None
    ) -> CrossValidation:
        """That of its own fit, where it was fitted on these labels: each member predicted what was held from it."""
        found = self.cross_validation
        if found is not None and dict(zip(found.sample_ids.tolist(), found.labels_N.tolist(), strict=True)) == labels:
            return found
        return self._member.cross_validate(labels, num_folds=num_folds, round_number=round_number, folder=folder)

    def embedding(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """As each member has it: `features_N_D`."""
        return self._member.embedding(sample_ids)

    def save(self, path: Path, loop_state: dict[str, Any]) -> SavedCheckpoint:
        """Writes all members, the cross-validation and the loop state into one file, atomically.

        Args:
            path: In an existing folder.
            loop_state: Plain values only, such as `Loop.state_dict()`.
        """
        members = saved_members(self._fitted())
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
            raise CheckpointMismatchError(path, "a committee wanted, a single predictor found")
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
    ) -> tuple[Predictor, ...]:
        members = [self._member.fresh(k) for k in range(self._num_folds)]
        for k, member in enumerate(members):
            folder = None if checkpoint_dir is None else checkpoint_dir / f"fold-{k}"
            member.fit(labels, round_number=round_number, checkpoint_dir=folder)
        return tuple(members)

    def _restored(self, checkpoints: Sequence[dict[str, Any]], name: str) -> tuple[Predictor, ...]:
        members = [self._member.fresh(k) for k in range(len(checkpoints))]
        load_members(members, checkpoints, name)
        return tuple(members)

    def _fitted(self) -> tuple[Predictor, ...]:
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


def _cross_validation_of(state: dict[str, torch.Tensor] | None, members: Sequence[Predictor]) -> CrossValidation | None:
    if state is None:
        return None
    sample_ids, labels_N, folds_N, probs_N_C = (state[name].numpy() for name in _ARRAYS)
    return CrossValidation(sample_ids, labels_N, folds_N, probs_N_C, predictors=dict(enumerate(members)))
