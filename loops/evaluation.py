"""Accuracy with the interval it deserves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loops.errors import NotEnoughSamplesError
from loops.oracle import Dataset, Evaluation


def wilson_interval(correct: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The Wilson score interval of a share: honest for few samples and near 0 and 1. Wilson 1927.

    Args:
        correct: How many of `n` were right.
        n: How many were looked at; with none, nothing is known.
        z: Width in standard errors; 1.96 is 95 %.

    Returns:
        Lower and upper bound, both in [0, 1].
    """
    if n == 0:
        return 0.0, 1.0
    share = correct / n
    center = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (center - spread) / scale), min(1.0, (center + spread) / scale)


def evaluate(
    dataset: Dataset, probs_N_C: NDArray[np.floating[Any]], labels_N: Sequence[int] | NDArray[np.integer[Any]]
) -> Evaluation:
    """Compares predictions with labels.

    Args:
        dataset: Which labels these are.
        probs_N_C: Class probabilities, `[N, C]`.
        labels_N: True class indices, `[N]`, each below C.

    Raises:
        NotEnoughSamplesError: If there is nothing to compare.
    """
    n, num_classes = probs_N_C.shape
    if n == 0 or len(labels_N) != n:
        raise NotEnoughSamplesError(wanted=max(1, n), found=len(labels_N))
    confusion_C_C = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(confusion_C_C, (np.asarray(labels_N), probs_N_C.argmax(1)), 1)
    correct = int(np.trace(confusion_C_C))
    low, high = wilson_interval(correct, n)
    return Evaluation(dataset, correct / n, low, high, n, confusion_C_C)


def recall(evaluation: Evaluation) -> NDArray[np.float64]:
    """Share of each true class that was recognized, `[C]`; NaN for a class of which there was none."""
    return _diagonal_share(evaluation.confusion_C_C, axis=1)


def precision(evaluation: Evaluation) -> NDArray[np.float64]:
    """Share of each predicted class that was right, `[C]`; NaN for a class that was never predicted."""
    return _diagonal_share(evaluation.confusion_C_C, axis=0)


def _diagonal_share(confusion_C_C: NDArray[np.int64], axis: int) -> NDArray[np.float64]:
    totals = confusion_C_C.sum(axis=axis)
    shares = np.full(len(totals), np.nan)
    np.divide(np.diag(confusion_C_C), totals, out=shares, where=totals > 0)
    return shares
