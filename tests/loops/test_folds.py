import random

import numpy as np
import pytest

from loops.errors import NotEnoughSamplesError
from loops.folds import assign_folds, duplicate_groups


def folds_of_class(fold_of, labels, label):
    return sorted(fold_of[i] for i in labels if labels[i] == label)


def test_each_fold_holds_its_share_of_each_class():
    labels = {i: 0 if i < 20 else 1 for i in range(30)}
    fold_of = assign_folds(labels, num_folds=5)

    assert folds_of_class(fold_of, labels, 0) == sorted([0, 1, 2, 3, 4] * 4)
    assert folds_of_class(fold_of, labels, 1) == sorted([0, 1, 2, 3, 4] * 2)


def test_the_seed_alone_decides_and_the_order_of_labeling_does_not():
    labels = {i: i % 2 for i in range(20)}
    fold_of = assign_folds(labels, seed=1)

    assert assign_folds(dict(reversed(labels.items())), seed=1) == fold_of
    assert assign_folds(labels, seed=2) != fold_of


def test_a_class_of_two_is_in_two_folds_and_asks_for_no_fewer():
    labels = dict.fromkeys(range(10), 0) | {10: 1, 11: 1}
    fold_of = assign_folds(labels, num_folds=5)

    assert len(set(fold_of.values())) == 5
    assert fold_of[10] != fold_of[11]


def test_folds_decrease_to_the_largest_class_and_to_the_number_of_groups():
    three_of_each = {i: i % 4 for i in range(12)}
    assert set(assign_folds(three_of_each, num_folds=5).values()) == {0, 1, 2}

    labels = {i: i % 2 for i in range(12)}
    assert set(assign_folds(labels, num_folds=5, groups={i: i // 3 for i in range(12)}).values()) == {0, 1, 2, 3}


@pytest.mark.parametrize("labels", [{}, {1: 0}, {1: 0, 2: 1}])
def test_where_no_class_has_two_samples_there_is_nothing_to_hold_out(labels):
    with pytest.raises(NotEnoughSamplesError, match="asked for 2"):
        assign_folds(labels)


def test_one_group_cannot_be_split():
    with pytest.raises(NotEnoughSamplesError, match="asked for 2 samples, found 1"):
        assign_folds({1: 0, 2: 0}, groups={1: 7, 2: 7})


@pytest.mark.parametrize("seed", range(100))
def test_groups_are_never_split_and_no_fold_is_empty_whatever_the_labels(seed):
    generator = random.Random(seed)
    labels = {generator.randrange(10**6): generator.randrange(5) for _ in range(generator.randint(10, 40))}
    groups = {i: generator.randrange(6) for i in labels if generator.random() < 0.4}
    fold_of = assign_folds(labels, num_folds=generator.randint(2, 6), groups=groups, seed=seed)

    assert fold_of.keys() == labels.keys()
    assert set(fold_of.values()) == set(range(max(fold_of.values()) + 1))
    for group in set(groups.values()):
        assert len({fold_of[i] for i, of_sample in groups.items() if of_sample == group}) == 1


def test_a_group_named_like_a_sample_is_another_group():
    fold_of = assign_folds({1: 0, 2: 0, 3: 0}, num_folds=3, groups={2: 1})

    assert sorted(fold_of.values()) == [0, 1, 2]


def test_equal_rows_are_one_group_named_by_its_first_sample():
    rows_N_D = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]], np.float32)

    assert duplicate_groups([10, 11, 12], rows_N_D) == {10: 10, 11: 11, 12: 10}
