"""What Review does with what the browser says of several cards."""

from __future__ import annotations

import pytest

from app.screens.review_page import several_box
from app.screens.shared.decisions import outbox_name
from storage.labels import current_labels

FIRST, SECOND, THIRD = "aaaaaaaa", "bbbbbbbb", "cccccccc"


@pytest.fixture
def say(filled, monkeypatch):
    """The browser says something; returns what it is told of its decisions: confirmed ids, and sentences."""
    monkeypatch.setattr("streamlit.session_state", {})
    monkeypatch.setattr("app.screens.shared.decisions.annotator_id", lambda: filled.annotator_id)

    def said(*decisions, seq, name=None):
        message = {"seq": seq, "name": name or outbox_name(), "decisions": list(decisions)}
        told = several_box.answer_to(message)
        return told["confirmed"], [one["sentence"] for one in [*told["refused"], *told["notices"]]]

    return said


def correct(key, class_index, chosen):
    return {"id": key, "kind": "correct", "sample_id": 0, "class_index": class_index, "chosen": chosen}


def restore(key, corrected):
    return {"id": key, "kind": "restore", "sample_id": 0, "undoes": corrected}


def standing(filled):
    with filled.database.read() as session:
        return {one.sample_id: one.class_index for one in current_labels(session, project_id=filled.project_id)}


def test_several_are_corrected_and_taken_back_as_one(filled, say):
    seen = [[sample_id, filled.label(sample_id, sample_id % 2)] for sample_id in (1, 2, 3)]
    assert say(correct(FIRST, 1, seen), seq=1) == ([FIRST], ["1 corrected to dog. 2 had that class already."])
    assert standing(filled) == {1: 1, 2: 1, 3: 1}
    words = "1 corrections are taken back; what stood before stands again."
    assert say(restore(SECOND, FIRST), seq=2) == ([SECOND], [words])
    assert standing(filled) == {1: 1, 2: 0, 3: 1}
    assert say(restore(THIRD, FIRST), seq=3) == ([THIRD], ["That correction is taken back already."])


def test_what_waited_for_the_server_is_stored_in_its_order(filled, say):
    one, two = [1, filled.label(1, 0)], [2, filled.label(2, 0)]
    waited = (correct(FIRST, 1, [one]), correct(SECOND, 2, [two]), restore(THIRD, SECOND))
    assert say(*waited, seq=1)[0] == [FIRST, SECOND, THIRD]
    assert standing(filled) == {1: 1, 2: 0}


def test_a_message_that_comes_again_is_done_once_and_answered_alike(filled, say):
    action = correct(FIRST, 1, [[1, filled.label(1, 0)]])
    told = say(action, seq=1)
    assert told == ([FIRST], ["1 corrected to dog."])
    assert say(action, seq=1) == told
    assert say(action, seq=2) == told  # its answer was lost


@pytest.mark.parametrize("chosen", [None, [], [[1]], [["1", 2]], [[True, 2]], "all"])
def test_what_is_no_choice_stores_nothing(filled, say, chosen):
    filled.label(1, 0)
    told = say(correct(FIRST, 1, chosen), seq=1)
    assert told == ([], ["A decision was not stored: A decision came with an impossible chosen."])
    assert standing(filled) == {1: 0}


@pytest.mark.parametrize("class_index", [9, -1, None])
def test_an_impossible_class_is_a_sentence_and_stores_nothing(filled, say, class_index):
    told = say(correct(FIRST, class_index, [[1, filled.label(1, 0)]]), seq=1)
    assert told == ([], [f"A decision was not stored: There is no class {class_index}."])
    assert standing(filled) == {1: 0}


def test_another_persons_message_is_not_touched(filled, say):
    told = say(correct(FIRST, 1, [[1, filled.label(1, 0)]]), seq=1, name="somebody else's")
    assert told == ([], [])
    assert standing(filled) == {1: 0}
