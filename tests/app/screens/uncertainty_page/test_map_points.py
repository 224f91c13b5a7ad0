"""The points of the map, as they are packed for the browser and as a lasso comes back."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from app.project.pool_map import PoolMap
from app.project.scores import BALD, PREDICTIVE_ENTROPY, RoundScores
from app.screens.shared.pool_view import PoolView
from app.screens.uncertainty_page.map_points import chosen_ids, in_order, label_codes, pack_points

SCORES = RoundScores(
    sample_ids=np.array([7, 5, 9]),
    measures={BALD: np.array([0.5, 0.25, 0.1]), PREDICTIVE_ENTROPY: np.array([0.6, 0.3, 0.2])},
    predicted_N=np.array([1, 0, 1]),
    confidence_N=np.array([0.9, 0.5, 1.0]),
)
PLACED = PoolMap(np.array([3, 5, 7]), np.array([[0.0, 0.0], [4.0, 1.0], [2.0, 2.0]]))  # 9 has no place, 3 no score


def test_scored_samples_come_first_the_most_doubted_last_and_places_fit_into_one_square():
    points = pack_points(SCORES, PLACED)
    assert points.sample_ids.tolist() == [5, 7, 3]
    assert points.scored == 2
    packed = base64.b64decode(points.packed)
    assert np.frombuffer(packed, "<i4", 3).tolist() == [5, 7, 3]
    assert np.frombuffer(packed, "<f4", 6, 12).reshape(3, 2).tolist() == [[1.0, 0.0], [0.0, 0.5], [-1.0, -0.5]]
    assert np.frombuffer(packed, "<f4", 4, 36).tolist() == pytest.approx([0.25, 0.5, 0.3, 0.6])
    assert np.frombuffer(packed, "<u2", 2, 52).tolist() == [0, 1]
    assert np.frombuffer(packed, "u1", 2, 56).tolist() == [50, 90]
    assert len(packed) == 58


def test_labels_are_class_indices_with_codes_for_none_and_skipped():
    view = PoolView(SCORES, ["cat", "dog"], {5: "dog", 3: "skipped", 9: "cat"})
    assert label_codes(view, np.array([5, 7, 3])).tolist() == [1, -1, -2]


def test_a_lasso_comes_back_as_bits_of_rows():
    ids = np.arange(100, 110)
    bits = base64.b64encode(bytes([0b00000101, 0b10])).decode()  # rows 0, 2 and 9
    assert chosen_ids(bits, ids).tolist() == [100, 102, 109]


def test_what_no_browser_of_ours_sends_chooses_nothing_or_what_there_is():
    ids = np.arange(4)
    assert chosen_ids("no base64!", ids).tolist() == []
    assert chosen_ids("", ids).tolist() == []
    assert chosen_ids(base64.b64encode(b"\xff" * 50).decode(), ids).tolist() == [0, 1, 2, 3]


def test_names_stand_in_the_order_of_the_rows_one_a_line():
    assert in_order({1: "a\nb.png", 3: "c.png"}, np.array([3, 2, 1])) == "c.png\n\na b.png"
