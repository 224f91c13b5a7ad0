"""How clearly a pool falls into groups on a graph: by which two embeddings are compared before there are labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from loops.propagation import Propagation
from loops.seeding import hash_of_ids, seed_of

GROUPS = (10, 20, 30)  # into which the pool is parted; the mean over them counts
_COUNTED = 16_384  # samples, drawn
_DRAWS = 3  # of them: from draw to draw it differs by a hundredth


def doubt_between_groups(
    coordinates_N_M: NDArray[np.float32],
    eigenvalues_M: NDArray[np.float32],
    *,
    seed: int,
    check: Callable[[], None] = lambda: None,
) -> float:
    """How undecided samples are between the first questions, each of them taken for a group of its own.

    No label is needed, and no encoder was trained for it: pairs that find one another again, which is all that training
    asks for, may well fill the space evenly. Such features have been seen to be worse than pixels, and this tells.

    Args:
        coordinates_N_M: Of each sample of the pool.
        eigenvalues_M: Of the graph.
        seed: Of the samples that are counted.
        check: Called every tenth of a second or so; may raise.

    Returns:
        0 (each sample belongs to one group) .. 1 (none does).
    """
    doubts = []
    for draw in range(_DRAWS if len(coordinates_N_M) > _COUNTED else 1):
        drawn = np.argsort(hash_of_ids(np.arange(len(coordinates_N_M)), seed_of(seed, "counted", draw)))[:_COUNTED]
        some = coordinates_N_M[np.sort(drawn)]
        doubts += [_doubt(some, eigenvalues_M, min(groups, len(some)), seed, check) for groups in GROUPS]
    return float(np.mean(doubts))


def _doubt(
    coordinates: NDArray[np.float32],
    eigenvalues: NDArray[np.float32],
    groups: int,
    seed: int,
    check: Callable[[], None],
) -> float:
    propagation = Propagation(coordinates, eigenvalues, num_classes=groups, seed=seed)
    group_of: dict[int, int] = {}
    for group in range(groups):
        check()
        scores = propagation.scores()
        scores[list(group_of)] = -1.0
        group_of[int(scores.argmax())] = group
        propagation.refit(group_of)
    return float(propagation.doubt_N.mean())
