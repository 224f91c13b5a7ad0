from itertools import chain

import pytest
import torch

from loops.predictors.batches import EpochBatches, LabeledBatches


def batches_of(count, **more):
    rows = torch.arange(count).reshape(-1, 1)
    return LabeledBatches(rows, rows[:, 0], batch_size=4, min_batches=1, max_batches=10, seed=7, **more)


def positions(**more):
    return list(EpochBatches(40, batch_size=4, seed=7, **more))


def test_processes_that_fit_together_have_the_batches_of_one_in_turn():
    alone = positions(num_batches=10)
    first, second = (positions(num_batches=5, process=process, processes=2) for process in (0, 1))
    assert [batch for pair in zip(first, second, strict=True) for batch in pair] == alone
    assert sorted(chain.from_iterable(alone)) == list(range(40))


@pytest.mark.parametrize(
    ("labels", "processes", "steps"),
    [(40, 1, 10), (40, 2, 5), (1_000, 1, 10), (1_000, 2, 10), (41, 2, 6), (3, 2, 1)],
)
def test_an_epoch_has_no_more_steps_than_labels_and_limit_ask_for(labels, processes, steps):
    batches = batches_of(labels, processes=processes)
    assert len(batches) == len(list(batches.loader())) == steps


def test_beyond_the_limit_each_process_brings_labels_of_its_own():
    batches = batches_of(1_000, processes=2)
    seen = [label for process in (0, 1) for _, labels in batches.loader(process) for label in labels.tolist()]
    assert len(seen) == len(set(seen)) == 80, "10 steps of 2 batches of 4"


def test_a_fit_by_another_number_of_processes_is_another_fit():
    assert batches_of(40).fingerprint("") == batches_of(40).fingerprint("")
    assert batches_of(40).fingerprint("") != batches_of(40, processes=2).fingerprint("")
