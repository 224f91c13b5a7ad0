"""Probabilities that mean what they say: of a hundred answers given with 90 %, ninety shall be right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

Floats = NDArray[np.floating[Any]]

# docs/experiments/0033-calibration.md says what they were chosen by.
BELIEF = 2.0  # nats against a sharpness of e: how firmly probabilities are believed as they are
_SLOWEST, _SHARPEST = 0.5, 8.0
_SLIP = 0.02  # the share of labels that may be anything: one label must not decide
LEAST = 1e-6  # no probability counts as less
_ROUNDS, _CLOSE = 50, 1e-3


def sharpness_of(probs_N_C: Floats, labels_N: NDArray[np.int64]) -> float:
    """The power to which probabilities are raised so that held-out labels are likeliest.

    Temperature scaling (Guo et al. 2017, arXiv:1706.04599) with a prior: of a handful of labels it moves little. A mean
    of predictors that err in different places, and whatever answers from few labels, is surer than it says.

    Args:
        probs_N_C: Out of fold.
        labels_N: Class indices.

    Returns:
        1 keeps the probabilities; more makes them surer.
    """

    def unlikely(log_sharpness: float) -> float:
        likely_N = sharpened(probs_N_C, float(np.exp(log_sharpness)))[np.arange(len(labels_N)), labels_N]
        log_likely_N = np.log((1 - _SLIP) * likely_N + _SLIP / probs_N_C.shape[1])
        return float(BELIEF * log_sharpness**2 - log_likely_N.sum())

    found = minimize_scalar(unlikely, bounds=(np.log(_SLOWEST), np.log(_SHARPEST)), method="bounded")
    return float(np.exp(found.x))


def sharpened(probs: Floats, sharpness: float) -> NDArray[np.float32]:
    """Probabilities to the power of `sharpness`, normalized over axis 1, which is the classes'."""
    if sharpness == 1.0:
        return np.asarray(probs, np.float32)
    logs = np.log(np.clip(probs, LEAST, 1.0)) * sharpness
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def around(draws_N_C_K: Floats, probs_N_C: Floats) -> NDArray[np.float32]:
    """Draws that disagree as before, and whose mean is the answer, for people to look at.

    A few draws of a wide posterior say little of its mean, which is known better otherwise; and what is shown as the
    answer and as its draws shall not contradict each other. The odds of two classes are changed by the same factor in
    all draws of a sample, by Sinkhorn's iteration.

    Args:
        draws_N_C_K: Class probabilities of K draws.
        probs_N_C: The answer.

    Returns:
        `[N, C, K]`; each draw adds up to 1, and their mean is within .001 of the answer, in rare cases within .02.
    """
    moved = np.clip(draws_N_C_K, LEAST, 1.0).astype(np.float32)
    wanted_N_C = np.clip(probs_N_C, LEAST, 1.0).astype(np.float32)
    left = np.arange(len(moved))
    for _ in range(_ROUNDS):
        some = moved[left]
        some *= (wanted_N_C[left] / some.mean(axis=2))[..., None]
        some /= some.sum(axis=1, keepdims=True)
        moved[left] = some
        left = left[np.abs(some.mean(axis=2) - wanted_N_C[left]).max(axis=1) > _CLOSE]
        if not len(left):
            break
    return moved
