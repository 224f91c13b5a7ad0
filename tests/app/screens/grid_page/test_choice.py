from __future__ import annotations

import numpy as np

from app.project.scores import RoundScores
from app.screens.grid_page.choice import (
    class_to_offer,
    group_of_all,
    group_of_class,
    open_pool,
    sure_enough,
    sure_per_class,
    surest,
    tightest_group,
)


def scores(*answers: tuple[int, float]) -> RoundScores:
    """Samples 1, 2, ...: the predicted class of each, and its probability."""
    predicted, confidence = zip(*answers, strict=True)
    ids = np.arange(1, len(answers) + 1)
    return RoundScores(ids, {}, np.array(predicted), np.array(confidence))


def pool(*answers: tuple[int, float], leave_out: frozenset[int] = frozenset()):
    return open_pool(scores(*answers), leave_out=leave_out)


def test_a_class_counts_its_samples_from_ninety_percent_up():
    assert sure_per_class(pool((0, 0.9), (0, 0.89), (2, 1.0), (2, 0.95)), 3) == [1, 0, 2]


def test_the_class_with_most_confident_samples_is_offered():
    assert class_to_offer(pool((0, 0.5), (0, 0.5), (0, 0.5), (1, 0.95)), 2) == 1


def test_without_confident_samples_the_largest_class_is_offered():
    assert class_to_offer(pool((0, 0.5), (1, 0.5), (1, 0.6)), 2) == 1


def test_of_equal_classes_the_first_is_offered():
    assert class_to_offer(pool((2, 0.95), (1, 0.95)), 3) == 1


def test_an_empty_pool_offers_no_class():
    assert class_to_offer(pool((0, 0.95), leave_out=frozenset({1})), 2) is None


def test_the_surest_of_a_class_come_by_falling_probability_and_equal_ones_by_id():
    found = surest(pool((0, 0.6), (0, 0.9), (1, 1.0), (0, 0.9), (0, 0.7)), 0, at_most=3)
    assert found.sample_ids.tolist() == [2, 4, 5]
    assert found.doubt_N.round(6).tolist() == [0.1, 0.1, 0.3]


def test_a_grid_holds_none_below_sixty_percent():
    left = sure_enough(pool((0, 0.6), (0, 0.59), (1, 0.3), (0, 1.0)))
    assert left.sample_ids.tolist() == [1, 4]
    assert class_to_offer(sure_enough(pool((1, 0.5), (1, 0.5), (0, 0.6))), 2) == 0


def test_decided_samples_are_left_out():
    found = surest(pool((0, 0.9), (0, 0.8), leave_out=frozenset({1, 99})), 0, at_most=5)
    assert found.sample_ids.tolist() == [2]


def test_a_group_is_the_tightest_one_of_the_map_from_its_middle_outwards():
    ids = np.array([10, 11, 12, 13, 14])
    points = np.array([[0.0, 0.0], [9.0, 0.0], [10.0, 0.0], [10.5, 0.0], [30.0, 0.0]])
    found = tightest_group(ids, points, size=3, at_most=4)
    assert found is not None
    assert found.class_index is None
    assert found.sample_ids.tolist() == [12, 13, 11, 10]  # around the one at 10: 0, 0.5, 1 and 10 away
    assert found.doubt_N.tolist() == [0.0, 0.5, 1.0, 10.0]


def test_a_group_of_fewer_samples_than_wanted_is_all_of_them():
    found = tightest_group(np.array([7, 8]), np.array([[0.0, 0.0], [3.0, 4.0]]), size=12, at_most=20)
    assert found is not None
    assert found.sample_ids.tolist() == [7, 8]
    assert found.doubt_N.tolist() == [0.0, 5.0]


def test_an_empty_map_has_no_group():
    assert tightest_group(np.array([], dtype=np.int64), np.zeros((0, 2)), size=12, at_most=20) is None


def test_a_group_is_what_the_model_is_sure_of_where_that_is_enough_and_else_all_it_may_be(monkeypatch):
    answered = pool((0, 0.95), (0, 0.91), (0, 0.7), (0, 0.5), (1, 0.99))
    assert group_of_class(answered, 0).tolist() == [1, 2, 3]
    monkeypatch.setattr("app.screens.grid_page.choice.ENOUGH", 2)
    assert group_of_class(answered, 0).tolist() == [1, 2]


def test_of_all_classes_together_the_surest_level_that_is_a_group_counts(monkeypatch):
    monkeypatch.setattr("app.screens.grid_page.choice.ENOUGH", 2)
    answered = pool((0, 0.995), (1, 0.95), (1, 0.99), (2, 1.0), (2, 0.7))
    assert group_of_all(answered, set()).sample_ids.tolist() == [1, 3, 4]
    assert group_of_all(answered, {0, 2}).sample_ids.tolist() == [2, 3], "a level lower, for 3 alone is no group"
    assert len(group_of_all(pool((0, 0.8), (1, 0.8)), set()).sample_ids) == 2
    assert len(group_of_all(pool((0, 0.5), (1, 0.5)), set()).sample_ids) == 0
