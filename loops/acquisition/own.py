"""Acquisition functions that are not ours: anybody's function of the draws, and BaaL's heuristics as they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loops.errors import OwnCodeError
from loops.frozen import heuristic_of

Scorer = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # probs_N_C_K -> scores_N, higher is asked first


def scorer_of(found: Any, name: str) -> Scorer:  # noqa: ANN401 - whatever stands at that place
    """Makes a scorer of what a person named.

    Args:
        found: A function from `probs_N_C_K` (float32) to `scores_N`, or a BaaL heuristic: an object, a class or a
            `functools.partial` of one.
        name: For the messages.

    Raises:
        OwnCodeError: If it can be neither.
    """
    try:
        heuristic = heuristic_of(found)
    except TypeError as error:
        raise OwnCodeError(name, f"a heuristic that must be given something is named as a partial: {error}") from error
    if heuristic is not None:
        return lambda probs_N_C_K: _called(partial(scores_of_heuristic, heuristic), probs_N_C_K, name)
    if not callable(found):
        raise OwnCodeError(name, f"wanted a function or a BaaL heuristic, found {type(found).__name__}")
    return lambda probs_N_C_K: _checked(_called(found, probs_N_C_K, name), len(probs_N_C_K), name)


def scores_of_heuristic(heuristic: Any, probs_N_C_K: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: ANN401
    """BaaL's scores, turned so that higher is asked first; where its order is not by score, the order as scores.

    BaaL hides the direction in `reversed`, and BatchBALD or a combination of heuristics orders by more than a score. So
    its own ranking decides, and its scores are kept where they say the same.

    Args:
        heuristic: An `AbstractHeuristic`.
        probs_N_C_K: Class probabilities of K draws.

    Returns:
        `scores_N`; samples that the heuristic leaves out of its ranking come last.
    """
    ranked, found = heuristic.get_ranks(probs_N_C_K)
    places = np.full(len(probs_N_C_K), len(probs_N_C_K), np.int64)
    places[np.asarray(ranked, np.int64)] = np.arange(len(ranked))
    scores = np.asarray(found, np.float32)
    if scores.shape == places.shape and np.isfinite(scores).all():
        turned = scores if heuristic.reversed else -scores
        if (np.diff(turned[np.argsort(places, kind="stable")]) <= 0).all():
            return turned
    return (1.0 - places / max(1, len(places))).astype(np.float32)


def _called(function: Callable[[NDArray[np.float32]], Any], probs_N_C_K: NDArray[np.float32], name: str) -> Any:  # noqa: ANN401
    try:
        return function(probs_N_C_K)
    except Exception as error:  # somebody's code may raise anything
        raise OwnCodeError(name, f"it failed: {type(error).__name__}: {error}") from error


def _checked(found: Any, samples: int, name: str) -> NDArray[np.float32]:  # noqa: ANN401
    try:
        scores_N = np.asarray(found, np.float32)
    except (TypeError, ValueError) as error:
        raise OwnCodeError(name, f"it must return numbers, one for each sample: {error}") from error
    if scores_N.shape != (samples,):
        shape = " x ".join(map(str, scores_N.shape)) or "a single one"
        raise OwnCodeError(name, f"it must return one score for each of {samples} samples, found {shape}")
    if not np.isfinite(scores_N).all():
        raise OwnCodeError(name, f"{int((~np.isfinite(scores_N)).sum())} of {samples} scores are not finite numbers")
    return scores_N
