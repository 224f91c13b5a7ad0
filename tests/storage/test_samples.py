import pytest

from storage.errors import InvalidSampleError, UnknownSampleError
from storage.refusals import BrokenSample, list_broken, list_refusals, mark_broken, record_refusals
from storage.samples import (
    Duplicate,
    SampleCounts,
    add_samples,
    audit_key,
    count_samples,
    get_sample,
    get_samples,
    has_undecided,
    list_samples,
)


def test_the_same_bytes_are_added_once_and_reported_with_the_first_name(world, samples_like):
    twice = [samples_like("new"), samples_like("new"), samples_like(1)]
    added = world.tell(add_samples, samples=twice)
    assert added.added == 1
    assert added.duplicates == [
        Duplicate("/images/new.png", "/images/new.png"),
        Duplicate("/images/1.png", "/images/1.png"),
    ]


def test_more_samples_than_one_statement_takes_are_added_whole(world, samples_like):
    added = world.tell(add_samples, samples=[samples_like(f"many {number}") for number in range(2_500)])
    assert (added.added, added.duplicates) == (2_500, [])
    assert world.ask(count_samples).pool == 2_510


def test_nothing_is_added_when_one_sample_is_refused(world, samples_like):
    with pytest.raises(InvalidSampleError, match="class 2"):
        world.tell(add_samples, samples=[samples_like("good"), samples_like("bad", "test", 2)])
    assert world.ask(count_samples).pool == 10


@pytest.mark.parametrize(("split", "class_index"), [("pool", 0), ("train", None), ("test", -1)])
def test_a_sample_that_fits_no_split_or_class_is_refused(world, samples_like, split, class_index):
    with pytest.raises(InvalidSampleError):
        world.tell(add_samples, samples=[samples_like("bad", split, class_index)])


def test_the_audit_key_depends_on_content_and_seed_alone_and_is_uniform():
    keys = [audit_key(seed=0, sha256=str(number)) for number in range(10_000)]
    assert keys[0] == audit_key(seed=0, sha256="0") != audit_key(seed=1, sha256="0")
    assert all(0 <= key < 1 for key in keys)
    assert sum(key < 0.1 for key in keys) == pytest.approx(1_000, abs=120)  # four standard deviations


def test_samples_are_listed_by_id_without_the_broken_ones(world, samples_like):
    world.tell(add_samples, samples=[samples_like("test", "test", 1)])
    with world.database.write() as session:
        mark_broken(session, sample_id=3, reason="truncated")
    assert [sample.id for sample in world.ask(list_samples, split="pool")] == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert [sample.class_index for sample in world.ask(list_samples, split="test")] == [1]


def test_a_page_of_samples_begins_behind_the_last_one(world):
    assert [sample.id for sample in world.ask(list_samples, split="pool", after_id=3, limit=2)] == [4, 5]
    assert world.ask(list_samples, split="pool", after_id=10, limit=2) == []


def test_samples_that_came_since_the_last_count_are_counted_and_those_rolled_back_are_not(world, samples_like):
    assert world.ask(count_samples).pool == 10

    def add_and_fail() -> None:
        with world.database.write() as session:
            add_samples(session, project_id=world.project_id, samples=[samples_like("a"), samples_like("b")])
            assert count_samples(session, project_id=world.project_id).pool == 12
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()
    assert world.ask(count_samples).pool == 10
    world.tell(add_samples, samples=[samples_like("a"), samples_like("t", "test", 0)])
    assert (world.ask(count_samples).pool, world.ask(count_samples).test) == (11, 1)


def test_a_pool_is_used_up_when_all_is_decided_or_broken(world):
    assert world.ask(has_undecided)
    for sample_id in range(1, 10):
        world.skip(sample_id)
    assert world.ask(has_undecided)
    with world.database.write() as session:
        mark_broken(session, sample_id=10, reason="truncated")
    assert not world.ask(has_undecided)


def test_a_broken_sample_is_noted_once_with_its_first_reason(world):
    with world.database.write() as session:
        mark_broken(session, sample_id=3, reason="truncated")
        mark_broken(session, sample_id=3, reason="gone")
    assert world.ask(list_broken) == [BrokenSample(3, "/images/3.png", "truncated")]


def test_counts_add_up_to_the_pool(world):
    world.label(1)
    world.label(2)
    world.skip(3)
    with world.database.write() as session:
        mark_broken(session, sample_id=4, reason="truncated")
        mark_broken(session, sample_id=1, reason="truncated")  # labeled before: stays labeled
    assert world.ask(count_samples) == SampleCounts(pool=6, test=0, labeled=2, skipped=1, broken=1)


def test_unknown_ids_are_left_out_or_refused(world):
    with world.database.write() as session:
        assert list(get_samples(session, sample_ids=[2, 99, 1])) == [1, 2]
        with pytest.raises(UnknownSampleError, match="99"):
            get_sample(session, sample_id=99)
        with pytest.raises(UnknownSampleError):
            mark_broken(session, sample_id=99, reason="none")


def test_refused_files_are_listed_latest_first(world):
    world.tell(record_refusals, refusals=[("a.png", "empty"), ("b.png", "no image")])
    world.tell(record_refusals, refusals=[])
    assert [(refusal.uri, refusal.reason) for refusal in world.ask(list_refusals)] == [
        ("b.png", "no image"),
        ("a.png", "empty"),
    ]


def test_a_sample_to_be_rechecked_stays_a_labeled_one(world):
    world.label(1)
    world.publish(1, 2, recheck=(1,))
    before = SampleCounts(pool=9, test=0, labeled=1, skipped=0, broken=0)
    assert world.ask(count_samples) == before
    world.label(1, 1, request_id=world.claim().token)
    assert world.ask(count_samples) == before
