"""How clearly a pool falls into groups on a graph: by which two embeddings are compared before there are labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from loops.graph.propagation import Propagation
from loops.seeding import hash_of_ids, seed_of

FEWEST_GROUPS, MOST_GROUPS = 10, 30  # into which the pool is parted; the mean over all numbers between counts
DRAWS = 12  # of samples: another draw begins with another question, and differs by a hundredth
_COUNTED = 16_384  # samples of a draw, at most; and no more than half of the pool


def doubts_between_groups(
    coordinates_N_M: NDArray[np.float32],
    eigenvalues_M: NDArray[np.float32],
    *,
    seed: int,
    check: Callable[[], None] = lambda: None,
) -> NDArray[np.float64]:
    """How undecided samples are between the first questions, each of them taken for a group of its own.

    No label is needed, and no encoder was trained for it: pairs that find one another again, which is all that training
    asks for, may well fill the space evenly. Such features have been seen to be worse than pixels, and this tells.

    Args:
        coordinates_N_M: Of each sample of the pool.
        eigenvalues_M: Of the graph.
        seed: Of the draws: the same samples of two graphs of one pool.
        check: Called every tenth of a second or so; may raise.

    Returns:
        Of each draw, 0 (each sample belongs to one group) .. 1 (none does).
    """
    n = len(coordinates_N_M)
    size = min(_COUNTED, -(-n // 2))
    doubts = []
    for draw in range(DRAWS):
        drawn = np.argsort(hash_of_ids(np.arange(n), seed_of(seed, "groups", draw)))[:size]
        doubts.append(_doubt(coordinates_N_M[np.sort(drawn)], eigenvalues_M, seed, check))
    return np.array(doubts)


def _doubt(
    coordinates: NDArray[np.float32], eigenvalues: NDArray[np.float32], seed: int, check: Callable[[], None]
) -> float:
    propagation = Propagation(coordinates, eigenvalues, num_classes=MOST_GROUPS, seed=seed)
    group_of: dict[int, int] = {}
    doubts = []
    for group in range(min(MOST_GROUPS, len(coordinates))):
        check()
        scores = propagation.scores()
        scores[list(group_of)] = -1.0
        group_of[int(scores.argmax())] = group
        propagation.refit(group_of)
        doubts.append(float(propagation.doubt_N.mean()))
    return float(np.mean(doubts[FEWEST_GROUPS - 1 :] or doubts[-1:]))
