"""What a round asks of whatever answers: a network, a graph, a committee, a classifier of scikit-learn's, a champion.

Sample ids go in, arrays in their order come out, and there is no torch in it. A new predictor needs four verbs: `fit`,
`predict`, `draws` and `describe`. What else a round asks follows from them; a predictor that can do it better says so
by a method of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from loops.acquisition.catalog import EPISTEMIC
from loops.seeding import seed_of

if TYPE_CHECKING:
    from torch import nn

    from loops.checkpoint import SavedCheckpoint
    from loops.cross_validation import CrossValidation
    from loops.embeddings.features import FeatureStore
    from loops.oracle import PoolScores

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]

KEEP_DRAWS_UP_TO = 20_000_000  # numbers N*C*K; 40 MB as float16
SCORED_AT_ONCE = 4_096  # samples whose draws are held together


@dataclass(frozen=True)
class Description:
    """What a predictor is, in words for a program and for people."""

    name: str  # such as `network`, `graph` or `sklearn.ensemble:RandomForestClassifier`
    sentence: str  # for the person who labels
    details: str = ""  # for the person who looks closer: figures, and what they speak for
    asks_by: str = EPISTEMIC  # the acquisition function that suits it, where it has no questions of its own
    weights: Mapping[str, float] | None = None  # of the members of one that weighs several; they add up to 1


@dataclass(frozen=True)
class Questions:
    """What a predictor would ask by itself: the best samples of a pool, and their scores."""

    sample_ids: Ids  # `[k]`, best first
    scores: Floats  # `[k]`, of whoever asked for each


class Instant(Protocol):
    """What a fitted predictor becomes between two rounds: it takes each further label in a blink."""

    asks_of_whole_pool: bool  # otherwise of what waits in the queue

    def refit(self, labels: Mapping[int, int]) -> None:
        """Takes all labels, those of the round and those since: sample id -> class index."""
        ...

    def predict(self, sample_ids: ArrayLike) -> Floats:
        """Class probabilities `probs_N_C`."""
        ...

    def draws(self, sample_ids: ArrayLike) -> Floats:
        """Class probabilities of K draws, `probs_N_C_K`."""
        ...

    def questions(self, sample_ids: Ids, size: int, *, coverage: bool) -> Questions | None:
        """As `Predictor.questions`."""
        ...


class Predictor(ABC):
    """Answers for samples, learned from labels.

    Subclasses give `fit`, `predict`, `draws` and `describe`; the rest has a default that follows from them.

    Args:
        store: Where the rows of samples come from.
        num_classes: C.
        seed: Of all that is drawn.
        mc_iterations: K, of the draws that score a pool.
    """

    held_out: CrossValidation | None = None  # of the labels of the last fit, where that was a cross-validation too
    answers_with_mean_of_draws = False  # then a pool is not asked twice
    fitted_on: tuple[dict[int, int], int] | None = None  # labels and round; `fit` notes it for `save` as it stands here

    def __init__(self, store: FeatureStore, *, num_classes: int, seed: int = 0, mc_iterations: int = 20) -> None:
        self.store, self.num_classes, self.seed, self.mc_iterations = store, num_classes, seed, mc_iterations

    @abstractmethod
    def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None:
        """Learns from all labels.

        Args:
            labels: Sample id -> class index.
            round_number: Seeds whatever is drawn.
            checkpoint_dir: Where an unfinished fit may keep its state; None keeps none.

        Raises:
            NotEnoughSamplesError: If there are no labels.
            TrainingInterruptedError: If something stopped it; what was learned before stays.
        """

    @abstractmethod
    def predict(self, sample_ids: ArrayLike) -> Floats:
        """Class probabilities `probs_N_C`, in the order of `sample_ids` (`[N]`).

        Raises:
            NotFittedError: Before the first fit or load.
        """

    @abstractmethod
    def draws(self, sample_ids: ArrayLike, *, count: int, round_number: int) -> Floats:
        """Answers that may disagree, `probs_N_C_K`: the same K draws for every sample of a round.

        Args:
            sample_ids: `[N]`.
            count: K; a predictor with a fixed number of members gives as many as it has.
            round_number: Seeds them.

        Raises:
            IdenticalDrawsError: If they cannot disagree.
            NotFittedError: Before the first fit or load.
        """

    @property
    def asks_itself(self) -> bool:
        """Whether it has questions of its own at present; see `questions`."""
        return False

    @property
    def answers_without_labels(self) -> bool:
        """Whether the first round has a model too."""
        return False

    @property
    def fingerprint(self) -> str:
        """A text of all that decides what it learns from the same labels."""
        return repr((self.describe().name, self.num_classes, self.seed))

    @abstractmethod
    def describe(self) -> Description:
        """Its name, and what the person at the screen is told of it."""

    def fresh(self, fold: int | None = None) -> Predictor:
        """A predictor of the same kind that has learned nothing; of a fold, with a seed of its own."""
        seed = self.seed if fold is None else seed_of(self.seed, "fold", fold)
        return type(self)(self.store, num_classes=self.num_classes, seed=seed, mc_iterations=self.mc_iterations)

    def as_module(self) -> nn.Module | None:
        """What answers as a torch module, from stored rows to class probabilities; None where nothing of the kind does.

        Raises:
            NotFittedError: Before the first fit or load.
        """
        return None

    def embedding(self, sample_ids: ArrayLike) -> Floats:
        """`features_N_D`, which no label had a part in: the stored rows, flattened."""
        return self.store.flat_rows(sample_ids)

    def features(self, sample_ids: ArrayLike) -> Floats:
        """What the last layer sees, `features_N_D`; the embedding where there is no such layer."""
        return self.embedding(sample_ids)

    def score(self, sample_ids: ArrayLike, *, round_number: int) -> PoolScores:
        """What it does not know of each sample, from its draws, in pieces that fit in memory.

        Args:
            sample_ids: `[N]`, at least one.
            round_number: Seeds the draws.

        Raises:
            IdenticalDrawsError: If no draw differs from another.
            NotEnoughSamplesError: If there is nothing to score.
        """
        from loops.predictors.scoring import scores_of_draws

        return scores_of_draws(self, sample_ids, round_number=round_number)

    def questions(self, sample_ids: Ids, size: int, *, coverage: bool) -> Questions | None:
        """What it would ask of these samples by itself; None where an acquisition function decides.

        Args:
            sample_ids: `[N]`.
            size: How many, at most.
            coverage: Whether only what has no label near it counts, and not what the labels leave undecided.
        """
        del sample_ids, size, coverage
        return None

    def gains(self, sample_ids: Ids) -> Floats:
        """How much a label of each sample is expected to settle, `scores_N`; 0 where it has no questions of its own."""
        return np.zeros(len(sample_ids), np.float32)

    def instant(self, sample_ids: ArrayLike, *, round_number: int) -> Instant | None:
        """What takes each further label in a blink; None where that cannot be done.

        Args:
            sample_ids: Of the labels, and of all that may be asked or labeled until the next round.
            round_number: Of the round it was fitted in.
        """
        del sample_ids, round_number
        return None

    def review(self, labels: Mapping[int, int], *, pool: Ids, begins: bool) -> None:
        """Looks again at what was chosen without labels; by default nothing was.

        Args:
            labels: Sample id -> class index.
            pool: All that may be asked, labeled or not.
            begins: Whether a round has just been published; otherwise a further label came.
        """
        del labels, pool, begins

    def pool_shares(self, labeled: Ids) -> Floats:
        """The share of the pool that each labeled sample speaks for, `[n]`; without a graph all for as much."""
        return np.full(len(labeled), 1.0 / max(1, len(labeled)), np.float32)

    def cross_validate(
        self, labels: Mapping[int, int], *, num_folds: int, round_number: int = 0, folder: Path | None = None
    ) -> CrossValidation:
        """Each label predicted by one of its kind that never saw it.

        Args:
            labels: Sample id -> class index.
            num_folds: At most; see `loops.folds.assign_folds`. Samples with equal rows are in one fold.
            round_number: Seeds the fits.
            folder: Where unfinished folds are kept; None keeps none.

        Raises:
            NotEnoughSamplesError: If the labels cannot be split.
        """
        from loops.kfold import cross_validated

        return cross_validated(self, labels, num_folds=num_folds, round_number=round_number, folder=folder)

    def save(self, path: Path, loop_state: dict[str, Any]) -> SavedCheckpoint:
        """Writes what was learned and the loop's state into one file, atomically; as it stands here, the labels.

        Args:
            path: In an existing folder.
            loop_state: Plain values and tensors only, such as `Loop.state_dict()`.

        Raises:
            NotFittedError: Before the first fit or load.
        """
        from loops.predictors.saved import save_labels

        return save_labels(self, path, loop_state)

    def load(self, path: Path, *, sha256: str, size: int) -> dict[str, Any]:
        """Loads what `save` wrote, after verifying every byte; as it stands here, it is fitted again on the labels.

        Returns:
            The loop's state.

        Raises:
            CheckpointDamagedError: If it is not that file.
            CheckpointMismatchError: If it is, and holds a predictor of another kind or number of classes.
        """
        from loops.predictors.saved import load_labels

        return load_labels(self, path, sha256=sha256, size=size)
