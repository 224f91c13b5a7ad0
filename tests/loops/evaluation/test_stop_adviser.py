from __future__ import annotations

import numpy as np
import pytest

from loops.evaluation.learning_curve import AccuracyPoint
from loops.evaluation.stop_adviser import advise, cohens_kappa, minutes_words

SETTLED = [0.995, 0.995, 0.995]


def points(*pairs, width=0.01):
    return [AccuracyPoint(labels, accuracy, accuracy - width / 2, accuracy + width / 2) for labels, accuracy in pairs]


RISING = points((10, 0.5), (20, 0.75), (50, 0.9), (100, 0.95), width=0.0)  # accuracy = 1 - 5 / labels
FLAT = points((10, 0.8), (20, 0.8), (40, 0.8), (80, 0.8))


def test_kappa_is_1_for_the_same_answers_and_0_for_those_of_chance():
    answers = np.array([0, 0, 1, 1])
    assert cohens_kappa(answers, answers) == 1.0
    assert cohens_kappa(answers, np.array([0, 1, 0, 1])) == 0.0
    assert cohens_kappa(answers, 1 - answers) == -1.0


def test_three_of_four_the_same_is_half_way_from_chance():
    # chance agrees half the time, they three quarters: (3/4 - 1/2) / (1 - 1/2)
    assert cohens_kappa(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0])) == pytest.approx(0.5)


def test_kappa_of_one_class_is_1_and_of_no_sample_unknown():
    assert cohens_kappa(np.zeros(3, int), np.zeros(3, int)) == 1.0
    assert cohens_kappa(np.zeros(0, int), np.zeros(0, int)) is None


def test_with_three_rounds_it_is_too_early_whatever_the_kappa():
    advice = advise(FLAT[:3], SETTLED, next_labels=50)
    assert (advice.verdict, advice.gain) == ("too early", None)
    assert "3 of 4" in advice.sentence


def test_nothing_measured_is_too_early_and_has_no_numbers():
    advice = advise([], [], next_labels=50)
    assert (advice.verdict, advice.kappa, advice.accuracy, advice.minutes) == ("too early", None, None, None)


def test_a_rising_curve_says_go_on_what_it_brings_and_what_it_costs():
    # from 100 to 200 labels: 1 - 5/100 = 95 % to 1 - 5/200 = 97.5 %; 100 labels of 3 s are 5 minutes
    advice = advise(RISING, SETTLED, next_labels=100, seconds_per_label=3.0)
    assert advice.verdict == "go on"
    assert advice.gain == pytest.approx(0.025, abs=1e-4)
    assert advice.minutes == 5.0
    assert advice.sentence.startswith("Go on: the next 100 labels would bring about +2.5 points of accuracy (95 % band")
    assert "in about 5 min at the pace so far" in advice.sentence


def test_a_flat_curve_and_a_settled_model_may_stop():
    advice = advise(FLAT, [0.5, *SETTLED], next_labels=50)
    assert advice.verdict == "stop"
    assert advice.kappa == pytest.approx(0.995)
    assert "the next 50 labels would bring about +0." in advice.sentence
    assert "kappa 0.995" in advice.sentence


def test_a_flat_curve_of_a_model_that_still_changes_its_mind_goes_on():
    advice = advise(FLAT, [0.9, 0.9, 0.9], next_labels=50)
    assert advice.verdict == "go on"
    assert "still changes the model's answers (kappa 0.900)" in advice.sentence


def test_two_rounds_of_agreement_are_not_enough():
    advice = advise(FLAT, SETTLED[:2], next_labels=50)
    assert (advice.verdict, advice.kappa) == ("go on", None)
    assert "not known yet whether the model has settled" in advice.sentence


def test_a_wide_interval_asks_for_audit_labels_before_an_end():
    wide = points((10, 0.8), (20, 0.8), (40, 0.8), (80, 0.8), width=0.3)
    advice = advise(wide, SETTLED, next_labels=50)
    assert advice.verdict == "measure"
    assert "between 65 and 95 %" in advice.sentence


def test_a_falling_curve_is_named_whatever_the_model_agrees_with():
    falling = points(
        (10, 0.9), (20, 0.86), (40, 0.82), (80, 0.78), width=0.2
    )  # the intervals overlap, the steps do not
    advice = advise(falling, SETTLED, next_labels=50)
    assert advice.verdict == "check"
    assert "fell from 90 to 78 %" in advice.sentence
    apart = points((10, 0.9), (20, 0.9), (40, 0.9), (80, 0.8), width=0.02)
    assert advise(apart, SETTLED, next_labels=50).verdict == "check"


def test_a_model_that_only_guesses_is_no_reason_to_stop():
    nothing = points(*((10 * number, 0.0) for number in range(1, 8)), width=0.0)
    advice = advise(nothing, [1.0] * 6, next_labels=50, classes=3)
    assert advice.verdict == "check"
    assert "right for 0 %, no better than guessing among 3 classes" in advice.sentence


def test_classes_without_a_label_are_named_before_an_end():
    advice = advise(FLAT, SETTLED, next_labels=50, classes=5, without_label=["emu", "fox", "gnu", "hen"])
    assert advice.verdict == "check"
    assert "no label has been given for emu, fox, gnu and 1 more" in advice.sentence
    assert advise(RISING, SETTLED, next_labels=100, classes=5, without_label=["emu"]).verdict == "go on"


def test_programs_get_plain_values_rounded():
    found = advise(RISING, SETTLED, next_labels=100, seconds_per_label=3.0).as_dict()
    assert set(found) == {
        "verdict", "sentence", "kappa", "accuracy", "low", "high", "next_labels", "gain", "gain_low", "gain_high",
        "minutes",
    }  # fmt: skip
    assert found["gain"] == 0.025


@pytest.mark.parametrize(("minutes", "said"), [(0.2, "a minute"), (12.4, "12 min"), (120, "2.0 h")])
def test_times_are_said_as_people_plan(minutes, said):
    assert minutes_words(minutes) == said
