"""BADGE: samples whose labels would pull the last layer far, and in different directions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from loops.acquisition.near_duplicates import Floats, Ids
from loops.acquisition.power_bald import LEAST, clocks
from loops.seeding import seed_of


def gradient_norms(features_N_D: Floats, probs_N_C: Floats) -> NDArray[np.float64]:
    """Length of each gradient embedding, `[N]`: long where the model is unsure of strong features."""
    squares_N = _squares(features_N_D) * _squares(_residuals(probs_N_C))
    norms_N: NDArray[np.float64] = np.sqrt(squares_N)
    return norms_N


def badge_draws(
    sample_ids: Ids,
    features_N_D: Floats,
    probs_N_C: Floats,
    k: int,
    *,
    seed: int,
    not_with: Callable[[int], NDArray[np.bool_]],
) -> tuple[list[int], list[float]]:
    """Draws by k-means++ on gradient embeddings: each in proportion to its squared distance from those drawn before.

    Ash et al. 2020, arXiv:1906.03671. The gradient of the loss by the last layer, were the likeliest class the true
    one: `(p - onehot(argmax p)) x features`. The products of two such matrices factor, so none is ever written out.
    Other than there, the origin counts as drawn: a sample without gradient would teach nothing.

    Args:
        sample_ids: `[N]`; seed and id decide, not the order.
        features_N_D: What the last layer sees.
        probs_N_C: The model's answer.
        k: How many; more than N: all.
        seed: Of the draws.
        not_with: Position -> `[N]`, true for what must not be drawn with it.

    Returns:
        Positions in the order of the draws (fewer than `k` when `not_with` leaves no more), and the probability of each
        draw.
    """
    residuals_N_C = _residuals(probs_N_C)
    squares_N = _squares(features_N_D) * _squares(residuals_N_C)
    least = LEAST * max(float(squares_N.max(initial=0.0)), 1e-30)
    distances_N, open_N = squares_N.copy(), np.ones(len(sample_ids), np.bool_)
    positions: list[int] = []
    probabilities: list[float] = []
    while len(positions) < k and open_N.any():
        weights_N = np.where(open_N, np.maximum(distances_N, least), 0.0)
        with np.errstate(divide="ignore"):
            drawn = int(np.argmin(clocks(sample_ids, seed_of(seed, len(positions))) / weights_N))
        positions.append(drawn)
        probabilities.append(float(weights_N[drawn] / weights_N.sum()))
        products_N = (residuals_N_C @ residuals_N_C[drawn]) * (features_N_D @ features_N_D[drawn])
        distances_N = np.minimum(distances_N, np.maximum(squares_N + squares_N[drawn] - 2 * products_N, 0.0))
        open_N &= ~not_with(drawn)
        open_N[drawn] = False
    return positions, probabilities


def _residuals(probs_N_C: Floats) -> Floats:
    residuals_N_C = probs_N_C.copy()
    residuals_N_C[np.arange(len(probs_N_C)), probs_N_C.argmax(1)] -= 1.0
    return residuals_N_C


def _squares(rows_N_D: Floats) -> NDArray[np.float64]:
    squares_N: NDArray[np.float64] = np.einsum("nd,nd->n", rows_N_D, rows_N_D).astype(np.float64)
    return squares_N
