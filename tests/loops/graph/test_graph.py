"""Two islands of points on a line: whatever is asked of the graph, they are two."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from loops.graph import graph as module
from loops.graph.graph import build_graph, choose_landmarks, connect, smoothest
from loops.graph.nearest import Nearest, nearest

ISLANDS = np.array([*range(20), *range(1000, 1020)], np.float32)[:, None]


def test_two_samples_at_the_distance_of_their_scales_are_connected_by_one_over_e() -> None:
    pair = Nearest(np.array([[0.0, 4.0], [0.0, 4.0]], np.float32), np.array([[0, 1], [1, 0]]))
    assert connect(pair).toarray() == pytest.approx(np.array([[0, np.exp(-1)], [np.exp(-1), 0]]), abs=1e-5)


def test_edges_are_symmetric_and_nobody_is_its_own_neighbor() -> None:
    adjacency = connect(nearest(ISLANDS, ISLANDS, 4)).toarray()
    assert (adjacency == adjacency.T).all()
    assert (np.diag(adjacency) == 0).all()


def test_copies_of_one_point_are_connected_and_finite() -> None:
    same = np.zeros((12, 2), np.float32)
    assert np.isfinite(build_graph(same, 0).vectors_L_M).all()


def test_a_triangle_has_the_eigenvalues_1_and_minus_one_half() -> None:
    triangle = sp.csr_matrix(np.ones((3, 3)) - np.eye(3))
    values, _ = smoothest(triangle, 3, 0)
    assert values == pytest.approx([1.0, -0.5, -0.5], abs=1e-6)


def test_as_many_eigenvalues_are_1_as_there_are_islands() -> None:
    values = build_graph(ISLANDS, 0).eigenvalues_M
    assert values[:2] == pytest.approx([1.0, 1.0], abs=1e-5)
    assert values[2] < 0.999


def test_a_sparse_solver_finds_what_the_dense_one_finds() -> None:
    points = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
    adjacency = connect(nearest(points, points, 11))
    roots = 1 / np.sqrt(np.asarray(adjacency.sum(1)).ravel())
    dense = np.linalg.eigvalsh(roots[:, None] * adjacency.toarray() * roots)[::-1][:5]
    assert smoothest(adjacency, 5, 0)[0] == pytest.approx(dense, abs=1e-3)


def test_a_new_sample_has_the_coordinates_of_its_neighbors() -> None:
    graph = build_graph(ISLANDS, 0)
    new = graph.coordinates(np.array([[10.2]], np.float32))[0]
    here, there = graph.vectors_L_M[10], graph.vectors_L_M[30]
    assert np.linalg.norm(new[:2] - here[:2]) < np.linalg.norm(new[:2] - there[:2])


def test_the_same_points_give_the_same_graph() -> None:
    first, again = build_graph(ISLANDS, 3), build_graph(ISLANDS, 3)
    assert (first.vectors_L_M == again.vectors_L_M).all()


def test_landmarks_are_all_samples_or_as_many_as_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = np.array([5, 3, 9, 7])
    assert choose_landmarks(ids, 0).tolist() == [3, 5, 7, 9]
    monkeypatch.setattr(module, "LANDMARKS", 2)
    drawn = choose_landmarks(ids, 0)
    assert len(drawn) == 2
    assert (drawn == choose_landmarks(ids[::-1], 0)).all(), "drawn by id, not by position"


@pytest.mark.parametrize("stopped_at", [1, 2, 20])
def test_a_graph_can_be_stopped_while_neighbors_are_found_and_while_it_is_solved(stopped_at: int) -> None:
    left = [stopped_at]

    def check() -> None:
        left[0] -= 1
        if not left[0]:
            raise InterruptedError

    points = np.random.default_rng(0).normal(size=(600, 3)).astype(np.float32)
    with pytest.raises(InterruptedError):
        build_graph(points, 0, check)


def test_each_landmarks_neighbors_are_kept_nearest_first() -> None:
    assert build_graph(ISLANDS, 0).neighbors_L_k[0, :3].tolist() == [1, 2, 3]
