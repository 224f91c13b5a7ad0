"""When a loop asks no more: budget, target and pool, and criteria over what the rounds so far came to.

BaaL 1.9.2, the last that Flash works with, has no stopping criteria yet; those of BaaL 2 are here as functions of all
rounds. A criterion that keeps nothing itself goes on after a kill as if nothing had been.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loops.acquisition.catalog import imported
from loops.errors import OwnCodeError
from loops.oracle import Answers, Evaluation, PoolScores


@dataclass(frozen=True)
class MeasuredRound:
    """What a round came to, before its question."""

    labels: int  # trained on
    accuracy: float | None = None  # 0..1, on the test set or, where there is none, on audit samples; None: no model yet
    uncertainty: float | None = None  # mean entropy of the answers for what may still be asked, nats; None: no model

    @classmethod
    def of(cls, answers: Answers, evaluations: tuple[Evaluation, ...], pool_scores: PoolScores | None) -> MeasuredRound:
        """What the round that these answers started came to."""
        accuracies = {evaluation.dataset: evaluation.accuracy for evaluation in evaluations}
        uncertainty = None if pool_scores is None else mean_entropy(pool_scores.probs_N_C)
        return cls(len(answers.labels), accuracies.get("test", accuracies.get("audit")), uncertainty)


StoppingCriterion = Callable[[Sequence[MeasuredRound]], bool]  # of all rounds, oldest first


@dataclass(frozen=True)
class Labels:
    """Met when that many labels were trained on."""

    enough: int

    def __call__(self, rounds: Sequence[MeasuredRound]) -> bool:
        """Whether the latest round had them."""
        return bool(rounds) and rounds[-1].labels >= self.enough


@dataclass(frozen=True)
class LowUncertainty:
    """Met when the mean entropy of the answers for the pool is below so many nats: 0 of sure, ln C of torn ones."""

    below: float

    def __call__(self, rounds: Sequence[MeasuredRound]) -> bool:
        """Whether the latest round's is."""
        return bool(rounds) and rounds[-1].uncertainty is not None and rounds[-1].uncertainty < self.below


@dataclass(frozen=True)
class SettledAccuracy:
    """Met when the accuracy on the test set stayed within `epsilon` of the latest for `patience` rounds before it."""

    patience: int = 3  # rounds
    epsilon: float = 0.005  # share

    def __call__(self, rounds: Sequence[MeasuredRound]) -> bool:
        """Whether it has; rounds without an accuracy do not count."""
        found = [one.accuracy for one in rounds if one.accuracy is not None][-self.patience - 1 :]
        return len(found) > self.patience and all(abs(accuracy - found[-1]) <= self.epsilon for accuracy in found)


def own_criterion(reference: str) -> StoppingCriterion:
    """Imports what `package.module:name` names: a criterion, or a class that makes one without arguments.

    Raises:
        OwnCodeError: If it cannot be imported, or nothing can call it.
    """
    found = imported(reference)
    try:
        criterion: Any = found() if inspect.isclass(found) else found
    except TypeError as error:
        raise OwnCodeError(reference, f"it cannot be made without arguments: {error}") from error
    if not callable(criterion):
        raise OwnCodeError(reference, "a stopping criterion is a function from the rounds so far to yes or no")
    given: StoppingCriterion = criterion
    return given


def name_if_met(criterion: StoppingCriterion | None, rounds: Sequence[MeasuredRound]) -> str:
    """The name of a criterion that is met; empty where none is.

    Raises:
        OwnCodeError: If it fails.
    """
    if criterion is None:
        return ""
    name = str(getattr(criterion, "__name__", criterion))
    try:
        return name if criterion(rounds) else ""
    except Exception as error:  # somebody's code may raise anything
        raise OwnCodeError(f"the stopping criterion {name}", f"it failed: {type(error).__name__}: {error}") from error


def mean_entropy(probs_N_C: NDArray[np.float32]) -> float | None:
    """Mean entropy of N answers, nats; None without any."""
    if not len(probs_N_C):
        return None
    known = np.clip(probs_N_C.astype(np.float64), 1e-12, 1.0)
    return float(-(known * np.log(known)).sum(1).mean())


def reason_to_stop(
    *,
    labeling_budget: int,
    target_accuracy: float,
    labels: int,
    lowest_accuracy: float,
    left: int,
    rounds_left: int | None = None,
    proven: float = 0.0,
    criterion: str = "",
) -> str | None:
    """Why no further round should be started, as the end of a sentence; None to go on.

    Args:
        labeling_budget: Labels in all; 0: no limit.
        target_accuracy: 0..1; 0: none.
        labels: Labels given so far, audit labels too.
        lowest_accuracy: The least of the intervals' lower bounds, so that a lucky test of 20 samples ends nothing.
        left: Samples that may still be asked about.
        rounds_left: None: no limit.
        proven: Share of what is left that is proven to be answered rightly.
        criterion: The stopping criterion that is met, by its name; empty: none.
    """
    if labeling_budget and labels >= labeling_budget:
        return f"the labeling budget of {labeling_budget} labels is used up"
    if rounds_left is not None and rounds_left <= 0:
        return "all rounds are over"
    if left == 0:
        return "every sample of the pool is labeled or skipped"
    if target_accuracy and proven >= target_accuracy:
        return f"it is proven that {100 * target_accuracy:.1f} % of what is left are answered rightly"
    if target_accuracy and lowest_accuracy >= target_accuracy:
        return f"the target accuracy of {100 * target_accuracy:.1f} % is reached"
    if criterion:
        return f"the stopping criterion {criterion} is met"
    return None
