from __future__ import annotations

import numpy as np

from loops.cross_validation import CrossValidation
from loops.evaluation.estimates import wilson_interval


def test_accuracy_is_the_share_of_labels_predicted_with_its_wilson_interval():
    probs_N_C = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]], np.float32)
    result = CrossValidation(np.arange(4), np.array([0, 1, 1, 0]), np.array([0, 0, 1, 1]), probs_N_C)

    assert result.accuracy == 3 / 4
    assert result.interval == wilson_interval(3, 4)
    assert not result.unseen.any()
    assert result.only({1, 2}).accuracy == 1 / 2


def test_a_class_that_one_fold_alone_holds_was_unseen_by_whoever_predicted_it():
    labels_N, folds_N = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0])
    result = CrossValidation(np.arange(5), labels_N, folds_N, np.zeros((5, 3), np.float32))

    assert result.unseen.tolist() == [False, False, True, True, True]
