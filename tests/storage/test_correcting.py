import pytest

from storage.correcting import Corrected, correct_several, last_correction, undo_several
from storage.current import current_labels
from storage.errors import LimitReachedError
from storage.events import list_events
from storage.limits import Limits


def correct(world, seen, class_index=1, key="k1", **more):
    given = {"annotator_id": world.ada, "seen": seen, "class_index": class_index, "key": key}
    return world.tell(correct_several, **given, **more)


def standing(world):
    return {label.sample_id: label.class_index for label in world.ask(current_labels)}


def test_each_is_an_event_that_says_with_how_many_it_was_corrected(world):
    seen = {sample_id: world.label(sample_id, 0).id for sample_id in (1, 2, 3)}
    assert correct(world, seen) == Corrected(stored=3, same=0, moved=0)
    assert standing(world) == {1: 1, 2: 1, 3: 1}
    added = world.ask(list_events)[3:]
    assert [(event.sample_id, event.supersedes, event.shown_together) for event in added] == [
        (sample_id, event_id, 3) for sample_id, event_id in seen.items()
    ]


def test_one_undo_takes_all_of_them_back_and_nobody_is_asked_anew(world):
    seen = {sample_id: world.label(sample_id, sample_id % 2).id for sample_id in (1, 2, 3)}
    correct(world, seen)
    correct(world, {4: world.label(4, 0).id}, key="k2")
    given = {"annotator_id": world.ada, "key": "k1"}
    assert world.tell(undo_several, **given) == 1  # 2; 1 and 3 had the class already
    assert standing(world) == {1: 1, 2: 0, 3: 1, 4: 1}
    assert world.tell(undo_several, **given) == 0
    assert world.batch() == []  # no claim brings one back


def test_what_somebody_decided_about_meanwhile_is_left(world):
    seen = {sample_id: world.label(sample_id, 0).id for sample_id in (1, 2)}
    world.undo(world.label(2, 1, annotator_id=world.bob).id)
    again = world.label(1, 0, annotator_id=world.bob)
    assert correct(world, seen) == Corrected(stored=1, same=0, moved=1)
    assert standing(world) == {1: 0, 2: 1}
    assert world.ask(current_labels)[0].event_id == again.id


def test_the_same_action_again_changes_nothing_and_says_the_same(world):
    seen = {1: world.label(1, 0).id}
    first = correct(world, seen)
    assert correct(world, seen) == first == Corrected(stored=1, same=0, moved=0)
    assert len(world.ask(list_events)) == 2


def test_what_can_be_taken_back_is_a_persons_own_last_correction_then_the_one_before(world):
    whose = {"annotator_id": world.ada}
    assert world.ask(last_correction, **whose) is None
    correct(world, {sample_id: world.label(sample_id, 0).id for sample_id in (1, 2)})
    correct(world, {3: world.label(3, 0).id}, key="k2")
    assert world.ask(last_correction, **whose) == ("k2", 1)
    assert world.ask(last_correction, annotator_id=world.bob) is None
    assert world.tell(undo_several, annotator_id=world.bob, key="k2") == 0
    world.tell(undo_several, **whose, key="k2")
    assert world.ask(last_correction, **whose) == ("k1", 2)


def test_a_decision_given_since_outlives_the_undo(world):
    correct(world, {1: world.label(1, 0).id})
    world.label(1, 0, annotator_id=world.bob)
    world.tell(undo_several, annotator_id=world.ada, key="k1")
    assert standing(world) == {1: 0}


def test_a_limit_stops_all_of_it_or_none(world):
    seen = {1: world.label(1, 0).id, 2: world.skip(2).id}
    with pytest.raises(LimitReachedError):
        correct(world, seen, limits=Limits(labels=1))
    assert standing(world) == {1: 0, 2: None}
