"""The graph of neighbors: where each sample lies on it, in few coordinates that no label had a part in.

Samples that are connected by many short ways have nearly the same coordinates, however far apart their pixels are.
The graph is built once, of landmarks; every other sample hangs on its nearest landmarks, so a million samples cost what
their products with the landmarks cost. See docs/decisions/0009-graph.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from loops.graph.eigenvectors import largest_eigenpairs
from loops.graph.nearest import Nearest, nearest
from loops.seeding import hash_of_ids, seed_of

NEIGHBORS = 10  # of a landmark, to which it is connected
COORDINATES = 64  # eigenvectors; with fewer labels than that, more only cost time
LANDMARKS = 60_000  # samples; fewer make a graph too thin for its clusters to hold together
SCALE_NEIGHBOR = 7  # whose distance is a sample's own scale (Zelnik-Manor and Perona 2004, Self-tuning clustering)
_FEWEST_PER_COORDINATE = 4  # landmarks
_FEWEST_COORDINATES = 8  # of a graph with so many landmarks


@dataclass(frozen=True)
class Graph:
    """Landmarks, and the first eigenvectors of the random walk among them."""

    points_L_D: NDArray[np.float32]
    eigenvalues_M: NDArray[np.float32]  # of the normalized adjacency, falling, the first is 1
    vectors_L_M: NDArray[np.float32]
    neighbors_L_k: NDArray[np.int32] = field(default_factory=lambda: np.empty((0, 0), np.int32))  # nearest first

    def coordinates(self, points_N_D: NDArray[np.float32]) -> NDArray[np.float32]:
        """Coordinates of any samples, as the weighted mean of their nearest landmarks' ones: `[N, M]`."""
        return self.mean_of(nearest(points_N_D, self.points_L_D, NEIGHBORS))

    def mean_of(self, found: Nearest) -> NDArray[np.float32]:
        """The weighted mean of landmarks' coordinates, the nearest counting most: `[N, M]`."""
        weights = _closeness_to_landmarks(found)
        mean = np.zeros((len(weights), self.vectors_L_M.shape[1]), np.float32)
        for neighbor in range(weights.shape[1]):
            mean += weights[:, [neighbor]] * self.vectors_L_M[found.positions_Q_k[:, neighbor]]
        return mean


def choose_landmarks(sample_ids: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """The samples that the graph is built of: all of them, or as many as `LANDMARKS` drawn by their ids, ascending."""
    ids = np.sort(np.asarray(sample_ids, np.int64))
    drawn = np.argsort(hash_of_ids(ids, seed_of(seed, "landmarks")))[:LANDMARKS]
    return ids[np.sort(drawn)]


def build_graph(points_L_D: NDArray[np.float32], seed: int, check: Callable[[], None] = lambda: None) -> Graph:
    """Connects each landmark to its nearest and finds the smoothest functions on the graph.

    Args:
        points_L_D: An embedding of the landmarks, in which neighbors tend to be of one class.
        seed: Of the first guess of the eigenvectors.
        check: Called every tenth of a second or so, for 60,000 landmarks take a minute; may raise.
    """
    points = np.asarray(points_L_D, np.float32)
    found = nearest(points, points, NEIGHBORS + 1, check)
    count = min(COORDINATES, max(len(points) // _FEWEST_PER_COORDINATE, _FEWEST_COORDINATES))
    eigenvalues, vectors = smoothest(connect(found), count, seed, check)
    return Graph(points, eigenvalues, vectors, found.positions_Q_k[:, 1:].astype(np.int32))


def connect(found: Nearest) -> sp.csr_matrix:
    """Weights between each point and its nearest others: `exp(-d^2 / (s_i s_j))`, made symmetric.

    Args:
        found: Of each point among all; the first found is taken for the point itself.
    """
    squares, others = found.squares_Q_k[:, 1:], found.positions_Q_k[:, 1:]
    n, k = squares.shape
    scale = np.sqrt(squares[:, min(SCALE_NEIGHBOR, k - 1)]) if k else np.zeros(n)
    scale = np.maximum(scale, 1e-6 * max(float(scale.max(initial=0.0)), 1e-12))  # copies lie at distance 0
    weights = np.exp(-squares / (scale[:, None] * scale[others])) + 1e-6  # a far neighbor is still a neighbor
    directed = sp.csr_matrix((weights.ravel(), (np.repeat(np.arange(n), k), others.ravel())), (n, n))
    return ((directed + directed.T) / 2).tocsr()


def smoothest(
    adjacency: sp.csr_matrix, count: int, seed: int, check: Callable[[], None] = lambda: None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The eigenvectors of `D^-1/2 W D^-1/2` with the largest eigenvalues, largest first.

    Args:
        adjacency: W, symmetric, `[L, L]`.
        count: How many; at least one is given.
        seed: Of the first guess.
        check: Called before each of the solver's products; may raise.

    Returns:
        `eigenvalues_M` and `vectors_L_M`. Each vector's largest entry is positive, so that a rebuild gives the same.
    """
    roots = 1.0 / np.sqrt(np.maximum(np.asarray(adjacency.sum(axis=1)).ravel(), 1e-12))
    normalized = sp.diags(roots) @ adjacency @ sp.diags(roots)
    n, count = adjacency.shape[0], max(1, count)
    if n <= 4 * count:
        values, vectors = np.linalg.eigh(normalized.toarray())
    else:
        values, vectors = largest_eigenpairs(normalized.tocsr(), count, seed, check)
    order = np.argsort(-values, kind="stable")[:count]  # all there are, if there are fewer
    values, vectors = values[order], vectors[:, order]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(order))])
    return values.astype(np.float32), (vectors * signs).astype(np.float32)


def _closeness_to_landmarks(found: Nearest) -> NDArray[np.float32]:
    scale = found.squares_Q_k[:, [min(SCALE_NEIGHBOR, found.squares_Q_k.shape[1] - 1)]]
    weights = np.exp(-found.squares_Q_k / np.maximum(scale, 1e-12))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
