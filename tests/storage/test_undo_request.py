"""What a page undoes by the request it sent, before it knows the event's id."""

import pytest

from storage.errors import InvalidDecisionError, RequestIdReusedError, UnknownEventError
from storage.labels import current_labels, last_event_id, list_events, undo_request


def standing(world):
    """What stands, as {sample id: class index}."""
    return {label.sample_id: label.class_index for label in world.ask(current_labels)}


def undo_by_request(world, request_id, undo_id, annotator_id=None):
    return world.tell(undo_request, annotator_id=annotator_id or world.ada, request_id=request_id, undo_id=undo_id)


def test_a_page_undoes_by_the_request_it_sent(world):
    world.publish(1, 2)
    shown = world.claim()
    event = world.label(1, request_id=shown.token)
    undone = undo_by_request(world, shown.token, "undo 1")
    assert (undone.action, undone.supersedes, undone.request_id) == ("undo", event.id, "undo 1")
    assert (undone.purpose, undone.round_number, undone.rank) == ("train", 0, 0)
    assert standing(world) == {}
    assert world.claim().sample.id == 1


def test_an_undo_sent_again_is_one_undo(world):
    world.label(1, request_id="token")
    assert undo_by_request(world, "token", "undo 1") == undo_by_request(world, "token", "undo 1")
    assert world.ask(last_event_id) == 2


@pytest.mark.parametrize("again", ["undo 2", "undo:1"])
def test_what_is_undone_already_stays_undone_once(world, again):
    world.label(1, request_id="token")
    first = undo_by_request(world, "token", "undo 1")
    assert undo_by_request(world, "token", again) == first
    assert world.undo(1) == first
    assert world.ask(last_event_id) == 2


def test_an_undo_sent_again_after_a_new_label_leaves_the_label(world):
    world.label(1, 0, request_id="first")
    undo_by_request(world, "first", "undo 1")
    world.label(1, 1, request_id="second")
    undo_by_request(world, "first", "undo 1")
    assert standing(world) == {1: 1}


def test_the_last_ten_are_undone_in_any_order_and_over_rounds(world):
    for number in range(1, 6):
        world.label(number, 0, request_id=f"token {number}")
    world.publish(6, 7, 8, 9, 10)
    for number in range(6, 11):
        world.label(number, 0, request_id=f"token {number}")
    for place, number in enumerate([4, 10, 1, 7, 2, 9, 5, 3, 8, 6]):
        undo_by_request(world, f"token {number}", f"undo {number}")
        assert len(standing(world)) == 9 - place
    assert len(world.ask(list_events)) == 20
    rounds = {event.sample_id: event.round_number for event in world.ask(list_events) if event.action == "undo"}
    assert rounds == dict.fromkeys(range(1, 6)) | dict.fromkeys(range(6, 11), 0)


def test_an_undo_keeps_what_the_page_has_fetched_ahead(world):
    world.publish(1, 2, 3)
    batch = world.batch(count=3)
    world.label(1, request_id=batch[0].token)
    undo_by_request(world, batch[0].token, "undo 1")
    ahead = {claimed.sample.id: claimed.token for claimed in world.batch(count=3)}
    assert ahead.keys() == {1, 2, 3}
    assert (ahead[2], ahead[3]) == (batch[1].token, batch[2].token)


def test_a_flag_is_undone_by_the_request_it_came_with(world):
    world.flag(1, request_id="token")
    assert undo_by_request(world, "token", "undo 1").supersedes == 1
    assert world.claim() is None


def test_where_a_label_and_a_flag_share_a_request_the_label_is_undone_first(world):
    world.flag(1, request_id="token")
    label = world.label(1, request_id="token")
    assert undo_by_request(world, "token", "undo 1").supersedes == label.id
    assert undo_by_request(world, "flag:token", "undo 2").supersedes == 1


def test_only_ones_own_request_can_be_undone(world):
    world.label(1, request_id="token", annotator_id=world.bob)
    for request_id in ("token", "never sent"):
        with pytest.raises(UnknownEventError, match=request_id):
            undo_by_request(world, request_id, "undo 1")
    assert standing(world) == {1: 0}


def test_an_undo_has_no_undo_by_request_either(world):
    world.label(1, request_id="token")
    undo_by_request(world, "token", "undo 1")
    with pytest.raises(InvalidDecisionError, match="label the sample again"):
        undo_by_request(world, "undo 1", "undo 2")


def test_an_undo_under_the_request_of_another_sample_is_refused(world):
    world.label(1, request_id="token")
    world.label(2, request_id="other")
    with pytest.raises(RequestIdReusedError, match="other"):
        undo_by_request(world, "token", "other")


def test_an_undo_under_the_request_of_its_own_label_is_refused(world):
    world.label(1, request_id="token")
    with pytest.raises(RequestIdReusedError, match="token"):
        undo_by_request(world, "token", "token")
    assert standing(world) == {1: 0}
