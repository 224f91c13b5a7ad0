"""What Review does with what the browser says of several cards."""

from __future__ import annotations

import pytest

from app.screens.review_page import several_box
from app.screens.shared.decisions import outbox_name
from storage.labels import current_labels

FIRST, SECOND = "aaaaaaaa", "bbbbbbbb"


@pytest.fixture
def say(filled, monkeypatch):
    """The browser says something; returns the sentence that answers it."""
    state: dict[str, object] = {}
    monkeypatch.setattr("streamlit.session_state", state)
    for module in ("shared.decisions", "review_page.several_box"):
        monkeypatch.setattr(f"app.screens.{module}.annotator_id", lambda: filled.annotator_id)

    def said(**message):
        monkeypatch.setattr(several_box, "sent_message", lambda: {"name": outbox_name(), **message})
        several_box.act_on_message()
        return state.get(several_box.ANSWER_KEY)

    return said


def standing(filled):
    with filled.database.read() as session:
        return {one.sample_id: one.class_index for one in current_labels(session, project_id=filled.project_id)}


def test_several_are_corrected_and_taken_back_as_one(filled, say):
    seen = [[sample_id, filled.label(sample_id, sample_id % 2)] for sample_id in (1, 2, 3)]
    told = say(id=FIRST, kind="correct", class_index=1, chosen=seen)
    assert told == (FIRST, "1 corrected to dog. 2 had that class already.")
    assert standing(filled) == {1: 1, 2: 1, 3: 1}
    assert say(id=SECOND, kind="undo") == (SECOND, "1 corrections are taken back; what stood before stands again.")
    assert standing(filled) == {1: 1, 2: 0, 3: 1}
    assert say(id="cccccccc", kind="undo")[1] == "There is nothing to take back here."


def test_a_message_that_comes_again_is_done_once(filled, say):
    seen = [[1, filled.label(1, 0)]]
    told = say(id=FIRST, kind="correct", class_index=1, chosen=seen)
    assert say(id=FIRST, kind="correct", class_index=1, chosen=seen) == told


@pytest.mark.parametrize("chosen", [None, [], [[1]], [["1", 2]], [[True, 2]], "all"])
def test_what_is_no_choice_stores_nothing(filled, say, chosen):
    filled.label(1, 0)
    assert say(id=FIRST, kind="correct", class_index=1, chosen=chosen)[1] == "Nothing was chosen."
    assert standing(filled) == {1: 0}


def test_an_impossible_class_is_a_sentence_and_stores_nothing(filled, say):
    seen = [[1, filled.label(1, 0)]]
    for number, class_index in enumerate((9, -1)):
        told = say(id=FIRST + str(number), kind="correct", class_index=class_index, chosen=seen)
        assert told[1].startswith("Nothing was stored: ")
    assert standing(filled) == {1: 0}


def test_another_persons_message_is_not_touched(filled, say):
    seen = [[1, filled.label(1, 0)]]
    assert say(name="somebody else's", id=FIRST, kind="correct", class_index=1, chosen=seen) is None
    assert standing(filled) == {1: 0}
