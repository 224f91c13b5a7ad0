"""What a person might give for an acquisition function: in place of a module of one's own."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from loops.frozen import heuristics

number = 3
bald_object = heuristics.BALD()
batch_of_three = partial(heuristics.BatchBALD, 3)
entropy_class = heuristics.Entropy


def highest_first_class(probs_N_C_K: NDArray[np.float32]) -> NDArray[np.float32]:
    """Asks where the first class is likeliest."""
    assert probs_N_C_K.dtype == np.float32
    found: NDArray[np.float32] = probs_N_C_K[:, 0].mean(-1)
    return found


def as_a_list(probs_N_C_K: NDArray[np.float32]) -> list[float]:
    """The same as plain numbers."""
    return [float(score) for score in highest_first_class(probs_N_C_K)]


def one_for_all(_probs_N_C_K: NDArray[np.float32]) -> float:
    """A single score."""
    return 0.5


def no_numbers(probs_N_C_K: NDArray[np.float32]) -> list[str]:
    """Words."""
    return ["much"] * len(probs_N_C_K)


def not_finite(probs_N_C_K: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of a logarithm of nothing."""
    return np.full(len(probs_N_C_K), np.nan, np.float32)


def failing(_probs_N_C_K: NDArray[np.float32]) -> NDArray[np.float32]:
    """Raises."""
    raise KeyError("no such class")
