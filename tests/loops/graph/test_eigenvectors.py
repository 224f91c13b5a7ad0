from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from loops.graph.eigenvectors import TOLERANCE, largest_eigenpairs
from loops.graph.graph import connect
from loops.graph.nearest import nearest


def ring(n: int) -> sp.csr_matrix:
    """Half a step to either side: its eigenvalues are the cosines of the multiples of a full turn / n."""
    half = np.full(n, 0.5)
    places = np.arange(n)
    one_way = sp.csr_matrix((half, (places, (places + 1) % n)), (n, n))
    return (one_way + one_way.T).tocsr()


def test_of_a_ring_they_are_cosines_and_each_but_the_first_comes_twice() -> None:
    values, vectors = largest_eigenpairs(ring(400), 5, 0)
    turns = 2 * np.pi * np.array([0, 1, 1, 2, 2]) / 400
    assert values == pytest.approx(np.cos(turns), abs=1e-9)
    assert vectors.T @ vectors == pytest.approx(np.eye(5), abs=1e-6)
    assert np.abs(vectors[:, 0]) == pytest.approx(np.full(400, 1 / 20), abs=1e-3)


def test_their_residuals_are_small_also_where_they_lie_close_together() -> None:
    points = np.random.default_rng(0).normal(size=(3000, 2)).astype(np.float32)
    adjacency = connect(nearest(points, points, 11))
    roots = sp.diags(1 / np.sqrt(np.asarray(adjacency.sum(1)).ravel()))
    matrix = (roots @ adjacency @ roots).tocsr()
    values, vectors = largest_eigenpairs(matrix, 64, 0)
    assert np.linalg.norm(matrix @ vectors - vectors * values, axis=0).max() <= TOLERANCE
    assert values == pytest.approx(np.linalg.eigvalsh(matrix.toarray())[::-1][:64], abs=1e-8)
    assert (np.diff(values) <= 0).all()


def test_more_islands_than_are_asked_for_have_the_eigenvalue_1() -> None:
    triangle = (np.ones((3, 3)) - np.eye(3)) / 2
    values, vectors = largest_eigenpairs(sp.block_diag([triangle] * 100, format="csr"), 8, 0)
    assert values == pytest.approx(np.ones(8), abs=1e-6)
    assert vectors.T @ vectors == pytest.approx(np.eye(8), abs=1e-6)


def test_it_can_be_stopped_before_each_product() -> None:
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 10:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        largest_eigenpairs(ring(400), 5, 0, check)
    assert calls == 10


def test_the_same_seed_gives_the_same_vectors() -> None:
    first, again = (largest_eigenpairs(ring(400), 5, 3)[1] for _ in range(2))
    assert (first == again).all()
