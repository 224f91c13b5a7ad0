import numpy as np
import pytest

from loops.errors import NotEnoughSamplesError
from loops.evaluation.estimates import (
    evaluate,
    lure_weighted_accuracy,
    lure_weights,
    precision,
    recall,
    wilson_interval,
)

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


def test_uniform_draws_all_weigh_the_same():
    uniform = [1 / 10, 1 / 9, 1 / 8, 1 / 7]
    np.testing.assert_allclose(lure_weights(np.array(uniform), pool_size=10), [0.25] * 4)
    estimate = lure_weighted_accuracy([True, True, True, False], uniform, pool=10)
    assert estimate.accuracy == pytest.approx(0.75)
    assert (estimate.n, estimate.effective_n) == (4, pytest.approx(4.0))
    assert (estimate.low, estimate.high) == pytest.approx(wilson_interval(3, 4))


def test_the_weights_are_those_of_the_paper():
    # v_m = 1 + (N - M) / (N - m) * (1 / ((N - m + 1) q_m) - 1), Farquhar et al. 2021, equation 4
    probabilities, pool = np.array([0.5, 0.1, 0.2]), 10
    m = np.arange(1, 4)
    paper = 1 + (pool - 3) / (pool - m) * (1 / ((pool - m + 1) * probabilities) - 1)
    np.testing.assert_allclose(lure_weights(probabilities, pool), paper / 3)


def test_one_draw_that_was_twice_as_likely_as_by_chance_counts_half():
    # N = 10, q = 1/5 instead of 1/10: the wrong answer stands for 5 of the 10
    estimate = lure_weighted_accuracy([False], [0.2], pool=10)
    assert estimate.accuracy == pytest.approx(0.5)


def test_a_label_that_was_chosen_counts_as_one_sample_of_the_pool():
    # one wrong one of 10 is known; the draw among the other 9 was right: one in ten is wrong
    estimate = lure_weighted_accuracy([False, True], [1.0, 1 / 9], pool=10)
    assert estimate.accuracy == pytest.approx(0.9)
    assert estimate.n == 1


def test_without_a_draw_there_is_no_estimate():
    assert lure_weighted_accuracy([True, False], [1.0, 1.0], pool=10) is None


def test_draws_that_favor_errors_are_weighted_and_the_interval_holds_the_truth():
    # 20 of 100 are wrong and drawn four times as often: half of what is drawn is wrong
    generator = np.random.default_rng(0)
    correct_N, odds_N = np.arange(100) >= 20, np.where(np.arange(100) >= 20, 1.0, 4.0)
    plain, lure_weighted, held = [], [], 0
    for _ in range(400):
        order = np.argsort(generator.exponential(size=100) / odds_N)[:30]  # the order of a race is that of such draws
        left = odds_N.sum() - np.concatenate([[0], odds_N[order].cumsum()[:-1]])
        estimate = lure_weighted_accuracy(correct_N[order], odds_N[order] / left, pool=100)
        plain.append(correct_N[order].mean())
        lure_weighted.append(estimate.accuracy)
        held += estimate.low <= 0.8 <= estimate.high
    assert np.mean(plain) < 0.6
    assert np.mean(lure_weighted) == pytest.approx(0.8, abs=0.01)
    assert held >= 0.95 * 400
