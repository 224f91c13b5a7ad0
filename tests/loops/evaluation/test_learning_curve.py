from __future__ import annotations

import numpy as np
import pytest

from loops.evaluation.learning_curve import (
    AccuracyPoint,
    fit_learning_curve,
    forecast,
    tail,
    too_few_rounds,
)


def points(*pairs, width=0.0):
    return [AccuracyPoint(labels, accuracy, accuracy - width, accuracy + width) for labels, accuracy in pairs]


FIVE_WRONG_PER_LABEL = points((10, 0.5), (20, 0.75), (50, 0.9), (100, 0.95))  # accuracy = 1 - 5 / labels


def test_a_power_law_is_found_again():
    curve = fit_learning_curve(FIVE_WRONG_PER_LABEL)
    assert (float(curve.a), float(curve.b), float(curve.c)) == pytest.approx((1.0, 5.0, 1.0))
    assert float(curve.accuracy(500)) == pytest.approx(0.99)


def test_the_labels_for_an_accuracy_invert_the_curve():
    curve = fit_learning_curve(FIVE_WRONG_PER_LABEL)
    assert curve.labels_for(0.9) == pytest.approx(50)
    assert curve.labels_for(1.0) == float("inf")


def test_the_largest_gain_within_twice_the_labels_is_named():
    # 1 - 5/n = 0.97 at n = 166.7; five points more would be 100 %, which is never reached
    assert forecast(FIVE_WRONG_PER_LABEL).sentence.startswith("About 67 more labels for +2 points")


def test_a_flat_curve_is_called_flat():
    flat = points((10, 0.7), (20, 0.7), (40, 0.7), (80, 0.7))
    assert forecast(flat).sentence.startswith("The curve is flat: twice the labels (80 more) would bring about +0.0")


def test_a_falling_accuracy_promises_no_gain():
    prediction = forecast(points((10, 0.9), (20, 0.8), (40, 0.7), (80, 0.6), width=0.1))
    assert prediction.sentence.startswith("The curve is flat")


def test_three_rounds_are_not_forecast():
    assert forecast(FIVE_WRONG_PER_LABEL[:3]) is None
    assert too_few_rounds(FIVE_WRONG_PER_LABEL[:3]).startswith("Too few rounds to forecast (3 of 4")


def test_rounds_without_new_labels_count_once():
    assert forecast([*FIVE_WRONG_PER_LABEL[:3], *FIVE_WRONG_PER_LABEL[:3]]) is None


def test_wide_intervals_give_a_wide_band_around_the_curve():
    sure = forecast(points((10, 0.5), (20, 0.6), (50, 0.7), (100, 0.75), width=0.001))
    unsure = forecast(points((10, 0.5), (20, 0.6), (50, 0.7), (100, 0.75), width=0.1))
    assert np.all(unsure.low_N <= unsure.high_N)
    assert (unsure.high_N - unsure.low_N)[-1] > 3 * (sure.high_N - sure.low_N)[-1]


def test_the_same_points_give_the_same_forecast():
    shaky = points((10, 0.4), (20, 0.7), (50, 0.6), (100, 0.8), width=0.1)
    assert forecast(shaky).sentence == forecast(shaky).sentence


def test_the_first_steps_of_a_long_history_are_left_out():
    history = points(*[(labels, 0.5) for labels in (10, 20, 40, 60, 80, 100, 160)])
    assert [point.labels for point in tail(history)] == [40, 60, 80, 100, 160]
    assert [point.labels for point in tail(history[:5])] == [20, 40, 60, 80]
