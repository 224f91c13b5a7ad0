from __future__ import annotations

import numpy as np
import pytest

from loops.evaluation.shadow import Shadows, sizes_up_to

AUDIT = {n: n % 2 for n in range(30)}
CHOSEN = {n: n % 2 for n in range(100, 140)}
RESERVE = range(60)


class Parity:
    """Knows the class of numbers of either kind once it has seen both; remembers what it was asked."""

    def __init__(self, log):
        self._log = log

    def fit(self, labels, *, round_number):
        self.labels = dict(labels)

    def predict(self, sample_ids):
        self._log.append((self.labels, np.asarray(sample_ids).tolist()))
        return np.eye(2)[np.asarray(sample_ids) % 2]


@pytest.fixture
def log():
    return []


def shadows(log, *, audit=AUDIT, chosen=CHOSEN, folder=None):
    return Shadows(lambda _fold: Parity(log), audit=audit, chosen=chosen, reserve=RESERVE, folder=folder)


def test_sizes_grow_by_the_root_of_2():
    assert sizes_up_to(33) == [4, 6, 8, 11, 16, 23, 32]
    assert sizes_up_to(3) == []


def test_no_shadow_is_judged_on_a_label_it_was_fitted_on(log):
    made = shadows(log)
    for size in made.uniform_sizes:
        assert made.uniform_rights(size).all()
    assert log
    assert all(not set(labels) & set(predicted) for labels, predicted in log)
    assert all(set(labels) <= set(AUDIT) for labels, _ in log)


def test_a_shadow_has_as_many_labels_as_its_size_the_first_ones_of_the_drawing_order(log):
    made = shadows(log)
    made.uniform_rights(8)
    assert [len(labels) for labels, _ in log] == [8] * 5
    assert all(max(labels) < 16 for labels, _ in log), "8 of the first 16 at most, some are of the fold itself"
    log.clear()
    made.chosen_rights(6)
    assert [sorted(labels) for labels, _ in log] == [[100, 101, 102, 103, 104, 105]]


def test_what_was_fitted_is_kept_and_more_audit_labels_fit_only_larger_shadows(log, tmp_path):
    first = shadows(log, folder=tmp_path)
    rights = [first.uniform_rights(size).tolist() for size in (4, 6, 8)]
    log.clear()
    again = shadows(log, folder=tmp_path)
    assert [again.uniform_rights(size).tolist() for size in (4, 6, 8)] == rights
    more = shadows(log, audit={n: n % 2 for n in range(45)}, folder=tmp_path)
    assert len(more.uniform_rights(8)) == 45
    assert log == []
    more.uniform_rights(32)
    assert len(log) == 5


def test_another_label_is_another_shadow(log, tmp_path):
    shadows(log, folder=tmp_path).uniform_rights(4)
    log.clear()
    shadows(log, audit={**AUDIT, 0: 1}, folder=tmp_path).uniform_rights(4)
    assert log


def test_labels_of_one_class_predict_that_class_without_a_fit(log):
    made = shadows(log, audit=dict.fromkeys(range(30), 1))
    assert made.uniform_rights(4).all()
    assert log == []


def test_sizes_end_where_a_fold_or_the_chosen_labels_end(log):
    assert max(shadows(log).uniform_sizes) <= 24
    assert shadows(log, chosen={100: 0, 101: 1, 102: 0, 103: 1, 104: 0}).uniform_sizes == [4]


def test_disagreement_with_a_model_falls_and_is_judged_on_other_samples(log):
    answers = {n: n % 2 for n in range(100)} | dict.fromkeys(range(1, 20, 2), 0)  # ten odd ones it got wrong
    apart = shadows(log).disagreements(answers, most=20)
    assert list(apart) == [4, 8, 16]
    assert list(apart.values()) == sorted(apart.values(), reverse=True)
    assert all(0.02 <= share <= 0.2 for share in apart.values()), "Parity differs in those ten, of the half that judges"
    assert all(not set(labels) & set(predicted) for labels, predicted in log)
