"""A new ranking of the whole pool takes the places of what nobody decided on or sees."""

from datetime import datetime, timedelta, timezone

import pytest

from storage.errors import InvalidQueryError, StaleGenerationError, UnknownRoundError
from storage.queue import round_progress
from storage.refusals import mark_broken
from storage.rerank import replace_tail
from storage.rounds import NewQuery, list_queries
from storage.samples import add_samples
from storage.trainer import start_generation

NOON = datetime(2024, 1, 1, 12, tzinfo=timezone.utc)


def ranking(*sample_ids, **more):
    return [NewQuery(sample_id, rank, "train", 9.0 - rank, 0.125, **more) for rank, sample_id in enumerate(sample_ids)]


def replace(world, opened, *sample_ids, generation=1, **more):
    with world.database.write() as session:
        return replace_tail(
            session, round_id=opened.id, generation=generation, ranking=ranking(*sample_ids), now=more.get("now")
        )


def order(world, opened):
    with world.database.read() as session:
        return {query.rank: query.sample_id for query in list_queries(session, round_id=opened.id)}


def query_of(world, opened, sample_id):
    with world.database.read() as session:
        (query,) = [query for query in list_queries(session, round_id=opened.id) if query.sample_id == sample_id]
    return query


def test_the_new_queries_take_the_places_of_the_old(world):
    opened = world.publish(1, 2, 3)
    assert replace(world, opened, 9, 3, 8) == 3
    assert order(world, opened) == {0: 9, 1: 3, 2: 8}
    assert [claimed.sample.id for claimed in world.batch(count=9)] == [9, 3, 8]


def test_they_bring_their_own_values(world):
    opened = world.publish(1, 2)
    new = [NewQuery(1, 5, "train", 0.75, 0.5, 1, 0.625, annotators=2), NewQuery(9, 7, "train", None, None)]
    with world.database.write() as session:
        replace_tail(session, round_id=opened.id, generation=1, ranking=new)
    kept, brought = query_of(world, opened, 1), query_of(world, opened, 9)
    assert (kept.rank, kept.score, kept.acquisition_probability) == (0, 0.75, 0.5)
    assert (kept.suggestion, kept.suggestion_probability, kept.annotators) == (1, 0.625, 2)
    assert (brought.rank, brought.score, brought.annotators) == (1, None, 1)


def test_of_their_ranks_only_the_order_counts(world):
    opened = world.publish(1, 2)
    new = [NewQuery(7, 40, "train", 0.0, 1.0), NewQuery(8, -3, "train", 0.0, 1.0)]
    with world.database.write() as session:
        replace_tail(session, round_id=opened.id, generation=1, ranking=new)
    assert order(world, opened) == {0: 8, 1: 7}


def test_a_shorter_ranking_shortens_the_list_and_a_longer_one_lengthens_it(world):
    opened = world.publish(1, 2, 3, 4)
    replace(world, opened, 9)
    assert order(world, opened) == {0: 9}
    replace(world, opened, 1, 2, 3, 4, 5, 6)
    assert order(world, opened) == {0: 1, 1: 2, 2: 3, 3: 4, 4: 5, 5: 6}


def test_the_same_ranking_again_changes_no_place_but_the_scores(world):
    opened = world.publish(1, 2, 3)
    replace(world, opened, 4, 5)
    assert replace(world, opened, 4, 5) == 0
    assert query_of(world, opened, 4).score == 9.0


def test_audit_and_recheck_samples_keep_their_places(world):
    world.label(4)
    opened = world.publish(1, 2, 3, 4, 5, audit=(2,), recheck=(4,))
    replace(world, opened, 2, 4, 9, 8, 7, 6)
    assert order(world, opened) == {0: 9, 1: 2, 2: 8, 3: 4, 4: 7, 5: 6}
    assert query_of(world, opened, 2).purpose == "audit"
    assert query_of(world, opened, 4).purpose == "recheck"


def test_what_is_decided_keeps_its_place(world):
    opened = world.publish(1, 2, 3, 4)
    world.label(2)
    world.skip(3)
    replace(world, opened, 3, 2, 9, 8)
    assert order(world, opened) == {0: 9, 1: 2, 2: 3, 3: 8}


def test_what_somebody_sees_keeps_its_place(world):
    opened = world.publish(1, 2, 3)
    batch = world.batch(count=3)
    world.batch(count=3, keep=[batch[1].token])
    replace(world, opened, 9, 2, 8, 1, 3)
    assert order(world, opened) == {0: 9, 1: 2, 2: 8, 3: 1, 4: 3}


def test_decided_broken_and_seen_samples_of_the_pool_are_not_brought_in(world, samples_like):
    world.tell(add_samples, samples=[samples_like("test", "test", 1)])
    opened = world.publish(1)
    world.label(6)
    with world.database.write() as session:
        mark_broken(session, sample_id=7, reason="truncated")
    world.publish(8)
    seen = world.batch(world.bob, 1)
    world.batch(world.bob, 1, keep=[seen[0].token])
    opened = world.publish(1)
    replace(world, opened, 6, 7, 8, 11, 99, 9)
    assert order(world, opened) == {0: 9}


def test_a_broken_sample_in_the_list_stays_where_it_is_and_is_not_asked(world):
    opened = world.publish(1, 2)
    with world.database.write() as session:
        mark_broken(session, sample_id=1, reason="truncated")
    replace(world, opened, 1, 9)
    assert order(world, opened) == {0: 1, 1: 9}
    assert world.batch(count=1)[0].sample.id == 9


def test_what_a_page_only_fetched_ahead_goes_behind_and_is_asked_under_its_own_values(world):
    opened = world.publish(1, 2, 3)
    fetched = world.batch(count=2)
    assert replace(world, opened, 9, 8) == 2
    assert order(world, opened) == {0: 9, 1: 8, 2: 1, 3: 2}
    event = world.label(1, request_id=fetched[0].token)  # the page had not heard of the new ranking yet
    assert (event.purpose, event.round_number, event.score, event.acquisition_probability) == ("train", 0, 0.5, 0.25)
    assert [claimed.sample.id for claimed in world.batch(count=3)] == [9, 8, 2]


def test_what_was_let_go_by_its_page_is_gone_with_the_next_ranking(world):
    opened = world.publish(1, 2, 3)
    world.batch(count=2)
    replace(world, opened, 9, 8)
    world.batch(count=2)
    replace(world, opened, 9, 8)
    assert order(world, opened) == {0: 9, 1: 8}


def test_a_lease_that_ran_out_holds_no_place(world):
    opened = world.publish(1, 2)
    batch = world.batch(count=1, now=NOON)
    world.batch(count=1, keep=[batch[0].token], now=NOON)
    replace(world, opened, 9, now=NOON + timedelta(seconds=59))
    assert order(world, opened) == {0: 1, 1: 9}
    replace(world, opened, 8, now=NOON + timedelta(seconds=60))
    assert order(world, opened) == {0: 8, 1: 1}  # behind: the page may still be there


def test_labeling_goes_on_through_rankings_and_every_sample_is_decided_once(world):
    opened = world.publish(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, audit=(5,))
    left = [10, 9, 8, 7, 6, 4, 3, 2, 1]
    decided = []
    while batch := world.batch(count=2):
        world.label(batch[0].sample.id, request_id=batch[0].token)
        decided.append(batch[0].sample.id)
        left = [sample_id for sample_id in left[1:] + left[:1] if sample_id != batch[0].sample.id]
        replace(world, opened, *left)
    assert sorted(decided) == list(range(1, 11))
    assert decided[4] == 5  # the audit sample came at the place it was drawn for
    assert world.ask(round_progress).answered_audit == 1


def test_a_sample_with_one_of_two_votes_keeps_its_place(world):
    opened = world.publish(1, 2, annotators=2)
    world.label(1)
    replace(world, opened, 9, 1)
    assert order(world, opened) == {0: 1, 1: 9}


def test_an_empty_ranking_leaves_what_is_fixed(world):
    opened = world.publish(1, 2, audit=(2,))
    assert replace(world, opened) == 0
    assert order(world, opened) == {1: 2}


def test_only_the_open_round_is_touched(world):
    closed = world.publish(1, 2)
    opened = world.publish(3, 4)
    begun = world.begin()
    assert [replace(world, which, 9) for which in (closed, begun)] == [0, 0]
    assert order(world, closed) == {0: 1, 1: 2}
    assert order(world, begun) == {}
    assert replace(world, opened, 9) == 1


def test_a_thousand_are_replaced_by_a_thousand_others(world, samples_like):
    world.tell(add_samples, samples=[samples_like(f"more {number}") for number in range(1_990)])
    opened = world.publish(*range(1, 1_001))
    assert replace(world, opened, *range(2_000, 1_000, -1)) == 1_000
    assert order(world, opened) == dict(enumerate(range(2_000, 1_000, -1)))


@pytest.mark.parametrize("purpose", ["audit", "recheck", "test"])
def test_only_training_queries_may_be_brought_in(world, purpose):
    opened = world.publish(1)
    with world.database.write() as session, pytest.raises(InvalidQueryError, match=purpose):
        replace_tail(session, round_id=opened.id, generation=1, ranking=[NewQuery(2, 0, purpose, 0.5, 1.0)])


def test_a_replaced_trainer_replaces_nothing(world):
    first = world.tell(start_generation, pid=1)
    opened = world.publish(1, generation=first)
    second = world.tell(start_generation, pid=2)
    with pytest.raises(StaleGenerationError):
        replace(world, opened, 9, generation=first)
    assert order(world, opened) == {0: 1}
    assert replace(world, opened, 9, generation=second) == 1


def test_an_unknown_round_has_no_tail(world):
    with world.database.write() as session, pytest.raises(UnknownRoundError, match="99"):
        replace_tail(session, round_id=99, generation=1, ranking=[])
