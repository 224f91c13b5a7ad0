import math

import pytest
from sqlalchemy.exc import IntegrityError

from storage.errors import InvalidSuspectError, StaleGenerationError, UnknownRoundError
from storage.models import Suspect
from storage.suspects import NewSuspect, SuspectInfo, list_suspects, replace_suspects
from storage.trainer import start_generation


def suspect(event, suspicion=0.5):
    return NewSuspect(event.sample_id, event.id, event.class_index, 1 - event.class_index, suspicion)


def replace(world, round_id, *suspects, generation=1):
    with world.database.write() as session:
        replace_suspects(session, round_id=round_id, generation=generation, suspects=suspects)


def suspected(world):
    return [entry.sample_id for entry in world.ask(list_suspects)]


def test_the_most_suspect_label_comes_first(world):
    events = [world.label(sample_id) for sample_id in (1, 2, 3)]
    opened = world.publish(4)
    replace(world, opened.id, suspect(events[0], 0.25), suspect(events[1], 1.0), suspect(events[2], 0.5))
    assert suspected(world) == [2, 3, 1]
    assert world.ask(list_suspects)[0] == SuspectInfo(2, events[1].id, 0, 1, 1.0, round_number=0)


def test_equally_suspect_labels_come_by_sample(world):
    events = [world.label(sample_id) for sample_id in (3, 1, 2)]
    replace(world, world.publish(4).id, *map(suspect, events))
    assert suspected(world) == [1, 2, 3]


def test_said_again_the_new_suspects_stand_alone(world):
    first, second = world.label(1), world.label(2)
    opened = world.publish(4)
    for _ in range(2):
        replace(world, opened.id, suspect(first), suspect(second))
    assert suspected(world) == [1, 2]
    replace(world, opened.id, suspect(second))
    assert suspected(world) == [2]


def test_a_newer_round_overrules_the_one_before_even_with_no_suspect_at_all(world):
    first, second = world.label(1), world.label(2)
    replace(world, world.publish(4).id, suspect(first))
    newer = world.publish(5)
    assert suspected(world) == [1]  # nothing newer was found out yet
    replace(world, newer.id, suspect(second))
    assert [(entry.sample_id, entry.round_number) for entry in world.ask(list_suspects)] == [(2, 1)]
    replace(world, newer.id)
    assert suspected(world) == []


def test_an_older_round_said_again_leaves_the_newer_one_alone(world):
    first, second = world.label(1), world.label(2)
    older, newer = world.publish(4), world.publish(5)
    replace(world, newer.id, suspect(second))
    replace(world, older.id, suspect(first))
    assert suspected(world) == [2]


def test_a_label_that_was_corrected_or_taken_back_or_skipped_is_suspected_no_more(world):
    events = [world.label(sample_id) for sample_id in (1, 2, 3, 4)]
    replace(world, world.publish(5).id, *map(suspect, events))
    world.label(1, 1)
    world.undo(events[1].id)
    world.skip(3)
    world.flag(4)  # a flag decides nothing
    assert suspected(world) == [4]


def test_a_label_that_stands_again_is_suspected_again(world):
    event = world.label(1)
    replace(world, world.publish(5).id, suspect(event))
    correction = world.label(1, 1)
    assert suspected(world) == []
    world.undo(correction.id)
    assert suspected(world) == [1]


def test_a_recheck_settles_the_suspicion_whatever_it_says(world):
    event = world.label(1, 0)
    replace(world, world.publish(1, recheck=(1,)).id, suspect(event))
    world.label(1, 0, request_id=world.claim().token)
    assert suspected(world) == []


def test_suspects_of_other_projects_are_not_listed(world):
    replace(world, world.publish(4).id, suspect(world.label(1)))
    with world.database.read() as session:
        assert list_suspects(session, project_id=world.project_id + 1) == []


@pytest.mark.parametrize("suspicion", [-0.1, 1.1, math.nan, math.inf])
def test_a_suspicion_outside_zero_to_one_is_refused(world, suspicion):
    event = world.label(1)
    with pytest.raises(InvalidSuspectError, match="not from 0 to 1"):
        replace(world, world.publish(4).id, suspect(event, suspicion))


def test_when_one_suspect_is_refused_those_before_stay(world):
    first, second = world.label(1), world.label(2)
    opened = world.publish(4)
    replace(world, opened.id, suspect(first))
    with pytest.raises(InvalidSuspectError, match="contradicts itself"):
        replace(world, opened.id, suspect(second), NewSuspect(1, first.id, 0, 0, 0.5))
    with pytest.raises(InvalidSuspectError, match=r"sample 2 .* comes twice"):
        replace(world, opened.id, suspect(second), suspect(second))
    assert suspected(world) == [1]


def test_the_database_itself_refuses_a_suspicion_that_makes_no_sense(world):
    event = world.label(1)
    opened = world.publish(4)
    for more in ({"suspicion": 2.0, "suggested_index": 1}, {"suspicion": 0.5, "suggested_index": 0}):
        with pytest.raises(IntegrityError), world.database.write() as session:
            session.add(Suspect(round_id=opened.id, sample_id=1, event_id=event.id, given_index=0, **more))


def test_a_replaced_trainer_suspects_nothing(world):
    event = world.label(1)
    first = world.tell(start_generation, pid=1)
    opened = world.publish(4, generation=first)
    second = world.tell(start_generation, pid=2)
    with pytest.raises(StaleGenerationError):
        replace(world, opened.id, suspect(event), generation=first)
    replace(world, opened.id, suspect(event), generation=second)  # a round it did not publish itself
    assert suspected(world) == [1]


def test_an_unknown_round_suspects_nothing(world):
    with pytest.raises(UnknownRoundError, match="99"):
        replace(world, 99)
