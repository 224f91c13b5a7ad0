from __future__ import annotations

import pytest

from app.project.settings import ProjectSettings
from app.trainer.overlap import annotators_wanted, with_pending
from storage.overlap import PendingSample
from storage.rounds import NewQuery


def settings(overlap, share):
    return ProjectSettings(name="a", overlap=overlap, overlap_share=share)


def ranking(*sample_ids):
    return [NewQuery(sample_id, rank, "train", 0.5, 1.0) for rank, sample_id in enumerate(sample_ids)]


def waiting(*sample_ids):
    return [PendingSample(sample_id, 2, "audit", 0.25, 0.125) for sample_id in sample_ids]


def ids(queries):
    return [query.sample_id for query in queries]


def test_the_overlapping_share_of_the_samples_is_for_several():
    wanted = [annotators_wanted(sample_id, settings(3, 0.25)) for sample_id in range(4000)]
    assert set(wanted) == {1, 3}
    assert wanted.count(3) == pytest.approx(1000, abs=110)  # four standard deviations


def test_a_sample_is_for_as_many_whenever_it_is_asked():
    once = [annotators_wanted(sample_id, settings(2, 0.5)) for sample_id in range(100)]
    assert once == [annotators_wanted(sample_id, settings(2, 0.5)) for sample_id in range(100)]
    narrower = [annotators_wanted(sample_id, settings(2, 0.25)) for sample_id in range(100)]
    assert all(few <= many for few, many in zip(narrower, once, strict=True))


@pytest.mark.parametrize(("overlap", "share", "wanted"), [(1, 1.0, 1), (2, 0.0, 1), (2, 1.0, 2)])
def test_none_or_all_may_overlap(overlap, share, wanted):
    assert {annotators_wanted(sample_id, settings(overlap, share)) for sample_id in range(50)} == {wanted}


def test_waiting_samples_come_between_the_others_as_often_as_samples_overlap():
    mixed = with_pending(ranking(1, 2, 3, 4, 5, 6), waiting(11, 12), settings(2, 0.5))
    assert ids(mixed) == [1, 11, 2, 3, 12, 4, 5, 6]
    assert [query.rank for query in mixed] == list(range(8))


def test_a_waiting_sample_keeps_its_purpose_and_how_many_are_wanted():
    again = with_pending(ranking(1), waiting(11), settings(2, 1.0))[0]
    assert (again.sample_id, again.purpose, again.annotators) == (11, "audit", 2)
    assert (again.score, again.acquisition_probability) == (0.25, 0.125)


def test_when_the_pool_is_used_up_the_waiting_ones_are_all_there_is_to_ask():
    assert ids(with_pending([], waiting(11, 12), settings(2, 0.1))) == [11, 12]


def test_a_sample_is_never_twice_in_a_ranking():
    assert ids(with_pending(ranking(1, 2), waiting(2), settings(2, 1.0))) == [1, 2]


def test_without_overlap_nothing_is_asked_again():
    assert ids(with_pending(ranking(1, 2), waiting(11), settings(1, 1.0))) == [1, 2]
