"""What is believed of a predictor's errors: its own doubt, recalibrated by the audit labels so far.

A belief decides where samples are drawn and what is staked on them; a wrong one costs labels, never validity.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SHIFTS = np.linspace(-1.5, 3.5, 11)  # a in logit(p) = a + b logit(doubt): networks are surer than they are right
_SLOPES = np.array([0.35, 0.6, 0.85, 1.1])  # b
_SLOPE_PRIOR = np.array([0.2, 0.3, 0.35, 0.15])
_SHIFT_MEAN, _SHIFT_WIDTH = 0.3, 1.0
_LEAST, _MOST = 1e-4, 0.95
OLD_WEIGHT = 0.5  # of an audit label given before the candidate: its sample was no draw from this pool


class Belief:
    """Probability of being wrong, by bin, as a mean over recalibrations of the doubt (Platt 1999) and their posterior.

    Args:
        doubt_B: What the predictor itself says, of B bins: 1 - the probability of its answer.
    """

    def __init__(self, doubt_B: Floats) -> None:
        logit_B = _logit(np.clip(doubt_B, _LEAST, _MOST))
        lines_G_B = (_SHIFTS[:, None, None] + _SLOPES[None, :, None] * logit_B).reshape(-1, len(doubt_B))
        self._wrong_G_B = np.clip(1.0 / (1.0 + np.exp(-lines_G_B)), _LEAST, _MOST)
        shift_prior = -0.5 * ((_SHIFTS - _SHIFT_MEAN) / _SHIFT_WIDTH) ** 2
        self._log_posterior_G = (shift_prior[:, None] + np.log(_SLOPE_PRIOR)).ravel()

    def see(self, bins: Sequence[int] | NDArray[np.int64], wrong: Sequence[bool], weight: float = 1.0) -> None:
        """Takes labels: of samples of these bins, these were wrong."""
        for place, is_wrong in zip(bins, wrong, strict=True):
            wrong_G = self._wrong_G_B[:, place]
            self._log_posterior_G = self._log_posterior_G + weight * np.log(wrong_G if is_wrong else 1.0 - wrong_G)

    def wrong_B(self) -> Floats:
        """The mean over the posterior."""
        weight_G = np.exp(self._log_posterior_G - self._log_posterior_G.max())
        mean_B: Floats = weight_G @ self._wrong_G_B / weight_G.sum()
        return mean_B


def _logit(share_B: Floats) -> Floats:
    logit_B: Floats = np.log(share_B) - np.log1p(-share_B)
    return logit_B
