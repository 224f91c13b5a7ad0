"""PowerBALD: samples drawn in proportion to their BALD, one after the other, with the probability of each draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from loops.acquisition.near_duplicates import Ids, NearDuplicates
from loops.seeding import hash_of_ids

LEAST = 1e-6  # of the largest weight: everything can be drawn, or no weighting of the draws could undo them


def power_draws(
    sample_ids: Ids, bald_N: NDArray[np.floating[Any]], k: int, *, seed: int, duplicates: NearDuplicates
) -> tuple[Ids, NDArray[np.float64]]:
    """Draws without return, each sample with a probability in proportion to its BALD.

    Kirsch et al. 2021, arXiv:2106.12059, with the power 1. The draws are a race of exponential clocks, one per sample,
    set by a seeded hash of its id (Efraimidis and Spirakis 2006), so the order of the pool does not matter. What looks
    nearly like a sample that was drawn leaves the pool with it.

    Args:
        sample_ids: `[N]`.
        bald_N: At least 0.
        k: How many to draw; more than N: all.
        seed: Of the clocks.
        duplicates: Of the pool.

    Returns:
        `[k]` ids in the order of the draws, and of each the probability of its draw: its weight over the weights of all
        that could still be drawn. Near duplicates that fill up a ranking at its end have probability 1.
    """
    weights_N = np.maximum(np.asarray(bald_N, np.float64), LEAST * max(float(bald_N.max(initial=0.0)), 1e-30))
    order = np.argsort(clocks(sample_ids, seed) / weights_N, kind="stable")
    ranked = duplicates.apart(sample_ids[order], k)
    return ranked, _probabilities(sample_ids, weights_N, ranked, duplicates)


def clocks(sample_ids: Ids, seed: int) -> NDArray[np.float64]:
    """Exponential random numbers of mean 1 that follow from id and seed alone, `[N]`."""
    uniform_N = ((hash_of_ids(sample_ids, seed) >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    clocks_N: NDArray[np.float64] = -np.log(uniform_N)
    return clocks_N


def _probabilities(
    sample_ids: Ids, weights_N: NDArray[np.float64], ranked: Ids, duplicates: NearDuplicates
) -> NDArray[np.float64]:
    first_N = duplicates.first_near(sample_ids, ranked)  # the draw with which each leaves the pool
    left_k = weights_N.sum() - np.cumsum(np.bincount(first_N, weights_N, len(ranked) + 1))[:-1]
    own_k = weights_N[_positions(sample_ids, ranked)]
    before_k = np.concatenate([[weights_N.sum()], left_k[:-1]])
    is_drawn = first_N[_positions(sample_ids, ranked)] == np.arange(len(ranked))
    return np.where(is_drawn, np.minimum(1.0, own_k / np.maximum(before_k, own_k)), 1.0)


def _positions(sample_ids: Ids, wanted: Ids) -> NDArray[np.int64]:
    order = np.argsort(sample_ids, kind="stable")
    positions: NDArray[np.int64] = order[np.searchsorted(sample_ids, wanted, sorter=order)]
    return positions
