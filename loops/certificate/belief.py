"""What is believed of a predictor's errors: how many, and how much more often where it doubts most.

A belief decides where samples are drawn and what is staked on them; a wrong one costs labels, never validity. It goes
by the rank of a predictor's doubt alone: probabilities that are too sure, or far too unsure as those of a graph, rank
samples as well as others do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# At rank u, 0 where the doubt is greatest, `share * (k exp(-k u) / (1 - exp(-k)))` of the samples are wrong, but for a
# part of the errors that doubt knows nothing of.
_SHARES = np.geomspace(0.002, 0.6, 30)  # of the pool that is wrong
_STEEPNESS = np.array([1.0, 5.0, 10.0, 18.0, 30.0])  # k; in recorded runs the most doubtful fifth held 9 errors of 10
_STEEPNESS_PRIOR = np.array([0.05, 0.15, 0.3, 0.3, 0.2])
_EVERYWHERE = 0.08  # of the errors
_LEAST, _MOST = 2e-4, 0.9
OLD_WEIGHT = 0.5  # of a label given before the candidate: its sample was no draw from this pool


class Belief:
    """Probability of being wrong, by bin: a mean over shares and steepnesses, weighed by the labels seen.

    Args:
        rank_B: Mean rank of the doubt, of B bins: 0 where it is greatest, 1 where it is least.
    """

    def __init__(self, rank_B: Floats) -> None:
        k = _STEEPNESS[None, :, None]
        shape_S_B = _EVERYWHERE + (1.0 - _EVERYWHERE) * k * np.exp(-k * rank_B) / (1.0 - np.exp(-k))
        self._wrong_G_B = np.clip(_SHARES[:, None, None] * shape_S_B, _LEAST, _MOST).reshape(-1, len(rank_B))
        self._log_posterior_G = np.tile(np.log(_STEEPNESS_PRIOR), len(_SHARES))

    def see(self, bins: Sequence[int] | NDArray[np.int64], wrong: Sequence[bool], weight: float = 1.0) -> None:
        """Takes labels: of samples of these bins, these were wrong."""
        for place, is_wrong in zip(bins, wrong, strict=True):
            wrong_G = self._wrong_G_B[:, place]
            self._log_posterior_G = self._log_posterior_G + weight * np.log(wrong_G if is_wrong else 1.0 - wrong_G)

    def wrong(self) -> Floats:
        """`[B]`, the mean over the posterior."""
        weight_G = self._weights()
        mean_B: Floats = weight_G @ self._wrong_G_B / weight_G.sum()
        return mean_B

    def wrong_if(self, most_K: Floats, counts_B: Floats) -> Floats:
        """`[K, B]`, the same if at most so many are wrong: stakes pay only where few are, so it is staked as if so.

        Args:
            most_K: Errors.
            counts_B: Samples left in each bin.
        """
        total_G = self._wrong_G_B @ counts_B
        few_K_G = total_G <= np.maximum(most_K, total_G.min())[:, None]
        log_K_G = np.where(few_K_G, self._log_posterior_G, -np.inf)
        weight_K_G = np.exp(log_K_G - log_K_G.max(axis=1, keepdims=True))
        mean_K_B: Floats = weight_K_G @ self._wrong_G_B / weight_K_G.sum(axis=1, keepdims=True)
        return mean_K_B

    def chance(self, most: float, counts_B: Floats) -> float:
        """That at most so many are wrong."""
        weight_G = self._weights()
        return float(weight_G[self._wrong_G_B @ counts_B <= most].sum() / weight_G.sum())

    def _weights(self) -> Floats:
        weight_G: Floats = np.exp(self._log_posterior_G - self._log_posterior_G.max())
        return weight_G
