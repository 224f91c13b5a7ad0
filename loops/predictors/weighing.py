"""How much each of several predictors' answers counts: by what it said of labels that were held from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

SHARPNESSES = (0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0)  # powers' inverses; below 1 an answer is made surer
PRIOR = 10.0  # labels' worth of belief in equal weights and in answers as they are
LEAST = 0.05  # a weight below this is none: its answer would cost a fit and change nothing
_UNLIKELY = 0.01  # no held-out label counts as less likely than this: one wrong label must not decide


def weigh(probs_M_N_C: Sequence[Floats], labels_N: NDArray[np.int64]) -> tuple[NDArray[np.float64], list[float]]:
    """Weights and sharpnesses under which held-out labels are likely, shrunk towards equal weights.

    First each answer is made surer or less sure as a whole (`p ** (1 / sharpness)`, normalized), since an answer that
    is right and too modest would lose to one that is often wrong and bold. Then the weights of the mixture by
    expectation and maximization, which is convex. The prior counts as `PRIOR` labels.

    Args:
        probs_M_N_C: Of M predictors, out of fold.
        labels_N: Class indices.

    Returns:
        `weights_M`, which add up to 1, and the sharpness of each.
    """
    sharpness_M = [_sharpness(np.asarray(probs_N_C), labels_N) for probs_N_C in probs_M_N_C]
    sharpened = [sharpened_by(probs, power) for probs, power in zip(probs_M_N_C, sharpness_M, strict=True)]
    likely_N_M = np.stack([_likelihood(probs, labels_N) for probs in sharpened], axis=1)
    return _mixture(likely_N_M), sharpness_M


def sharpened_by(probs_N_C: Floats, sharpness: float) -> Floats:
    """Class probabilities made surer (below 1) or less sure (above 1), `[N, C]` or `[N, C, K]`."""
    if sharpness == 1.0:
        return probs_N_C
    powered = np.maximum(probs_N_C, 1e-8) ** (1.0 / sharpness)
    return np.asarray(powered / powered.sum(axis=1, keepdims=True), probs_N_C.dtype)


def _sharpness(probs_N_C: Floats, labels_N: NDArray[np.int64]) -> float:
    def belief(sharpness: float) -> float:
        likely_N = _likelihood(sharpened_by(probs_N_C, sharpness), labels_N)
        return float(np.log(likely_N).sum() - 0.5 * PRIOR * np.log(sharpness) ** 2)

    return max(SHARPNESSES, key=belief)


def _likelihood(probs_N_C: Floats, labels_N: NDArray[np.int64]) -> Floats:
    return np.asarray(np.clip(probs_N_C[np.arange(len(labels_N)), labels_N], _UNLIKELY, 1.0))


def _mixture(likely_N_M: Floats, steps: int = 100) -> NDArray[np.float64]:
    members = likely_N_M.shape[1]
    weights_M = np.full(members, 1.0 / members)
    for _ in range(steps):
        shares_N_M = weights_M * likely_N_M
        shares_N_M /= shares_N_M.sum(axis=1, keepdims=True)
        weights_M = shares_N_M.sum(axis=0) + PRIOR / members
        weights_M /= weights_M.sum()
    return weights_M
