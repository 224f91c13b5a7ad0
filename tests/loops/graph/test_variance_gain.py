from __future__ import annotations

import numpy as np
import pytest

from loops.graph.variance_gain import VarianceGain

AXES = np.repeat(np.eye(2, dtype=np.float32), 2, axis=0)  # two samples along each of two axes
NO_TIES = np.zeros(len(AXES), np.float32)


def test_a_score_is_the_variance_that_a_label_takes_away_weighted_by_what_is_wanted() -> None:
    gain = VarianceGain(AXES, np.eye(2), np.diag([4.0, 1.0]), noise=1.0, ties_N=NO_TIES)
    assert gain.scores() == pytest.approx([2.0, 2.0, 0.5, 0.5])  # 4 / (1 + 1), 1 / (1 + 1)


def test_what_the_labels_settled_counts_less() -> None:
    gain = VarianceGain(AXES, np.diag([0.5, 1.0]), np.diag([4.0, 1.0]), noise=1.0, ties_N=NO_TIES)
    assert gain.scores()[[0, 2]] == pytest.approx([4 * 0.25 / 1.5, 0.5])


def test_each_of_a_sequence_is_chosen_as_if_those_before_it_had_labels() -> None:
    gain = VarianceGain(AXES, np.eye(2), np.diag([4.0, 1.5]), noise=1.0, ties_N=NO_TIES)
    rows, gains = gain.sequence(np.arange(4), 4)
    # 4/2; then the other axis is worth 1.5/2, and this one, of which a label left half, 4 * 1/4 / 1.5.
    assert rows.tolist() == [0, 2, 1, 3]
    assert gains == pytest.approx([2.0, 0.75, 2 / 3, 1.5 / 4 / 1.5])


def test_a_long_sequence_equals_the_plain_formula() -> None:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(200, 6)).astype(np.float32)
    root = generator.normal(size=(6, 6))
    covariance, wanted = np.linalg.inv(np.eye(6) + root @ root.T), root.T @ root
    rows, gains = VarianceGain(features, covariance, wanted, noise=0.5, ties_N=np.zeros(200, np.float32)).sequence(
        np.arange(200), 30
    )
    exact = features.astype(np.float64)
    for row, gain in zip(rows, gains, strict=True):
        spread = exact @ covariance
        plain = np.einsum("nm,mk,nk->n", spread, wanted, spread) / (np.einsum("nm,nm->n", spread, exact) + 0.5)
        assert gain == pytest.approx(plain[row], rel=1e-5)
        covariance = covariance - np.outer(spread[row], spread[row]) / (spread[row] @ exact[row] + 0.5)


def test_ties_go_to_the_sample_with_the_larger_addition() -> None:
    ties = np.array([0.0, 1e-6, 0.0, 0.0], np.float32)
    gain = VarianceGain(AXES, np.eye(2), np.eye(2), noise=1.0, ties_N=ties)
    assert gain.sequence(np.arange(4), 1)[0].tolist() == [1]
