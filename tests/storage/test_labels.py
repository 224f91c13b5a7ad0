import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.current import decided_ids
from storage.errors import (
    InvalidDecisionError,
    RequestIdReusedError,
    UnknownAnnotatorError,
    UnknownEventError,
    UnknownSampleError,
)
from storage.labels import (
    changed_since,
    current_labels,
    history,
    last_event_id,
    list_events,
)
from storage.samples import add_samples


def standing(world, through_event_id=None):
    """What stands, as {sample id: class index, or the action where it has none}."""
    found = world.ask(current_labels, through_event_id=through_event_id)
    return {label.sample_id: label.action if label.class_index is None else label.class_index for label in found}


def test_a_resubmitted_request_stores_one_event_and_answers_the_same(world):
    answers = [world.label(1, 1, request_id="token") for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert world.ask(list_events) == answers[:1]


def test_two_answers_of_one_person_are_two_events_and_the_later_stands(world):
    first, second = world.label(1, 0), world.label(1, 1)
    assert world.ask(list_events) == [first, second]
    assert standing(world) == {1: 1}


@pytest.mark.parametrize("other", [{"sample_id": 2}, {"class_index": 1}, {"class_index": None, "action": "skip"}])
def test_a_request_id_with_another_content_is_refused_aloud(world, other):
    world.label(1, 0, request_id="token")
    with pytest.raises(RequestIdReusedError, match="token"):
        world.label(**{"sample_id": 1, "class_index": 0} | other, request_id="token")
    assert standing(world) == {1: 0}


def test_a_flag_does_not_use_up_the_request_of_the_label_after_it(world):
    for _ in range(2):
        world.flag(1, request_id="token")
        world.label(1, 1, request_id="token")
    assert [event.action for event in world.ask(list_events)] == ["flag", "label"]
    (label,) = world.ask(current_labels)
    assert (label.class_index, label.flagged) == (1, True)


def test_a_flag_taken_back_is_gone(world):
    flag = world.flag(1)
    label = world.label(1)
    unflag = world.undo(flag.id)
    assert [label.flagged for label in world.ask(current_labels)] == [False]
    assert [label.flagged for label in world.ask(current_labels, through_event_id=label.id)] == [True]
    assert unflag.supersedes == flag.id
    assert world.claim() is None  # a flag never puts a sample on the screen


def test_undo_brings_back_what_stood_before_each_correction(world):
    first = world.label(1, 0)
    second = world.label(1, 1)
    assert second.supersedes == first.id
    third = world.undo(second.id)
    assert standing(world) == {1: 0}
    fourth = world.undo(first.id)
    assert standing(world) == {}
    fifth = world.skip(1)
    assert fifth.supersedes is None
    history = {first.id: {1: 0}, second.id: {1: 1}, third.id: {1: 0}, fourth.id: {}, fifth.id: {1: "skip"}}
    assert {event_id: standing(world, event_id) for event_id in history} == history
    assert standing(world, 0) == {}


def test_an_undo_of_what_was_corrected_since_leaves_the_correction(world):
    first = world.label(1, 0)
    world.label(1, 1)
    world.undo(first.id)
    assert standing(world) == {1: 1}


def test_undoing_twice_is_one_undo(world):
    event = world.label(1)
    assert world.undo(event.id) == world.undo(event.id)
    assert world.ask(last_event_id) == 2


def test_an_undo_cannot_be_undone(world):
    undo = world.undo(world.label(1).id)
    with pytest.raises(InvalidDecisionError, match="label the sample again"):
        world.undo(undo.id)


def test_an_undone_sample_is_on_the_screen_again_with_a_new_request(world):
    world.publish(1, 2)
    shown = world.claim()
    event = world.label(1, request_id=shown.token)
    assert world.claim().sample.id == 2
    world.undo(event.id)
    again = world.claim()
    assert again.sample.id == 1
    assert again.token != shown.token
    assert (again.rank, again.score, again.query_id) == (shown.rank, shown.score, shown.query_id)


def test_an_undone_sample_that_somebody_else_looks_at_stays_with_them(world):
    event = world.label(1)
    assert world.look_at(1, world.bob)
    world.undo(event.id)
    assert world.claim(world.ada) is None
    assert world.claim(world.bob).sample.id == 1
    assert standing(world) == {}


def test_an_event_remembers_why_its_sample_was_shown(world):
    world.publish(1, 2, audit=(2,))
    world.label(1, request_id=world.claim().token)
    event = world.label(2, request_id=world.claim().token, suggestion_shown=True, lead_time_s=1.5)
    assert (event.purpose, event.acquisition, event.score, event.acquisition_probability) == (
        "audit",
        "bald",
        0.5,
        0.25,
    )
    assert (event.rank, event.round_number, event.model_version) == (1, 0, "round-0")
    assert (event.suggestion_shown, event.lead_time_s, event.annotator) == (True, 1.5, "ada")


def test_a_correction_without_a_claim_keeps_why_the_sample_was_shown(world):
    world.publish(1, audit=(1,))
    world.label(1, 0, request_id=world.claim().token)
    assert (world.label(1, 1).purpose, world.label(1, 0, annotator_id=world.bob).rank) == ("audit", 0)


def test_an_audit_sample_whose_claim_was_lost_stays_an_audit_sample(world):
    world.publish(1, audit=(1,))
    assert world.label(1).purpose == "audit"


def test_a_sample_that_was_never_asked_about_is_labeled_to_train_on(world):
    event = world.label(5)
    assert (event.purpose, event.round_number, event.score) == ("train", None, None)


@pytest.mark.parametrize(
    ("action", "class_index"), [("label", None), ("label", 2), ("label", -1), ("skip", 0), ("flag", 0), ("undo", None)]
)
def test_a_decision_that_makes_no_sense_is_refused(world, action, class_index):
    with pytest.raises(InvalidDecisionError):
        world.label(1, class_index, action=action)
    assert world.ask(list_events) == []


def test_test_data_cannot_be_labeled(world, samples_like):
    world.tell(add_samples, samples=[samples_like("test", "test", 1)])
    with pytest.raises(InvalidDecisionError, match="test data"):
        world.label(11)


def test_unknown_samples_events_and_annotators_are_refused(world):
    with pytest.raises(UnknownSampleError, match="99"):
        world.label(99)
    with pytest.raises(UnknownEventError, match="99"):
        world.undo(99)
    with pytest.raises(UnknownAnnotatorError, match="99"):
        world.label(1, annotator_id=99)


def test_history_is_each_annotators_own_latest_first_without_the_undone(world):
    first, second = world.label(1), world.skip(2)
    world.label(3, annotator_id=world.bob)
    world.flag(4)
    world.undo(world.label(5).id)
    assert world.ask(history, annotator_id=world.ada) == [second, first]
    assert world.ask(history, annotator_id=world.ada, limit=1) == [second]


def test_who_has_decided_nothing_has_no_history(world):
    assert world.ask(history, annotator_id=world.bob) == []
    assert world.ask(last_event_id) == 0


def test_only_changed_training_labels_count_as_changed(world):
    world.publish(8, audit=(8,))
    dropped = [world.label(sample_id, 0) for sample_id in (1, 2, 3, 4)][2]
    since = world.ask(last_event_id)
    assert world.ask(changed_since, event_id=since) == 0
    world.label(1, 0)  # the same class again: no change
    world.label(2, 1)  # change 1
    world.undo(dropped.id)  # change 2: one label fewer
    world.undo(world.label(4, 1).id)  # there and back: no change
    world.label(5, 1)  # change 3: a new label
    world.skip(6)  # a skip trains nothing
    world.flag(7)
    world.label(8, 1)  # an audit label trains nothing
    assert world.ask(changed_since, event_id=since) == 3
    assert world.ask(changed_since, event_id=0) == 4  # samples 1, 2, 4, 5


def test_a_label_that_became_a_skip_changes_the_training_set(world):
    since = world.label(1).id
    world.skip(1)
    assert world.ask(changed_since, event_id=since) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE label_events SET class_index = 1 WHERE id = 1",
        "UPDATE label_events SET created_at = created_at",
        "DELETE FROM label_events WHERE id = 1",
        "DELETE FROM label_events",
    ],
)
def test_the_database_itself_refuses_to_change_an_event(world, change):
    world.label(1, 0)
    with pytest.raises(DBAPIError, match="append-only"), world.database.write() as session:
        session.execute(text(change))


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "change",
    [
        "REPLACE INTO label_events SELECT * FROM label_events",
        "INSERT OR REPLACE INTO label_events (id, project_id, sample_id, annotator_id, action, purpose, "
        "suggestion_shown, request_id, created_at) SELECT 7, project_id, sample_id, annotator_id, 'skip', purpose, "
        "suggestion_shown, request_id, created_at FROM label_events WHERE id = 1",
    ],
)
def test_the_database_itself_refuses_to_replace_an_event(world, change):
    world.label(1, 0)
    with pytest.raises(DBAPIError, match="append-only"), world.database.write() as session:
        session.execute(text(change))
    assert standing(world) == {1: 0}


def test_a_decision_frees_the_claim_and_a_flag_keeps_it(world):
    world.publish(1, 2)
    shown = world.claim()
    world.flag(1, request_id=shown.token)
    assert world.claim() == shown
    world.skip(1, request_id=shown.token)
    assert world.claim().sample.id == 2


def recheck(world, class_index):
    """Label sample 1 as a cat, let a round ask again, and answer that."""
    first = world.label(1, 0)
    world.publish(1, recheck=(1,))
    return first, world.label(1, class_index, request_id=world.claim().token)


@pytest.mark.parametrize(("second_look", "changed"), [(0, 0), (1, 1)])
def test_a_recheck_changes_what_is_trained_on_only_when_it_finds_another_class(world, second_look, changed):
    first, again = recheck(world, second_look)
    assert world.ask(changed_since, event_id=first.id) == changed
    assert standing(world) == {1: second_look}
    assert standing(world, first.id) == {1: 0}
    assert again.supersedes == first.id


def test_an_undone_recheck_restores_the_label_before_and_comes_back_as_a_recheck(world):
    first, again = recheck(world, 1)
    taken_back = world.undo(again.id)
    assert (taken_back.purpose, standing(world)) == ("recheck", {1: 0})
    assert world.ask(changed_since, event_id=first.id) == 0
    shown = world.claim()
    assert (shown.sample.id, shown.purpose) == (1, "recheck")
    assert world.label(1, 1, request_id=shown.token).supersedes == first.id


def test_a_recheck_stands_in_the_history_beside_the_label_it_looked_at(world):
    first, again = recheck(world, 1)
    assert [event.id for event in world.ask(history, annotator_id=world.ada)] == [again.id, first.id]


def test_an_audit_label_that_is_corrected_is_no_change_of_what_is_trained_on(world):
    world.publish(1, audit=(1,))
    first = world.label(1, 0, request_id=world.claim().token)
    world.label(1, 1)
    assert world.ask(changed_since, event_id=first.id) == 0


def test_an_event_remembers_how_it_was_shown(world):
    plain = world.label(1)
    told = world.label(2, why_shown=True, shown_together=12)
    assert (plain.why_shown, plain.shown_together) == (False, 1)
    assert (told.why_shown, told.shown_together) == (True, 12)


def test_a_decision_is_about_one_of_at_least_one_sample_on_screen(world):
    with pytest.raises(InvalidDecisionError, match="at least one"):
        world.label(1, shown_together=0)


def test_what_was_chosen_otherwise_than_by_the_ranking_says_how(world):
    event = world.label(1, acquisition="grid")
    assert (event.acquisition, event.purpose, event.round_number, event.model_version) == ("grid", "train", None, None)


def test_the_decided_samples_are_the_labeled_and_the_skipped(world):
    world.label(1)
    world.skip(2)
    world.flag(3)
    world.undo(world.label(4).id)
    assert world.ask(decided_ids) == {1, 2}
