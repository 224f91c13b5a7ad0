from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from loops.predictors.weighing import PRIOR, Weights, weigh, weighed

LABELS = np.arange(1_000) % 2


def says(right: float, certain: float = 0.9) -> np.ndarray:
    """Gives its class that probability, and is right about a share of the labels: the last ones it has wrong."""
    said = np.where(np.arange(len(LABELS)) < right * len(LABELS), LABELS, 1 - LABELS)
    return np.where(np.eye(2)[said] == 1, certain, 1 - certain).astype(np.float32)


def test_equals_share_the_say_equally_and_weights_add_up_to_1() -> None:
    assert weigh([says(0.9), says(0.9), says(0.9)], LABELS).tolist() == pytest.approx([1 / 3] * 3)


def test_who_is_measurably_worse_has_no_say() -> None:
    assert weigh([says(0.6), says(0.95)], LABELS).tolist() == [0.0, 1.0]


def test_a_label_or_two_change_nothing_much() -> None:
    """One label against a prior of a hundred: whoever is right about it gets at most half a label more."""
    weights_M = weigh([np.array([[0.9, 0.1]]), np.array([[0.6, 0.4]])], np.array([0]))

    assert 0.5 < weights_M[0] <= (1 + PRIOR / 2) / (1 + PRIOR)


def test_two_that_err_in_different_places_are_better_together_than_each() -> None:
    """The first is torn about the even ones, the second about the odd ones, and each is right where it is sure."""
    even = np.arange(len(LABELS)) % 4 < 2
    sure = np.where(np.eye(2)[LABELS] == 1, 0.9, 0.1)
    torn = np.where(np.eye(2)[np.arange(len(LABELS)) // 4 % 2] == 1, 0.51, 0.49)
    first, second = np.where(even[:, None], torn, sure), np.where(even[:, None], sure, torn)
    weights_M = weigh([first, second], LABELS)

    assert weights_M.tolist() == pytest.approx([0.5, 0.5], abs=0.01)
    assert ((weights_M[0] * first + weights_M[1] * second).argmax(1) == LABELS).all()


def test_labels_that_speak_for_more_of_the_pool_count_for_more() -> None:
    """The first is right about the first half alone, which speaks for nine tenths of the pool."""
    shares = np.where(np.arange(len(LABELS)) < 500, 0.9, 0.1)
    second = says(0.5)[::-1].copy()
    second[:, :] = np.where(np.eye(2)[np.where(np.arange(len(LABELS)) >= 500, LABELS, 1 - LABELS)] == 1, 0.9, 0.1)

    assert weigh([says(0.5), second], LABELS, shares).tolist() == [1.0, 0.0]


def test_a_member_that_has_not_joined_has_no_say_and_weights_come_back_from_a_checkpoint() -> None:
    right, wrong = np.array([[0.9, 0.1]] * 40), np.array([[0.1, 0.9]] * 40)
    weights, _ = weighed([right, wrong], np.zeros(40, np.int64), np.ones(40), members=3)
    assert (weights.weights, weights.held_out_right) == ((1.0, 0.0, 0.0), 40)
    assert weights.right == pytest.approx((1.0, 0.0))
    saved = asdict(weights) | {"weights": list(weights.weights), "right": list(weights.right)}
    assert Weights.of_saved(saved) == weights
