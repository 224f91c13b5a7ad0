import numpy as np
import pytest

from app.project.pool_answers import Choice, rows_of, worth_above
from app.project.scores import RoundScores
from app.screens.review_page.answers_box import worth_sentence

SCORES = RoundScores(
    sample_ids=np.array([11, 12, 13, 14]),
    measures={"predictive_entropy": np.zeros(4), "score": np.zeros(4)},
    predicted_N=np.array([0, 1, 0, 1]),
    confidence_N=np.array([0.9, 0.5, 0.7, 1.0]),
)


def ids(choice, among=None):
    return SCORES.sample_ids[rows_of(SCORES, choice, among)].tolist()


def test_answers_are_sorted_filtered_and_searched():
    assert ids(Choice()) == [12, 13, 11, 14]
    assert ids(Choice(sorted_by="surest first")) == [14, 11, 13, 12]
    assert ids(Choice(class_index=0)) == [13, 11]
    assert ids(Choice(low=0.6, high=0.95, sorted_by="by sample")) == [11, 13]
    assert ids(Choice(), np.array([14, 12])) == [12, 14]


def test_what_answers_above_a_threshold_are_worth():
    worth = worth_above(SCORES, 0.85, {11: 0, 14: 0, 12: 1, 99: 1})
    assert (worth.answered, worth.left_to_people, worth.n, worth.measured) == (2, 0.5, 2, 0.5)
    assert worth.expected == pytest.approx(0.95)
    assert worth.low < 0.5 < worth.high
    assert "**50%** are left to people" in worth_sentence(worth)
    assert "measured on 2 audit samples: 50%" in worth_sentence(worth)


def test_without_audit_labels_nothing_is_called_measured():
    assert worth_above(SCORES, 0.0, {}).measured is None
    assert "nobody has measured it" in worth_sentence(worth_above(SCORES, 0.0, {}))
    assert worth_sentence(worth_above(SCORES, 1.01, {})).startswith("No answer is so probable")
