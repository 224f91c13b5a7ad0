"""The model's answers for the whole pool: chosen from, sorted, and what they are worth above a threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.project.scores import Ids, RoundScores
from loops.acquisition.catalog import TOTAL
from loops.evaluation.estimates import wilson_interval

Mask = NDArray[np.bool_]
SORTED_BY = ("least sure first", "surest first", "by sample")


@dataclass(frozen=True)
class Choice:
    """What a person wants to see of the answers."""

    class_index: int | None = None  # of the answer; None: all
    low: float = 0.0  # probability of the answer, at least
    high: float = 1.0  # at most
    sorted_by: str = SORTED_BY[0]


@dataclass(frozen=True)
class Worth:
    """What the answers are worth that are at least so probable."""

    answered: int  # samples
    left_to_people: float  # share of the pool, 0..1
    expected: float  # accuracy by the model's own probabilities, 0..1; 0: nothing is answered
    measured: float | None  # of audit samples that people labeled since; None: there are none
    low: float = 0.0  # of its 95 % interval
    high: float = 1.0
    n: int = 0  # audit samples it was measured on


def rows_of(scores: RoundScores, choice: Choice, among: Ids | None = None) -> Ids:
    """Rows of the scores that a person wants to see, in the order wanted.

    Args:
        scores: of the round.
        choice: what is wanted.
        among: sample ids that a search found; None: nobody searched.
    """
    sure_N = scores.confidence_N
    wanted_N = (sure_N >= choice.low) & (sure_N <= choice.high)
    if choice.class_index is not None:
        wanted_N &= scores.predicted_N == choice.class_index
    if among is not None:
        wanted_N &= np.isin(scores.sample_ids, among)
    rows = np.flatnonzero(wanted_N)
    if choice.sorted_by == SORTED_BY[2]:
        return rows[np.argsort(scores.sample_ids[rows], kind="stable")]
    sign = 1 if choice.sorted_by == SORTED_BY[0] else -1
    return rows[np.argsort(sign * sure_N[rows], kind="stable")]


def worth_above(scores: RoundScores, threshold: float, audited: dict[int, int]) -> Worth:
    """What the answers above a threshold are worth.

    Args:
        scores: of the round.
        threshold: least probability of an answer that is taken.
        audited: class index by sample id, of audit labels; only those count that were given after the scoring.
    """
    taken_N = scores.confidence_N >= threshold
    answered = int(taken_N.sum())
    left = 1.0 - answered / max(1, len(scores))
    expected = float(scores.confidence_N[taken_N].mean()) if answered else 0.0
    known_N = np.isin(scores.sample_ids, np.fromiter(audited, np.int64, len(audited))) & taken_N
    ids, said = scores.sample_ids[known_N].tolist(), scores.predicted_N[known_N].tolist()
    right = sum(audited[sample_id] == answer for sample_id, answer in zip(ids, said, strict=True))
    if not ids:
        return Worth(answered, left, expected, None)
    low, high = wilson_interval(right, len(ids))
    return Worth(answered, left, expected, right / len(ids), low, high, len(ids))


def doubt(scores: RoundScores, rows: Ids) -> NDArray[np.float64]:
    """How undecided the model is of each of these, in nats."""
    return scores.measures[TOTAL][rows]
