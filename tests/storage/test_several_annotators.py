"""Queries that several annotators decide, each blind to the others."""

import pytest

from storage.errors import InvalidQueryError
from storage.labels import current_labels
from storage.projects import get_or_create_annotator
from storage.queue import RoundProgress, round_progress
from storage.rerank import replace_tail
from storage.rounds import NewQuery, list_queries


@pytest.fixture
def carl(world):
    return world.tell(get_or_create_annotator, name="carl")


def ids(batch):
    return [claimed.sample.id for claimed in batch]


def test_two_annotators_get_the_same_sample_and_a_third_does_not(world, carl):
    world.publish(1, 2, annotators=2)
    assert ids(world.batch(world.ada, 1)) == [1]
    assert ids(world.batch(world.bob, 1)) == [1]
    assert ids(world.batch(carl, 1)) == [2]


def test_their_claims_have_tokens_of_their_own(world):
    world.publish(1, annotators=2)
    (mine,), (theirs,) = world.batch(world.ada, 1), world.batch(world.bob, 1)
    assert mine.token != theirs.token


def test_who_decided_is_not_asked_again_and_the_other_is(world):
    world.publish(1, annotators=2)
    world.label(1, 0)
    assert world.batch(world.ada, 1) == []
    assert ids(world.batch(world.bob, 1)) == [1]


def test_one_decision_leaves_room_for_one_more(world, carl):
    world.publish(1, annotators=2)
    world.label(1, 0)
    world.batch(world.bob, 1)
    assert world.batch(carl, 1) == []


def test_a_sample_on_the_screen_of_one_is_not_let_go_when_the_other_decides(world):
    world.publish(1, 2, annotators=2)
    (shown,) = world.batch(world.bob, 1)
    world.batch(world.bob, 1, keep=[shown.token])
    world.label(1, 0)
    assert world.batch(world.bob, 1, keep=[shown.token])[0].token == shown.token


def test_two_decisions_are_enough_and_the_newest_stands(world, carl):
    world.publish(1, 2, annotators=2)
    world.label(1, 0)
    world.label(1, 1, annotator_id=world.bob)
    assert ids(world.batch(carl, 1)) == [2]
    assert [(label.class_index, label.annotator) for label in world.ask(current_labels)] == [(1, "bob")]


def test_decisions_of_earlier_rounds_count(world, carl):
    world.publish(1, annotators=2)
    world.label(1, 0)
    world.publish(1, annotators=2)
    assert world.batch(world.ada, 1) == []
    world.label(1, 0, annotator_id=world.bob)
    assert world.batch(carl, 1) == []


def test_two_answers_of_one_annotator_count_once(world):
    world.publish(1, annotators=2)
    world.label(1, 0)
    world.label(1, 1)
    assert ids(world.batch(world.bob, 1)) == [1]


def test_a_skip_is_an_answer_and_a_flag_is_none(world, carl):
    world.publish(1, 2, annotators=2)
    world.flag(1)
    world.skip(1, annotator_id=world.bob)
    assert ids(world.batch(world.ada, 1)) == [1]
    world.skip(1)
    assert ids(world.batch(carl, 1)) == [2]


def test_an_undo_gives_the_sample_back_to_who_undid_and_leaves_the_other_vote(world):
    world.publish(1, 2, annotators=2)
    mine = world.label(1, 0)
    world.label(1, 1, annotator_id=world.bob)
    world.undo(mine.id)
    assert [(label.class_index, label.annotator) for label in world.ask(current_labels)] == [(1, "bob")]
    assert ids(world.batch(world.ada, 2)) == [1, 2]
    assert ids(world.batch(world.bob, 2)) == [2]


def test_the_undo_of_the_newest_vote_lets_the_other_stand(world):
    world.publish(1, annotators=2)
    world.label(1, 0)
    world.undo(world.label(1, 1, annotator_id=world.bob).id, world.bob)
    assert [(label.class_index, label.annotator) for label in world.ask(current_labels)] == [(0, "ada")]


def test_after_a_decision_on_review_nobody_is_asked_any_more(world):
    world.publish(1, 2, annotators=2)
    world.label(1, 0)
    world.label(1, 1, request_id="correct:1:1")
    assert ids(world.batch(world.bob, 1)) == [2]


def test_every_vote_keeps_why_its_sample_was_asked(world):
    world.publish(2, 1, audit=(1,), annotators=2)
    events = [world.label(1, 0), world.label(1, 1, annotator_id=world.bob)]
    assert {(event.purpose, event.rank, event.score) for event in events} == {("audit", 1, 0.5)}


def test_progress_counts_a_query_when_all_it_wants_have_answered(world):
    world.publish(1, 2, annotators=2)
    world.label(1, 0)
    assert world.ask(round_progress) == RoundProgress(0, answered_audit=0, remaining=2)
    world.label(1, 0, annotator_id=world.bob)
    assert world.ask(round_progress) == RoundProgress(0, answered_audit=0, remaining=1)


def test_a_sample_with_one_of_two_votes_keeps_its_place(world):
    opened = world.publish(1, 2, 3, annotators=2)
    world.label(2, 0)
    with world.database.write() as session:
        ranking = [NewQuery(number, rank, "train", 1.0, 1.0, annotators=2) for rank, number in enumerate([2, 3, 1])]
        replace_tail(session, round_id=opened.id, generation=1, ranking=ranking)
        assert [query.sample_id for query in list_queries(session, round_id=opened.id)] == [3, 2, 1]


def test_a_sample_with_room_can_be_looked_at_again_and_one_without_cannot(world, carl):
    world.publish(1, annotators=2)
    world.batch(world.ada, 1)
    assert world.look_at(1, world.bob)
    assert not world.look_at(1, carl)


def test_a_recheck_is_answered_by_one_whatever_the_round_wants(world):
    world.label(1)
    world.publish(1, recheck=(1,), annotators=2)
    world.batch(world.ada, 1)
    assert world.batch(world.bob, 1) == []
    world.label(1)
    assert world.batch(world.bob, 1) == []


def test_a_query_wants_somebody(world):
    with pytest.raises(InvalidQueryError, match="0 annotators"):
        world.publish(1, annotators=0)
