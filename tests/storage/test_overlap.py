from __future__ import annotations

from storage.overlap import list_pending
from storage.projects import get_or_create_annotator
from storage.refusals import mark_broken
from storage.rounds import NewQuery, mark_scoring, publish_round


def publish(world, queries):
    begun = world.begin()
    with world.database.write() as session:
        mark_scoring(session, round_id=begun.id, generation=1, checkpoint=None, sha256=None, size=None)
        publish_round(
            session, round_id=begun.id, generation=1, queries=queries, metrics=(), fit_seconds=0.0, score_seconds=0.0
        )


def wanted(sample_id, annotators, rank=None, purpose="train"):
    return NewQuery(sample_id, sample_id if rank is None else rank, purpose, 0.5, 0.25, annotators=annotators)


def pending(world):
    return [found.sample_id for found in world.ask(list_pending)]


def test_a_sample_waits_from_its_first_decision_until_enough_have_decided(world):
    publish(world, [wanted(1, 2), wanted(2, 1)])
    assert pending(world) == []
    world.label(1)
    world.label(2)
    found = world.ask(list_pending)
    assert [(entry.sample_id, entry.annotators) for entry in found] == [(1, 2)]
    assert (found[0].purpose, found[0].score, found[0].acquisition_probability) == ("train", 0.5, 0.25)
    world.label(1, 1, annotator_id=world.bob)
    assert pending(world) == []


def test_two_decisions_of_one_annotator_are_one(world):
    publish(world, [wanted(1, 2)])
    world.label(1)
    world.label(1, 1)
    assert pending(world) == [1]


def test_three_wanted_are_three_people(world):
    publish(world, [wanted(1, 3)])
    eve = world.tell(get_or_create_annotator, name="eve")
    world.label(1)
    world.skip(1, annotator_id=world.bob)
    assert pending(world) == [1]
    world.label(1, annotator_id=eve)
    assert pending(world) == []


def test_an_undone_decision_does_not_count(world):
    publish(world, [wanted(1, 2)])
    world.label(1)
    event = world.label(1, annotator_id=world.bob)
    world.undo(event.id, world.bob)
    assert pending(world) == [1]


def test_the_last_query_says_how_many_are_wanted(world):
    publish(world, [wanted(1, 2)])
    world.label(1)
    publish(world, [wanted(1, 2), wanted(2, 1)])
    assert pending(world) == [1]
    publish(world, [wanted(1, 1)])
    assert pending(world) == []


def test_a_recheck_does_not_end_the_waiting(world):
    publish(world, [wanted(1, 2)])
    world.label(1)
    publish(world, [wanted(1, 1, purpose="recheck")])
    assert pending(world) == [1]


def test_a_decision_on_review_settles_a_sample(world):
    publish(world, [wanted(1, 2)])
    world.label(1)
    world.label(1, 1, request_id="correct:1:1")
    assert pending(world) == []


def test_a_broken_sample_waits_for_nobody(world):
    publish(world, [wanted(1, 2)])
    world.label(1)
    with world.database.write() as session:
        mark_broken(session, sample_id=1, reason="gone")
    assert pending(world) == []
