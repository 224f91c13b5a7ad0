import numpy as np

from storage import sample_columns
from storage.refusals import mark_broken
from storage.sample_columns import read_columns
from storage.samples import add_samples, list_samples
from tests.storage.conftest import new_sample


def test_columns_hold_what_the_list_of_samples_says_without_the_broken_ones(world, monkeypatch):
    monkeypatch.setattr(sample_columns, "_AT_ONCE", 4)  # ten samples are three tiles
    with world.database.write() as session:
        mark_broken(session, sample_id=3, reason="truncated")
    listed = world.ask(list_samples, split="pool")
    columns = world.ask(read_columns, split="pool")
    assert len(columns) == 9
    assert columns.ids.tolist() == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert columns.audit_keys.tolist() == [sample.audit_key for sample in listed]
    assert columns.classes == {}


def test_only_test_samples_have_classes(world):
    world.tell(add_samples, samples=[new_sample("first", "test", 1), new_sample("second", "test", 0)])
    assert world.ask(read_columns, split="test").classes == {11: 1, 12: 0}


def test_a_split_without_samples_has_columns_without_rows(world):
    columns = world.ask(read_columns, split="test")
    assert (len(columns), columns.ids.dtype, columns.audit_keys.dtype) == (0, np.int64, np.float64)


def test_samples_are_taken_out_by_id(world):
    columns = world.ask(read_columns, split="pool").without(np.array([2, 4, 99]))
    assert columns.ids.tolist() == [1, 3, 5, 6, 7, 8, 9, 10]
    assert columns.where(columns.ids > 8).ids.tolist() == [9, 10]
