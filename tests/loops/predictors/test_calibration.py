"""Held-out labels decide how sure an answer is; draws are moved around it."""

import numpy as np
import pytest

from loops.predictors.calibration import around, sharpened, sharpness_of

HALF_SURE = np.array([[0.6, 0.4]], np.float32)


def test_the_square_of_three_to_two_is_nine_to_four() -> None:
    assert sharpened(HALF_SURE, 2.0) == pytest.approx(np.array([[9 / 13, 4 / 13]]))


def test_a_sharpness_of_one_changes_nothing() -> None:
    assert (sharpened(HALF_SURE, 1.0) == HALF_SURE).all()


def test_an_answer_that_is_right_more_often_than_it_says_becomes_surer() -> None:
    probs_N_C = np.tile(HALF_SURE, (200, 1))
    labels_N = np.array([0] * 180 + [1] * 20)  # 60 % said, 90 % right: (.6 / .4) ** 5.4 = 9

    sharpness = sharpness_of(probs_N_C, labels_N)

    assert sharpness == pytest.approx(5.4, abs=0.5)
    assert sharpened(HALF_SURE, sharpness)[0, 0] == pytest.approx(0.9, abs=0.02)


def test_an_answer_that_is_right_less_often_than_it_says_becomes_less_sure() -> None:
    probs_N_C = np.tile(np.array([[0.9, 0.1]], np.float32), (200, 1))

    assert sharpness_of(probs_N_C, np.array([0] * 140 + [1] * 60)) < 0.8


def test_two_labels_move_little() -> None:
    assert sharpness_of(np.tile(HALF_SURE, (2, 1)), np.array([0, 0])) == pytest.approx(1.0, abs=0.3)


def test_one_wrong_label_among_sure_answers_does_not_decide() -> None:
    probs_N_C = np.tile(np.array([[0.999, 0.001]], np.float32), (100, 1))

    assert sharpness_of(probs_N_C, np.array([1] + [0] * 99)) > 0.5


def test_the_mean_of_draws_becomes_the_answer_and_they_still_disagree() -> None:
    draws_N_C_K = np.array([[[0.5, 0.3], [0.5, 0.7]]], np.float32)

    moved = around(draws_N_C_K, np.array([[0.9, 0.1]], np.float32))

    assert moved.mean(axis=2) == pytest.approx(np.array([[0.9, 0.1]]), abs=0.001)
    assert moved.sum(axis=1) == pytest.approx(np.ones((1, 2)))
    odds = moved[0, 0] / moved[0, 1]
    assert odds[0] / odds[1] == pytest.approx((0.5 / 0.5) / (0.3 / 0.7), rel=0.01)  # as before


def test_votes_without_a_doubt_stay_votes() -> None:
    votes_N_C_K = np.eye(2, dtype=np.float32)[None]  # one for each class

    assert around(votes_N_C_K, np.array([[0.5, 0.5]], np.float32)) == pytest.approx(votes_N_C_K, abs=1e-5)


def test_of_no_sample_there_are_no_draws() -> None:
    assert around(np.empty((0, 2, 3), np.float32), np.empty((0, 2), np.float32)).shape == (0, 2, 3)
