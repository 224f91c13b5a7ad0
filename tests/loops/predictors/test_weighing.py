from __future__ import annotations

import numpy as np
import pytest

from loops.predictors.weighing import PRIOR, SHARPNESSES, sharpened_by, weigh

LABELS = np.arange(1_000) % 2


def says(right: float, certain: float = 0.9) -> np.ndarray:
    """Gives its class that probability, and is right about a share of the labels: the last ones it has wrong."""
    said = np.where(np.arange(len(LABELS)) < right * len(LABELS), LABELS, 1 - LABELS)
    return np.where(np.eye(2)[said] == 1, certain, 1 - certain).astype(np.float32)


def test_weights_add_up_to_1_and_equals_share_them_equally() -> None:
    weights_M, _ = weigh([says(0.9), says(0.9), says(0.9)], LABELS)

    assert weights_M.tolist() == pytest.approx([1 / 3] * 3)


def test_who_is_right_more_often_counts_more() -> None:
    weights_M, _ = weigh([says(0.6), says(0.95)], LABELS)

    assert weights_M.sum() == pytest.approx(1.0)
    assert weights_M[1] > 0.9


def test_without_labels_enough_the_prior_keeps_both() -> None:
    """One label against a prior of ten: whoever is right about it is not yet believed."""
    one = np.array([0])
    weights_M, _ = weigh([np.array([[0.9, 0.1]]), np.array([[0.1, 0.9]])], one)

    most = (1 + PRIOR / 2) / (1 + PRIOR)
    assert 0.5 < weights_M[0] <= most


def test_two_that_err_in_different_places_are_better_together_than_each() -> None:
    """The first is torn about the even ones, the second about the odd ones, and each is right where it is sure."""
    even = np.arange(len(LABELS)) % 4 < 2
    sure = np.where(np.eye(2)[LABELS] == 1, 0.9, 0.1)
    first, second = np.where(even[:, None], 0.5, sure), np.where(even[:, None], sure, 0.5)
    weights_M, sharpness = weigh([first, second], LABELS)
    mixed = sum(w * sharpened_by(p, s) for w, p, s in zip(weights_M, (first, second), sharpness, strict=True))

    assert weights_M.tolist() == pytest.approx([0.5, 0.5])
    assert (np.asarray(mixed).argmax(1) == LABELS).all()


def test_an_answer_that_is_right_and_too_modest_is_made_surer_and_a_bold_wrong_one_less_sure() -> None:
    _, (modest, bold) = weigh([says(1.0, certain=0.6), says(0.7, certain=0.99)], LABELS)

    assert modest == min(SHARPNESSES)
    assert bold > 1.0


def test_an_answer_that_is_as_sure_as_it_is_right_stays_as_it_is() -> None:
    _, (sharpness,) = weigh([says(0.9, certain=0.9)], LABELS)

    assert sharpness == 1.0


def test_half_the_sharpness_squares_the_odds() -> None:
    """0.8 to 0.2 are odds of 4; squared 16: 16/17."""
    assert sharpened_by(np.array([[0.8, 0.2]]), 0.5)[0].tolist() == pytest.approx([16 / 17, 1 / 17])
    assert sharpened_by(np.array([[0.8, 0.2]]), 2.0)[0].tolist() == pytest.approx([2 / 3, 1 / 3])


def test_draws_are_sharpened_one_by_one() -> None:
    draws = np.array([[[0.8, 0.2], [0.2, 0.8]]], np.float32)
    sharpened = sharpened_by(draws, 0.5)

    assert sharpened.dtype == np.float32
    assert sharpened[0, :, 0].tolist() == pytest.approx([16 / 17, 1 / 17])
    assert sharpened[0, :, 1].tolist() == pytest.approx([1 / 17, 16 / 17])


def test_one_label_that_was_given_wrongly_does_not_decide() -> None:
    """A sure answer that one label of a thousand contradicts still counts more than one that is right half the time."""
    weights_M, _ = weigh([says(0.999, certain=1.0), says(0.5)], LABELS)

    assert weights_M[0] > 0.9
