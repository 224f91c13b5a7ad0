from __future__ import annotations

import pytest

from app.screens.progress_page.class_curves import F1, RECALL, curve_rows, f1, worst
from storage.metrics import MetricInfo

NAMES = ["cat", "dog"]
CAT, DOG = 0, 1


def metric(name, round_number, class_index, value):
    return MetricInfo(round_number, 10 * round_number, name, value, None, None, None, class_index)


def test_f1_is_high_only_where_both_are():
    assert f1(0.5, 1.0) == pytest.approx(2 / 3)
    assert f1(1.0, 1.0) == 1.0
    assert f1(0.0, None) == 0.0  # it is there, and was never answered
    assert f1(None, 0.0) is None  # it was answered, and is not there


def test_a_class_has_a_row_per_round_in_which_it_was_measured():
    recalls = [metric("recall_test", 1, CAT, 0.5), metric("recall_test", 2, CAT, 1.0), metric("recall_test", 2, DOG, 0)]
    rows = curve_rows(recalls, [metric("precision_test", 1, CAT, 1.0)], NAMES)
    assert rows[["round", "labels", "class", RECALL]].to_numpy().tolist() == [
        [1, 10, "cat", 0.5],
        [2, 20, "cat", 1.0],
        [2, 20, "dog", 0.0],
    ]
    assert rows[F1].tolist() == pytest.approx([2 / 3, 0.0, 0.0])


def test_the_classes_that_are_worst_now_are_drawn_first():
    recalls = [
        metric("recall_test", 1, DOG, 0.1),
        metric("recall_test", 2, CAT, 0.5),
        metric("recall_test", 2, DOG, 0.9),
    ]
    assert worst(curve_rows(recalls, [], NAMES), RECALL) == ["cat", "dog"]
