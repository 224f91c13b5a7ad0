"""A decision that comes late does not take the place of what another person decided meanwhile; nothing is lost."""

from storage.labels import current_labels, list_events, undo_request
from storage.queue import round_progress
from storage.votes import list_disagreements


def standing(world):
    return {label.sample_id: label.class_index for label in world.ask(current_labels)}


def test_what_another_person_decided_meanwhile_stands_and_the_late_answer_is_kept_beside_it(world):
    world.publish(1, 2)
    bobs = world.label(1, 0, annotator_id=world.bob, blind=True)
    late = world.label(1, 1, blind=True)
    assert (bobs.aside, late.aside, late.supersedes) == (False, True, bobs.id)
    assert standing(world) == {1: 0}
    assert [vote.class_index for vote in world.ask(list_disagreements)[0].votes] == [1, 0]


def test_a_late_skip_is_kept_aside_too_and_a_late_flag_needs_not_be(world):
    world.label(1, 0, annotator_id=world.bob, blind=True)
    assert world.skip(1, blind=True).aside
    assert not world.flag(1, blind=True).aside
    assert standing(world) == {1: 0}


def test_ones_own_later_answer_stands_though_it_was_blind(world):
    world.label(1, 0, blind=True)
    assert not world.label(1, 1, blind=True).aside
    assert standing(world) == {1: 1}


def test_a_correction_made_without_seeing_what_was_settled_on_review_stays_aside(world):
    world.label(1, 0, blind=True)
    world.label(1, 1, annotator_id=world.bob, request_id="correct:1:1")
    assert world.label(1, 0, blind=True).aside
    assert standing(world) == {1: 1}


def test_who_saw_the_other_answer_replaces_it(world):
    world.label(1, 0, annotator_id=world.bob)
    assert not world.label(1, 1).aside
    assert standing(world) == {1: 1}


def test_of_a_sample_that_wants_two_both_votes_are_in_time_and_a_third_is_late(world):
    world.publish(1, annotators=2)
    assert not world.label(1, 0, annotator_id=world.bob, blind=True).aside
    assert not world.label(1, 1, blind=True).aside
    assert not world.label(1, 0, annotator_id=world.bob, blind=True).aside  # a second thought
    carl = world.tell(_carl)
    assert world.label(1, 1, annotator_id=carl, blind=True).aside
    assert standing(world) == {1: 0}


def _carl(session, *, project_id):
    from storage.projects import get_or_create_annotator

    return get_or_create_annotator(session, project_id=project_id, name="carl")


def test_a_recheck_is_answered_by_whoever_is_first_and_not_by_who_comes_after(world):
    world.label(1, 0, annotator_id=world.bob)
    world.publish(1, recheck=(1,))
    assert not world.label(1, 1, blind=True).aside
    assert world.label(1, 0, annotator_id=world.bob, blind=True).aside
    assert standing(world) == {1: 1}


def test_an_answer_kept_aside_stands_neither_now_nor_in_the_past_and_can_be_undone(world):
    world.publish(1, 2)
    world.label(1, 0, annotator_id=world.bob, blind=True)
    late = world.label(1, 1, blind=True, request_id="late")
    assert {row.class_index for row in world.ask(current_labels, through_event_id=late.id)} == {0}
    world.tell(undo_request, annotator_id=world.ada, request_id="late", undo_id="undo")
    assert standing(world) == {1: 0}
    assert world.ask(round_progress).remaining == 1
    assert [event.action for event in world.ask(list_events)] == ["label", "label", "undo"]
