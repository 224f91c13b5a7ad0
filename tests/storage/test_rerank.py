import math
from datetime import datetime, timedelta, timezone

import pytest

from storage.errors import InvalidQueryError, StaleGenerationError, UnknownRoundError
from storage.models import Query
from storage.rerank import extend, rerank
from storage.rounds import NewQuery, list_queries
from storage.samples import add_samples, mark_broken
from storage.trainer import start_generation


def reorder(world, opened, scores, generation=1, **more):
    with world.database.write() as session:
        return rerank(session, round_id=opened.id, generation=generation, scores=scores, **more)


def order(world, opened):
    """The sample ids by rank; the ranks themselves always count 0, 1, 2, ..."""
    with world.database.read() as session:
        queries = list_queries(session, round_id=opened.id)
    assert [query.rank for query in queries] == list(range(len(queries)))
    return [query.sample_id for query in queries]


def score_of(world, opened, sample_id):
    with world.database.read() as session:
        return next(q.score for q in list_queries(session, round_id=opened.id) if q.sample_id == sample_id)


def test_the_highest_score_is_asked_first_and_is_stored(world):
    opened = world.publish(1, 2, 3)
    assert reorder(world, opened, {1: 0.1, 2: 0.3, 3: 0.2}) == 3
    assert order(world, opened) == [2, 3, 1]
    shown = world.claim()
    assert (shown.sample.id, shown.rank, shown.score) == (2, 0, 0.3)


def test_an_order_that_stays_counts_nothing_but_stores_its_scores(world):
    opened = world.publish(1, 2, 3)
    assert reorder(world, opened, {1: 3.0, 2: 2.0, 3: 1.0}) == 0
    assert order(world, opened) == [1, 2, 3]
    assert score_of(world, opened, 3) == 1.0


def test_two_that_change_places_count_two(world):
    opened = world.publish(1, 2, 3)
    assert reorder(world, opened, {1: 3.0, 2: 1.0, 3: 2.0}) == 2


def test_equal_scores_keep_their_order(world):
    opened = world.publish(3, 1, 2)
    assert reorder(world, opened, {1: 0.5, 2: 0.5, 3: 0.5}) == 0
    assert order(world, opened) == [3, 1, 2]


def test_samples_without_a_new_score_keep_their_places(world):
    opened = world.publish(1, 2, 3, 4)
    assert reorder(world, opened, {1: 0.1, 3: math.nan, 4: 0.9, 99: 1.0}) == 2
    assert order(world, opened) == [4, 2, 3, 1]
    assert (score_of(world, opened, 2), score_of(world, opened, 3)) == (0.5, 0.5)


def test_audit_and_recheck_samples_keep_their_places_and_scores(world):
    world.label(3)
    opened = world.publish(1, 2, 3, 4, audit=(2,), recheck=(3,))
    assert reorder(world, opened, {1: 1.0, 2: 9.0, 3: 9.0, 4: 2.0}) == 2
    assert order(world, opened) == [4, 2, 3, 1]
    assert (score_of(world, opened, 2), score_of(world, opened, 3)) == (0.5, 0.5)


def test_what_is_decided_or_on_a_screen_or_broken_keeps_its_place(world):
    opened = world.publish(1, 2, 3, 4, 5, 6)
    world.label(1)
    world.skip(2)
    assert world.claim().sample.id == 3
    with world.database.write() as session:
        mark_broken(session, sample_id=4, reason="truncated")
    scores = {sample_id: float(sample_id) for sample_id in range(1, 7)}
    assert reorder(world, opened, scores) == 2
    assert order(world, opened) == [1, 2, 3, 4, 6, 5]


def test_the_event_keeps_the_score_under_which_its_sample_was_shown(world):
    opened = world.publish(1, 2)
    token = world.claim().token
    reorder(world, opened, {1: 0.0, 2: 1.0})
    event = world.label(1, request_id=token)
    assert (event.rank, event.score) == (0, 0.5)


def test_a_sample_whose_lease_ran_out_changes_its_place_again(world):
    noon = datetime(2024, 1, 1, 12, tzinfo=timezone.utc)
    opened = world.publish(1, 2)
    world.claim(now=noon)
    scores = {1: 0.0, 2: 1.0}
    assert reorder(world, opened, scores, now=noon + timedelta(seconds=59)) == 0
    assert reorder(world, opened, scores, now=noon + timedelta(seconds=60)) == 2
    assert order(world, opened) == [2, 1]


def test_only_the_open_round_is_reordered(world):
    closed = world.publish(1, 2)
    opened = world.publish(1, 2)
    begun = world.begin()
    scores = {1: 0.0, 2: 1.0}
    assert [reorder(world, which, scores) for which in (closed, begun)] == [0, 0]
    assert (order(world, closed), order(world, opened)) == ([1, 2], [1, 2])
    assert reorder(world, opened, scores) == 2
    assert order(world, closed) == [1, 2]


def test_a_list_with_nothing_to_reorder_is_left_alone(world):
    assert reorder(world, world.publish(), {1: 1.0}) == 0
    assert reorder(world, world.publish(1), {}) == 0


def test_a_thousand_samples_are_turned_round_and_back(world, samples_like):
    world.tell(add_samples, samples=[samples_like(f"more {number}") for number in range(990)])
    everything = list(range(1, 1_001))
    opened = world.publish(*everything)
    assert reorder(world, opened, {sample_id: float(sample_id) for sample_id in everything}) == 1_000
    assert order(world, opened) == everything[::-1]
    assert reorder(world, opened, {sample_id: -float(sample_id) for sample_id in everything}) == 1_000
    assert order(world, opened) == everything


def test_what_was_read_before_in_the_same_transaction_is_read_anew(world):
    opened = world.publish(1, 2)
    with world.database.write() as session:
        loaded = session.get_one(Query, 1)
        rerank(session, round_id=opened.id, generation=1, scores={1: 0.0, 2: 1.0})
        assert (loaded.rank, loaded.score) == (1, 0.0)


def test_a_replaced_trainer_reorders_nothing_and_its_successor_does(world):
    first = world.tell(start_generation, pid=1)
    opened = world.publish(1, 2, generation=first)
    second = world.tell(start_generation, pid=2)
    scores = {1: 0.0, 2: 1.0}
    with pytest.raises(StaleGenerationError):
        reorder(world, opened, scores, generation=first)
    assert order(world, opened) == [1, 2]
    assert reorder(world, opened, scores, generation=second) == 2


def test_an_unknown_round_cannot_be_reordered(world):
    with world.database.write() as session, pytest.raises(UnknownRoundError, match="99"):
        rerank(session, round_id=99, generation=1, scores={})


def follow(world, opened, *sample_ids, purpose="train"):
    queries = [NewQuery(sample_id, rank, purpose, 0.5, 1.0) for rank, sample_id in enumerate(sample_ids)]
    with world.database.write() as session:
        return extend(session, round_id=opened.id, generation=1, queries=queries)


def test_more_queries_follow_behind_the_last_one(world):
    opened = world.publish(1, 2)
    assert follow(world, opened, 4, 3) == 2
    assert order(world, opened) == [1, 2, 4, 3]


def test_what_is_asked_decided_or_broken_does_not_follow(world):
    opened = world.publish(1, 2)
    world.label(1)
    with world.database.write() as session:
        mark_broken(session, sample_id=3, reason="truncated")
    assert follow(world, opened, 1, 2, 3, 4) == 1
    assert order(world, opened) == [1, 2, 4]


def test_only_training_queries_follow_the_open_round(world):
    first = world.publish(1)
    with pytest.raises(InvalidQueryError):
        follow(world, first, 2, purpose="audit")
    second = world.publish(2)
    assert follow(world, first, 3) == 0
    assert order(world, second) == [2]
