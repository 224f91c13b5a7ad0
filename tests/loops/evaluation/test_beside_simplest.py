from __future__ import annotations

import numpy as np
import pytest

from loops.evaluation.beside_simplest import beside_simplest
from loops.evaluation.shadow import Shadows

AUDIT = {i: i % 2 for i in range(40)}
CHOSEN = {i: i % 2 for i in range(100, 132)}


class Right:
    """Knows that even samples are of class 0 and odd ones of class 1; or has it exactly the other way round."""

    def __init__(self, *, always: bool) -> None:
        self._always, self.learned_from = always, 0

    def fit(self, labels, *, round_number):
        self.learned_from = len(labels)

    def predict(self, sample_ids):
        ids = np.asarray(sample_ids) + (not self._always)
        return np.stack([1.0 - ids % 2, ids % 2.0], axis=1)


def shadows(*, right, audit=AUDIT, made=None):
    made = [] if made is None else made

    def make(_fold):
        made.append(Right(always=right))
        return made[-1]

    return Shadows(make, audit=audit, chosen=CHOSEN, reserve=list(AUDIT))


def compared(default, simplest, judged=AUDIT):
    return beside_simplest(default, simplest, judged, dict.fromkeys(judged, 1.0))


@pytest.mark.parametrize(("default", "simplest", "gain"), [(True, False, 1.0), (False, True, -1.0), (True, True, 0.0)])
def test_the_better_one_is_told_by_the_whole_band_and_equal_ones_are_not(default, simplest, gain):
    found = compared(shadows(right=default), shadows(right=simplest))
    assert found is not None
    assert found.chosen - found.uniform == gain
    assert (np.sign(found.low), np.sign(found.high)) == ((gain, gain) if gain else (-1.0, 1.0))


def test_both_are_given_as_many_labels():
    asked, drawn = [], []
    found = compared(shadows(right=True, made=asked), shadows(right=True, made=drawn))
    assert found is not None
    assert {one.learned_from for one in (*asked, *drawn)} == {found.labels}
    assert (len(asked), len(drawn)) == (1, 5), "the audit labels are learned from in five folds"


def test_nine_uniform_labels_or_nineteen_audit_labels_tell_nothing():
    few = dict(list(AUDIT.items())[:9])
    assert compared(shadows(right=True, audit=few), shadows(right=True, audit=few)) is None
    assert compared(shadows(right=True), shadows(right=True), dict(list(AUDIT.items())[:19])) is None


def test_an_audit_label_counts_by_the_inverse_of_its_chance():
    """One of 40 is answered wrongly by the default; it stands for three quarters of the pool."""
    default, simplest = shadows(right=True), shadows(right=False)
    judged = AUDIT | {0: 1}
    weights = {i: 30.0 if i == 0 else 10 / 39 for i in AUDIT}
    found = beside_simplest(default, simplest, judged, weights)
    assert found is not None
    assert found.chosen == pytest.approx(0.25)
    assert found.uniform == pytest.approx(0.75)
