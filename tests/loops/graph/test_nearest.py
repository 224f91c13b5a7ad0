from __future__ import annotations

import numpy as np
import pytest

from loops.graph import nearest as module
from loops.graph.nearest import nearest

LINE = np.array([[0.0], [1.0], [3.0], [7.0]], np.float32)


def test_neighbors_come_nearest_first_with_squared_distances() -> None:
    found = nearest(np.array([[2.9]], np.float32), LINE, 3)
    assert found.positions_Q_k.tolist() == [[2, 1, 0]]
    assert found.squares_Q_k[0] == pytest.approx([0.01, 3.61, 8.41], abs=1e-5)


def test_a_point_finds_itself_first() -> None:
    assert nearest(LINE, LINE, 1).positions_Q_k[:, 0].tolist() == [0, 1, 2, 3]


def test_more_neighbors_than_points_are_all_of_them() -> None:
    assert nearest(LINE, LINE, 9).positions_Q_k.shape == (4, 4)


def test_no_queries_find_nothing() -> None:
    assert nearest(np.empty((0, 1), np.float32), LINE, 2).positions_Q_k.shape == (0, 2)


def test_the_size_of_the_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = nearest(LINE, LINE, 2)
    monkeypatch.setattr(module, "_PRODUCTS_HELD", 4)  # one query at a time
    assert (nearest(LINE, LINE, 2).positions_Q_k == whole.positions_Q_k).all()


def test_among_many_points_the_nearest_are_found_wherever_they_stand_in_the_list() -> None:
    places = np.random.default_rng(0).permutation(1_005)  # no whole number of stripes
    found = nearest(np.array([[500.2], [1_003.6]], np.float32), places[:, None].astype(np.float32), 3)
    assert places[found.positions_Q_k].tolist() == [[500, 501, 499], [1_004, 1_003, 1_002]]
