"""Which of two is better, by labels that neither was fitted on, never by test data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SURE = 1.64  # standard errors by which the other must be better: one chance in twenty of being wrong
GROWTH = 1.5  # a comparison is repeated when there are so many times as many labels

Classes = NDArray[np.int64]


@dataclass(frozen=True)
class Comparison:
    """What one comparison found."""

    other_is_better: bool = False  # than the one that answers
    right: float = 0.0  # share of the pool that the answering one has right, by labels held out
    other_right: float = 0.0


def is_due(labels: int, *, compared_at: int, fewest: int, growth: float = GROWTH) -> bool:
    """Whether to compare again, for a comparison costs several fits.

    Args:
        labels: How many there are.
        compared_at: How many there were at the last comparison; 0: there was none.
        fewest: Below which nothing is compared.
        growth: So many times as many as at the last comparison.
    """
    return labels >= max(fewest, growth * compared_at)


def compare(
    *, truth: Classes, answering: Classes, other: Classes, weight: NDArray[np.floating[Any]], sure: float = SURE
) -> Comparison:
    """The other is better if its lead is more than `sure` standard errors of the weighted, paired difference.

    What was asked by doubt lies where classes meet, and there are many such labels for little of the pool: each label
    counts as much as the share of the pool that is nearest to it, or the comparison would be about the rim alone.

    Args:
        truth: Labels, `[N]`.
        answering: What the one that answers said while they were held out, `[N]`.
        other: Likewise of the other.
        weight: The share of the pool that is nearest to each, `[N]`.
        sure: Standard errors.
    """
    share = np.asarray(weight, float) / max(float(weight.sum()), 1e-12)
    other_right, right = (other == truth).astype(float), (answering == truth).astype(float)
    lead = float(share @ (other_right - right))
    error = float(np.sqrt(np.square(share * (other_right - right - lead)).sum()))
    return Comparison(
        lead > 0 and lead > sure * error, right=float(share @ right), other_right=float(share @ other_right)
    )
