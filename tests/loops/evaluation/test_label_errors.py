from dataclasses import astuple

import numpy as np
import pytest

from loops.cross_validation import CrossValidation
from loops.errors import NotEnoughSamplesError
from loops.evaluation.label_errors import (
    audit_labels,
    class_thresholds,
    confident_class,
    likely_wrong,
    normalized_margin,
    self_confidence,
)

# Three zeros and three ones. Sample 12 is a one that was labeled zero; sample 15 is a torn one.
LABELS_N = np.array([0, 0, 0, 1, 1, 1])
PROBS_N_C = np.array([[0.9, 0.1], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9], [0.2, 0.8], [0.5, 0.5]])


def cross_validation(labels_N=LABELS_N, probs_N_C=PROBS_N_C, folds_N=None):
    folds_N = np.arange(len(labels_N)) % 3 if folds_N is None else folds_N
    return CrossValidation(np.arange(10, 10 + len(labels_N)), labels_N, folds_N, probs_N_C.astype(np.float32))


def test_self_confidence_is_the_probability_of_the_given_label():
    assert self_confidence(LABELS_N, PROBS_N_C).tolist() == [0.9, 0.9, 0.0, 0.9, 0.8, 0.5]


def test_the_normalized_margin_is_half_where_two_classes_tie():
    np.testing.assert_allclose(normalized_margin(LABELS_N, PROBS_N_C), [0.9, 0.9, 0.0, 0.9, 0.8, 0.5])
    assert normalized_margin(np.array([2]), np.array([[0.25, 0.5, 0.25]])).tolist() == [0.375]


def test_thresholds_are_the_mean_self_confidence_of_each_class():
    np.testing.assert_allclose(class_thresholds(LABELS_N, PROBS_N_C), [0.6, 2.2 / 3])


def test_a_class_without_labels_is_never_the_confident_one():
    labels_N, probs_N_C = np.array([0, 0]), np.array([[0.1, 0.9], [0.5, 0.5]])

    assert class_thresholds(labels_N, probs_N_C).tolist() == [0.3, np.inf]
    assert confident_class(labels_N, probs_N_C).tolist() == [-1, 0]
    assert not likely_wrong(labels_N, probs_N_C).any()


def test_the_planted_flip_is_likely_wrong_and_not_the_torn_sample():
    assert confident_class(LABELS_N, PROBS_N_C).tolist() == [0, 0, 1, 1, 1, -1]
    assert likely_wrong(LABELS_N, PROBS_N_C).tolist() == [False, False, True, False, False, False]


def test_equal_probabilities_reach_their_own_mean_however_it_is_rounded():
    probs_N_C = np.tile([[0.1, 0.9]], (7, 1))
    assert class_thresholds(np.ones(7, np.int64), probs_N_C)[1] > 0.9

    assert (confident_class(np.ones(7, np.int64), probs_N_C) == 1).all()


def test_a_class_that_is_never_sure_needs_less_to_count():
    """Zeros are seen with 0.9, ones with 0.4 to 0.6; of two likeliest zeros, one is a confident one all the same."""
    labels_N = np.array([0, 0, 0, 1, 1])
    probs_N_C = np.array([[0.9, 0.1], [0.9, 0.1], [0.55, 0.45], [0.6, 0.4], [0.6, 0.4]])

    assert confident_class(labels_N, probs_N_C).tolist() == [0, 0, 1, 1, 1]
    audited = audit_labels(cross_validation(labels_N, probs_N_C))
    assert (audited[0].sample_id, audited[0].suggestion, audited[0].likely_wrong) == (12, 1, True)


def test_the_planted_flip_comes_first_and_the_torn_sample_next():
    audited = audit_labels(cross_validation())

    assert [label.sample_id for label in audited] == [12, 15, 14, 10, 11, 13]
    assert astuple(audited[0]) == (12, 0, 1, 0.0, True)
    assert [label.likely_wrong for label in audited] == [True] + [False] * 5
    assert audited[2].suggestion == audited[2].label == 1


def test_what_is_likely_wrong_comes_before_any_lower_margin():
    """The last sample has the lower margin, but its likeliest class is usually surer than that."""
    labels_N = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    probs_N_C = np.eye(3)[[0, 0, 0, 1, 1, 1, 2, 2]] * 0.9 + 0.0
    probs_N_C[5] = [0.0, 0.4, 0.6]  # labeled one; twos are seen with 0.9 and 0.2 only
    probs_N_C[7] = [0.8, 0.0, 0.2]  # labeled two; zeros are always seen with 0.9
    wrong_N, margins_N = likely_wrong(labels_N, probs_N_C), normalized_margin(labels_N, probs_N_C)

    assert wrong_N.tolist() == [False] * 5 + [True, False, False]
    assert margins_N[7] < margins_N[5]
    assert [label.sample_id for label in audit_labels(cross_validation(labels_N, probs_N_C))][:2] == [15, 17]


def test_a_label_of_a_class_that_nobody_else_has_is_not_judged():
    labels_N, folds_N = np.array([0, 0, 1]), np.array([0, 1, 0])
    probs_N_C = np.array([[0.9, 0.1], [0.9, 0.1], [1.0, 0.0]])

    assert [label.sample_id for label in audit_labels(cross_validation(labels_N, probs_N_C, folds_N))] == [10, 11]
    assert audit_labels(cross_validation(np.array([0, 1]), probs_N_C[:2], np.array([0, 1]))) == ()


def test_planted_flips_among_sure_predictions_are_all_found_and_nothing_else():
    generator = np.random.default_rng(0)
    truth_N = generator.integers(0, 4, 200)
    probs_N_C = np.full((200, 4), 0.1)
    probs_N_C[np.arange(200), truth_N] = 0.7
    flipped = generator.choice(200, 10, replace=False)
    labels_N = truth_N.copy()
    labels_N[flipped] = (truth_N[flipped] + 1) % 4
    audited = audit_labels(cross_validation(labels_N, probs_N_C))

    assert {label.sample_id - 10 for label in audited[:10]} == set(flipped.tolist())
    assert sum(label.likely_wrong for label in audited) == 10
    assert all(label.suggestion == truth_N[label.sample_id - 10] for label in audited)


def test_numbers_that_are_none_are_refused():
    with pytest.raises(NotEnoughSamplesError):
        self_confidence(LABELS_N, PROBS_N_C[:2])
    with pytest.raises(ValueError, match="not finite"):
        audit_labels(cross_validation(probs_N_C=np.full((6, 2), np.nan)))
