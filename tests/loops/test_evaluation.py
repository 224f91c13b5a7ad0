import numpy as np
import pytest

from loops.errors import NotEnoughSamplesError
from loops.evaluation import evaluate, precision, recall, wilson_interval

TWO_OF_THREE_RIGHT = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])


def test_45_of_50_right_is_79_to_96_percent():
    assert wilson_interval(45, 50) == pytest.approx((0.786, 0.957), abs=1e-3)


def test_of_nothing_nothing_is_known():
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("correct", [0, 10])
def test_the_interval_of_a_perfect_run_has_width_and_stays_within_0_and_1(correct):
    low, high = wilson_interval(correct, 10)

    assert 0 <= low < high <= 1
    assert high - low == pytest.approx(0.278, abs=1e-3)


def test_accuracy_counts_the_likeliest_class():
    evaluation = evaluate("test", TWO_OF_THREE_RIGHT, [0, 0, 1])

    assert evaluation.accuracy == pytest.approx(2 / 3)
    assert evaluation.n == 3
    assert evaluation.low < 2 / 3 < evaluation.high


def test_confusion_is_true_class_by_predicted_class():
    assert evaluate("audit", TWO_OF_THREE_RIGHT, [0, 0, 1]).confusion_C_C.tolist() == [[2, 0], [1, 0]]


def test_recall_and_precision_are_undefined_where_there_was_nothing():
    evaluation = evaluate("test", TWO_OF_THREE_RIGHT, [0, 0, 1])

    np.testing.assert_equal(recall(evaluation), [1.0, 0.0])
    np.testing.assert_equal(precision(evaluation), [2 / 3, np.nan])


def test_nothing_to_evaluate_is_refused():
    with pytest.raises(NotEnoughSamplesError):
        evaluate("test", np.empty((0, 2)), [])
