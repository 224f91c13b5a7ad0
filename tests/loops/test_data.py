from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from loops import ActiveLearningDataModule
from loops.errors import AttachError, NotEnoughSamplesError
from loops.oracle import Query, RankedSample
from loops.random_numbers import draws
from loops.training_samples import SeededOrder, inputs_of, own_labels, with_label
from tests.loops.attached import Noisy, blobs

PAIRS = [([float(i)], i % 2) for i in range(6)]


def asked(data: ActiveLearningDataModule, *sample_ids: int) -> Any:
    query = Query(0, tuple(RankedSample(i, "train", 0.0, 1.0) for i in sample_ids), "random")
    return data.oracle().answer(query)


@pytest.mark.parametrize(
    ("sample", "labeled", "inputs"),
    [
        (("x", 0), ("x", 5), "x"),
        ({"input": "x", "target": 0}, {"input": "x", "target": 5}, "x"),
        ({"image": "x", "label": 0}, {"image": "x", "label": 5}, "x"),
        ({"ids": "x", "mask": "m", "labels": 0}, {"ids": "x", "mask": "m", "labels": 5}, {"ids": "x", "mask": "m"}),
        ({"input": "x"}, {"input": "x", "target": 5}, "x"),
    ],
)
def test_a_label_is_put_in_its_place_and_the_input_is_all_else(sample: Any, labeled: Any, inputs: Any) -> None:
    assert with_label(sample, 5) == labeled
    assert inputs_of(list(sample) if isinstance(sample, tuple) else sample) == inputs


def test_a_sample_without_a_place_for_a_label_is_refused() -> None:
    with pytest.raises(AttachError, match=r"pair \(x, y\) or a dictionary with a label, found a tuple of 3"):
        with_label((1, 2, 3), 0)


def test_labels_a_dataset_keeps_apart_are_read_without_loading_a_sample() -> None:
    class Kept(TensorDataset):
        def __getitem__(self, _: int) -> Any:
            raise AssertionError("loaded")

    assert own_labels(Kept(torch.zeros(3, 1), torch.tensor([2, 0, 1]))) == [2, 0, 1]
    assert own_labels(PAIRS) == [0, 1, 0, 1, 0, 1]


def test_the_oracle_is_a_sequence_a_function_or_the_dataset_itself() -> None:
    assert asked(ActiveLearningDataModule(PAIRS), 3, 2).labels == {3: 1, 2: 0}
    assert asked(ActiveLearningDataModule(PAIRS, oracle=np.arange(6)), 3).labels == {3: 3}
    assert asked(ActiveLearningDataModule(PAIRS, oracle=lambda ids: [i + 1 for i in ids]), 3).labels == {3: 4}


def test_an_oracle_of_too_few_labels_is_refused() -> None:
    with pytest.raises(AttachError, match="6 samples need as many labels, found 5"):
        asked(ActiveLearningDataModule(PAIRS, oracle=[0] * 5), 3)
    with pytest.raises(NotEnoughSamplesError, match="asked for 2 samples, found 1"):
        asked(ActiveLearningDataModule(PAIRS, oracle=lambda _ids: [0]), 3, 4)


def test_an_empty_dataset_is_refused() -> None:
    with pytest.raises(NotEnoughSamplesError):
        ActiveLearningDataModule([])


def test_batches_hold_the_given_labels_in_another_order_in_each_epoch_and_the_same_again() -> None:
    data = ActiveLearningDataModule(PAIRS, batch_size=4)

    def epoch(number: int, done: tuple[int, int] = (0, 0)) -> list[int]:
        data.begin_fit({i: i + 10 for i in range(6)}, seed=1, done=done)
        loader = data.train_dataloader()
        loader.sampler.set_epoch(number)  # type: ignore[attr-defined]
        return [label for _, labels in loader for label in labels.tolist()]

    assert sorted(epoch(0)) == list(range(10, 16))
    assert epoch(0) == epoch(0) != epoch(1)
    assert epoch(1, done=(1, 1)) == epoch(1)[4:]
    assert epoch(2, done=(1, 1)) == epoch(2)


def test_no_batch_of_a_single_sample_is_left_over() -> None:
    data = ActiveLearningDataModule([([0.0], 0)] * 9, batch_size=4)
    data.begin_fit(dict.fromkeys(range(9), 0), seed=0)
    assert [len(labels) for _, labels in data.train_dataloader()] == [4, 4]
    data.begin_fit({0: 0}, seed=0)
    assert [len(labels) for _, labels in data.train_dataloader()] == [1]


def test_what_a_dataset_draws_follows_from_seed_epoch_and_sample_in_any_worker() -> None:
    batches = []
    for workers in (0, 1):
        data = ActiveLearningDataModule(Noisy(8), batch_size=4, num_workers=workers)
        data.begin_fit(dict.fromkeys(range(8), 0), seed=3)
        batches.append(torch.cat([rows for rows, _ in data.train_dataloader()]))
    assert torch.equal(*batches)


def test_the_pool_is_scored_the_same_whatever_stands_beside_a_sample() -> None:
    data = ActiveLearningDataModule(Noisy(8))
    assert torch.equal(torch.cat(list(data.inputs([3, 5]))), torch.cat([next(data.inputs([i])) for i in (3, 5)]))
    plain = ActiveLearningDataModule(Noisy(8), plain=blobs(8))
    assert torch.equal(next(plain.inputs([3]))[0], blobs(8)[3][0])


def test_ids_beyond_the_pool_are_of_the_test_set() -> None:
    data = ActiveLearningDataModule(blobs(4), test=blobs(3, seed=1))
    assert data.test_labels == {4: 0, 5: 1, 6: 2}
    assert torch.equal(next(data.inputs([5, 0])), torch.stack([blobs(3, seed=1)[1][0], blobs(4)[0][0]]))


def test_a_data_module_of_lightnings_is_taken_over() -> None:
    class Given(pl.LightningDataModule):
        def setup(self, stage: str) -> None:
            self.all = blobs(9)

        def train_dataloader(self) -> Any:
            return DataLoader(self.all, batch_size=5, collate_fn=lambda samples: [x for x, _ in samples])

        def test_dataloader(self) -> Any:
            return DataLoader(blobs(3, seed=1))

    data = ActiveLearningDataModule(Given())
    assert len(data.samples) == 9
    assert data.test_labels == {9: 0, 10: 1, 11: 2}
    data.begin_fit({0: 0, 1: 1}, seed=0)
    assert data.train_dataloader().batch_size == 5
    assert len(next(iter(data.train_dataloader()))) == 2


def test_whether_something_draws_is_found_by_looking_at_the_generators() -> None:
    assert draws(lambda: torch.rand(1))
    assert draws(lambda: np.random.rand())  # noqa: NPY002
    assert not draws(lambda: 1)


def test_an_order_is_of_its_seed() -> None:
    first, second = ([draw.position for draw in SeededOrder(20, seed=seed)] for seed in (0, 1))
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second


@pytest.mark.parametrize(
    "labels", [np.array([0, 1, 1]), torch.tensor([0.0, 1.0, 1.0]), [False, True, True], [0, 1.0, 1]]
)
def test_whatever_holds_whole_numbers_is_a_label(labels: Any) -> None:
    data = ActiveLearningDataModule(PAIRS[:3], oracle=labels)
    assert data.known_labels() == {0: 0, 1: 1, 2: 1}
    assert asked(ActiveLearningDataModule(PAIRS[:3], oracle=lambda ids: [labels[i] for i in ids]), 2).labels == {2: 1}


@pytest.mark.parametrize("label", [0.7, -1, -100, float("nan"), "cat", "1", np.array([1.0, 0.0]), torch.tensor([0, 1])])
def test_what_is_no_class_index_is_refused_and_not_rounded_or_passed_over(label: Any) -> None:
    for oracle in ([label] * 6, lambda ids: [label] * len(ids)):
        with pytest.raises(AttachError, match="labels must be class indices"):
            asked(ActiveLearningDataModule(PAIRS, oracle=oracle), 3)
    with pytest.raises(AttachError, match="labels must be class indices"):
        asked(ActiveLearningDataModule([([0.0], label)]), 0)


@pytest.mark.parametrize("labels", [dict.fromkeys(range(6), 1), set(range(6)), None, 3])
def test_labels_without_the_order_of_the_samples_are_refused(labels: Any) -> None:
    with pytest.raises(AttachError, match="must come in the order of the samples"):
        asked(ActiveLearningDataModule(PAIRS, oracle=lambda _ids: labels), 3)


def test_a_sequence_of_labels_may_leave_some_out() -> None:
    data = ActiveLearningDataModule(PAIRS[:3], oracle=[0, None, 1])
    assert data.known_labels() == {0: 0, 2: 1}
    assert asked(data, 1, 2).labels == {2: 1}


def test_labels_beyond_the_classes_are_refused_before_they_are_kept() -> None:
    oracle = ActiveLearningDataModule(PAIRS, oracle=[2] * 6).oracle(num_classes=2)
    with pytest.raises(AttachError, match="gives 2 logits, so labels must be below that, found 2"):
        oracle.answer(Query(0, (RankedSample(0, "train", 0.0, 1.0),), "random"))
    assert oracle.answer(None).labels == {}  # type: ignore[union-attr]
    with pytest.raises(AttachError, match="found 1"):
        ActiveLearningDataModule(PAIRS, test=PAIRS).oracle(num_classes=1)


def test_a_given_label_is_written_as_the_dataset_writes_its_own() -> None:
    column = with_label(("x", torch.tensor([0.0])), 1)[1]
    assert torch.equal(column, torch.tensor([1.0]))
    assert with_label(("x", np.float32(0)), 1)[1].dtype == np.float32
    assert with_label({"x": 1, "y": torch.tensor(0)}, 2)["y"].dtype == torch.int64


@pytest.mark.parametrize("name", ["dataset", "test", "val", "plain"])
def test_what_has_no_length_or_index_is_refused(name: str) -> None:
    class Stream(IterableDataset[Any]):
        def __iter__(self) -> Any:
            return iter(PAIRS)

    refused = [
        (Stream(), "found a Stream$"),
        (DataLoader(PAIRS), "found a DataLoader; give its .dataset"),  # type: ignore[arg-type]
        ({"train": PAIRS, "test": PAIRS}, "found a dict; give one of 'train', 'test'"),
    ]
    for given, found in refused:
        with pytest.raises(AttachError, match=f"{name} must have a length and an index, {found}"):
            ActiveLearningDataModule(**{"dataset": PAIRS} | {name: given})  # type: ignore[arg-type]


@pytest.mark.parametrize("query_size", [0, -1, 2.5])
def test_a_round_asks_about_one_sample_at_least(query_size: Any) -> None:
    with pytest.raises(AttachError, match="query_size must be a whole number from 1"):
        ActiveLearningDataModule(PAIRS, query_size=query_size)


def test_a_batch_of_no_sample_is_refused_and_not_taken_for_the_default() -> None:
    with pytest.raises(AttachError, match="batch_size must be a whole number from 1, found 0"):
        ActiveLearningDataModule(PAIRS, batch_size=0)


def test_a_dataset_that_reads_many_samples_at_once_is_asked_so() -> None:
    class AtOnce(list[Any]):
        read: list[list[int]] = []  # noqa: RUF012

        def __getitems__(self, positions: list[int]) -> list[Any]:
            self.read.append(positions)
            return [self[position] for position in positions]

    data = ActiveLearningDataModule(AtOnce(PAIRS), test=AtOnce(PAIRS[:2]))
    (batch,) = data.inputs([4, 1])
    assert [value.tolist() for value in batch] == [[4.0, 1.0]]
    (batch,) = data.inputs([4, 6])  # one of the pool, one of the test set
    assert [value.tolist() for value in batch] == [[4.0, 0.0]]
    assert data.test_labels == {6: 0, 7: 1}
    assert AtOnce.read == [[4, 1], [0, 1]]
