"""Accuracy with the interval it deserves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loops.errors import NotEnoughSamplesError
from loops.oracle import Dataset, Evaluation, MeasuredAnswers


@dataclass(frozen=True)
class LureAccuracy:
    """Accuracy on the whole pool, estimated from labels that were drawn unequally, with its 95 % interval."""

    accuracy: float
    low: float
    high: float
    n: int  # labels that were drawn at random
    effective_n: float  # of a uniform sample with an interval as wide


def wilson_interval(correct: float, n: float, z: float = 1.96) -> tuple[float, float]:
    """The Wilson score interval of a share: honest for few samples and near 0 and 1. Wilson 1927.

    Args:
        correct: How many of `n` were right; a fraction where samples have weights.
        n: How many were looked at, or their effective number; with none, nothing is known.
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
    dataset: Dataset,
    probs_N_C: NDArray[np.floating[Any]],
    labels_N: Sequence[int] | NDArray[np.integer[Any]],
    sample_ids: Sequence[int] | None = None,
) -> Evaluation:
    """Compares predictions with labels.

    Args:
        dataset: Which labels these are.
        probs_N_C: Class probabilities, `[N, C]`.
        labels_N: True class indices, `[N]`, each below C.
        sample_ids: Of the samples, `[N]`, so that it can be seen later which was taken for what.

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
    answers = None if sample_ids is None else _answers(sample_ids, np.asarray(labels_N), probs_N_C)
    return Evaluation(dataset, correct / n, low, high, n, confusion_C_C, answers)


def _answers(
    sample_ids: Sequence[int], labels_N: NDArray[np.integer[Any]], probs_N_C: NDArray[np.floating[Any]]
) -> MeasuredAnswers:
    return MeasuredAnswers(
        np.asarray(sample_ids, np.int64),
        labels_N.astype(np.int64),
        probs_N_C.argmax(axis=1).astype(np.int64),
        probs_N_C.max(axis=1).astype(np.float32),
    )


def lure_weights(probabilities_M: NDArray[np.floating[Any]], pool_size: int) -> NDArray[np.float64]:
    """Weights under which actively drawn labels estimate a mean over the pool without bias.

    LURE, the LURE-weighted unbiased risk estimator: Farquhar, Gal, Rainforth 2021, arXiv:2101.11665. Each draw gives an
    unbiased estimate of its own, `a_m = L_m / (N q_m) + sum of L before m / N`; they are averaged with the paper's
    weights, proportional to `1 / ((N - m) (N - m + 1))`. Without chosen labels these are the paper's, `v_m / M`; a
    label that was chosen rather than drawn has no such estimate, and enters the later ones as known.

    Args:
        probabilities_M: Of being drawn next, given those drawn before, in the order of drawing; 1 where nothing else
            could have come.
        pool_size: N, the drawn and the chosen ones too.

    Returns:
        `[M]`, whose sum is 1 in expectation; all 0 if nothing was drawn.
    """
    m_M = np.arange(1, len(probabilities_M) + 1)
    drawn_M = (probabilities_M > 0) & (probabilities_M < 1) & (m_M < pool_size)
    level_M = np.zeros(len(m_M))
    level_M[drawn_M] = 1 / ((pool_size - m_M[drawn_M]) * (pool_size - m_M[drawn_M] + 1.0))
    level_M /= max(level_M.sum(), np.finfo(float).tiny)
    later_M = level_M[::-1].cumsum()[::-1] - level_M
    own_M = np.divide(level_M, probabilities_M, out=np.zeros(len(m_M)), where=drawn_M)
    weights_M: NDArray[np.float64] = (own_M + later_M) / pool_size
    return weights_M


def lure_weighted_accuracy(
    correct_M: Sequence[bool] | NDArray[np.bool_],
    probabilities_M: Sequence[float] | NDArray[np.floating[Any]],
    *,
    pool: int,
) -> LureAccuracy | None:
    """Accuracy on the pool from labels drawn with known, unequal probabilities (`lure_weights`).

    Predictions must come from models that were not fitted on these labels: LURE removes the bias of the choice, not
    that of learning by heart. The interval is Wilson's with Kish's effective number of samples.

    Args:
        correct_M: Whether each was predicted rightly, in the order of drawing.
        probabilities_M: See `lure_weights`.
        pool: Number of samples that could be drawn at the start.

    Returns:
        None if nothing was drawn at random.
    """
    probs_M = np.asarray(probabilities_M, float)
    weights_M = lure_weights(probs_M, pool)
    if not weights_M.any():
        return None
    accuracy = 1.0 - float(np.clip(weights_M @ ~np.asarray(correct_M, bool), 0.0, 1.0))
    effective_n = float(weights_M.sum() ** 2 / (weights_M**2).sum())
    low, high = wilson_interval(accuracy * effective_n, effective_n)
    return LureAccuracy(accuracy, low, high, int((probs_M < 1).sum()), effective_n)


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
