from __future__ import annotations

import numpy as np
import pytest

from loops.evaluation.labels_saved import labels_saved, labels_wanted, redraw
from loops.evaluation.labels_saved_words import saved_in_words
from loops.evaluation.shadow import Shadows

HALVING = {4: 0.8, 16: 0.4, 64: 0.2, 256: 0.1, 1024: 0.05}  # half the disagreement for four times the labels


def wanted(errors, target, *, limit):
    sizes = [4, 16]
    return labels_wanted(sizes, np.array([errors]), np.array([target]), limit_B=np.array([limit]), apart=HALVING)[0]


def test_without_a_limit_half_the_error_takes_four_times_the_labels():
    # errors 0.4 at 4 labels and 0.2 at 16 are half the disagreement; 0.05 is reached where that is 0.1
    assert wanted([0.4, 0.2], 0.05, limit=0.0) == pytest.approx(256)


def test_a_limit_makes_the_last_steps_dear():
    # 0.1 cannot be taught: what is left of 0.2, 0.1, is reached where half the disagreement is 0.1
    assert wanted([0.5, 0.3], 0.2, limit=0.1) == pytest.approx(64)
    assert wanted([0.5, 0.3], 0.1, limit=0.1) == pytest.approx(1024), "the end of what was looked at"


def test_a_model_worse_than_the_smallest_shadow_is_worth_its_labels():
    assert wanted([0.4, 0.2], 0.9, limit=0.0) == pytest.approx(4)


def test_ten_of_ten_right_is_no_certainty_and_all_models_meet_the_same_samples():
    certain = redraw(np.ones((10, 1)), seed=0)
    assert 0.7 < np.percentile(certain, 2.5) < 0.9  # Beta(10.5, 0.5): 0.79
    rights = np.repeat(np.arange(40)[:, None] % 2, 2, axis=1).astype(float)
    first, second = redraw(rights, seed=0).T
    assert np.std(first) > 3 * np.std(first - second)


class Centers:
    """Nearest class mean of the only feature a sample has; noise makes few labels teach little."""

    def __init__(self, features):
        self._features = features

    def fit(self, labels, *, round_number):
        by_class = {c: [self._features[i] for i, label in labels.items() if label == c] for c in set(labels.values())}
        self.centers = {c: np.mean(values) for c, values in by_class.items()}

    def predict(self, sample_ids):
        values = np.array([self._features[i] for i in np.asarray(sample_ids).tolist()])
        far = [np.abs(values - self.centers.get(c, 1e9)) for c in range(2)]
        return -np.stack(far, axis=1)


def world(audited, *, chosen=60):
    """600 samples of two overlapping classes; the chosen ones are as good as random."""
    generator = np.random.default_rng(1)
    classes = {i: i % 2 for i in range(600)}
    features = {i: 2.0 * c + generator.normal() for i, c in classes.items()}
    audit = {i: classes[i] for i in range(audited)}
    predictor = Centers(features)
    labels = {i: classes[i] for i in range(200, 200 + chosen)}
    predictor.fit(labels, round_number=0)
    answers = dict(enumerate(predictor.predict(range(600)).argmax(axis=1).tolist()))
    rights = np.array([answers[i] == label for i, label in audit.items()])
    shadows = Shadows(lambda _fold: Centers(features), audit=audit, chosen=labels, reserve=range(100))
    return labels_saved(shadows, rights, answers=answers, pool_size=600)


def test_labels_that_were_as_good_as_random_prove_no_saving():
    found = world(40)
    assert (found.labels, found.audited) == (60, 40)
    assert found.low <= 60
    assert found.low <= found.wanted
    assert found.equal.low <= 0 <= found.equal.high
    assert [point.labels for point in found.uniform][:3] == [4, 6, 8]
    assert all(point.low <= point.accuracy <= point.high for point in found.uniform)


def test_nineteen_audit_labels_are_too_few_and_so_are_few_chosen_ones():
    assert world(19) is None
    assert world(40, chosen=6) is None


@pytest.mark.parametrize(
    ("low", "wanted", "high", "said"),
    [
        (
            150,
            300,
            500,
            "about 300 labels (95 % band 150 to 500) for the accuracy that 100 chosen ones gave: at least 50 l",
        ),
        (50, 300, 500, "the band does not tell yet whether labels were saved"),
        (20, 40, 60, "at random would have been cheaper"),
        (150, 900, None, "150 labels or more (best guess 900)"),
    ],
)
def test_nothing_is_called_saved_that_the_band_does_not_prove(low, wanted, high, said):
    assert said in saved_in_words(100, wanted, low, high, audited=40)
