"""Two rules that ask in turn: what covers the pool, and what the answer is least sure of."""

from __future__ import annotations

import numpy as np

from loops.predictors.predictor import Floats, Ids, Questions


def in_turn(covering: Questions, sample_ids: Ids, probs_N_C: Floats, size: int, *, doubt_first: bool) -> Questions:
    """Takes one question of each rule after the other, each sample once.

    Args:
        covering: What is asked to cover the pool, best first.
        sample_ids: All that may be asked, `[N]`.
        probs_N_C: What is answered for them.
        size: How many questions, at most.
        doubt_first: Whether the first question is of doubt: that where the two likeliest classes are closest.

    Returns:
        The questions; the score of one of doubt is 1 minus the margin.
    """
    doubt_N = 1.0 - margins(probs_N_C)
    doubtful = _highest(doubt_N, size)
    by_doubt = zip(sample_ids[doubtful].tolist(), doubt_N[doubtful].tolist(), strict=True)
    by_cover = zip(covering.sample_ids.tolist(), covering.scores.tolist(), strict=True)
    score_of: dict[int, float] = {}
    for pair in zip(by_doubt, by_cover, strict=False):
        for sample_id, score in pair if doubt_first else reversed(pair):
            score_of.setdefault(sample_id, score)
    asked = list(score_of.items())[:size]
    return Questions(np.array([i for i, _ in asked], np.int64), np.array([score for _, score in asked], np.float32))


def _highest(doubt_N: Floats, size: int) -> Ids:
    """The places of the highest, highest first, of equals the first; without ordering the whole of a large pool."""
    if len(doubt_N) <= size:
        return np.argsort(-doubt_N, kind="stable")
    least = np.partition(doubt_N, len(doubt_N) - size)[len(doubt_N) - size]
    high = np.flatnonzero(doubt_N >= least)
    return high[np.argsort(-doubt_N[high], kind="stable")][:size]


def margins(probs_N_C: Floats) -> Floats:
    """How far the likeliest class is ahead of the second, `[N]`; of a single class 1."""
    if probs_N_C.shape[1] < 2:
        return np.ones(len(probs_N_C), np.float32)
    if probs_N_C.shape[1] == 2:
        return np.abs(probs_N_C[:, 0] - probs_N_C[:, 1])
    two_N = np.partition(probs_N_C, -2, axis=1)[:, -2:]
    return np.asarray(two_N[:, 1] - two_N[:, 0], np.float32)
