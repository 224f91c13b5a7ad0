"""What the keys beside the chosen sample do."""

from __future__ import annotations

import pytest
import streamlit as st

from app.screens.shared import deciding
from app.screens.shared.pool_view import PoolView
from app.screens.shared.round_scores import read_round_scores
from app.screens.uncertainty_page import sample_keys
from app.screens.uncertainty_page.by_name import ordered
from app.screens.uncertainty_page.pool_selection import CHOSEN_KEY
from storage.current import current_labels
from storage.events import list_events, standing_flags
from storage.samples import get_sample

SAID = (deciding.DONE_KEY, deciding.FAILURE_KEY, deciding.MESSAGE_KEY)
KEYS = (*SAID, sample_keys.SEEN_KEY, sample_keys.REFUSED_KEY, CHOSEN_KEY)


@pytest.fixture
def view(filled, monkeypatch):
    """Sample 2 is the most doubted of 1, 2 and 3; nothing is kept for the audit."""
    settings = filled.project.settings_path
    settings.write_text(settings.read_text().replace("audit_share = 0.1", "audit_share = 0.0"))
    filled.publish(labels=0)
    path = filled.write_scores(0, sample_ids=[1, 2, 3], torn=[2])
    for module in ("shared.deciding", "uncertainty_page.sample_keys"):
        monkeypatch.setattr(f"app.screens.{module}.annotator_id", lambda: filled.annotator_id)
    for key in KEYS:
        st.session_state.pop(key, None)
    return PoolView(read_round_scores(path), ["cat", "dog", "emu"], {})


def press(filled, monkeypatch, view, sample_id, act, class_index=None, said=None, turn="t", follows=None):
    with filled.database.read() as session:
        sample = get_sample(session, sample_id=sample_id)
        events = list_events(session, project_id=filled.project_id, sample_id=sample_id)
    st.session_state[sample_keys.SEEN_KEY] = (sample, events, sample_keys.next_sample(view, sample_id))
    about = {"class_index": class_index, "sample_id": said or sample_id}
    sent = {"turn": turn, "act": act, "follows": follows, **about}
    monkeypatch.setattr(sample_keys, "sent_message", lambda: sent)
    sample_keys._heard()


def standing(filled):
    with filled.database.read() as session:
        return {one.sample_id: one.class_index for one in current_labels(session, project_id=filled.project_id)}


def test_a_key_labels_the_sample_and_goes_on_and_undo_comes_back_to_it(filled, monkeypatch, view):
    press(filled, monkeypatch, view, 2, "class", 1)
    assert standing(filled) == {2: 1}
    assert st.session_state[CHOSEN_KEY] == 1
    press(filled, monkeypatch, view, 1, "skip")
    assert standing(filled) == {2: 1, 1: None}
    press(filled, monkeypatch, view, 3, "undo")
    assert (standing(filled), st.session_state[CHOSEN_KEY]) == ({2: 1}, 1)
    press(filled, monkeypatch, view, 1, "undo")
    assert (standing(filled), st.session_state[CHOSEN_KEY]) == ({}, 2)
    press(filled, monkeypatch, view, 2, "undo")
    assert "Nothing of this visit is left" in st.session_state[deciding.FAILURE_KEY]


def test_a_key_that_was_meant_for_another_sample_is_refused_in_a_sentence(filled, monkeypatch, view):
    press(filled, monkeypatch, view, 2, "class", 1, said=3)
    assert standing(filled) == {}
    assert st.session_state[deciding.FAILURE_KEY] == sample_keys.ANOTHER_CAME


def test_an_undo_of_a_refused_key_leaves_what_was_stored_before_it(filled, monkeypatch, view):
    press(filled, monkeypatch, view, 2, "class", 1)
    press(filled, monkeypatch, view, 1, "class", 0, said=3, turn="refused")
    st.session_state.pop(deciding.FAILURE_KEY)  # it was shown
    press(filled, monkeypatch, view, 1, "undo", follows="refused")
    assert standing(filled) == {2: 1}
    assert st.session_state[deciding.FAILURE_KEY] == sample_keys.NOTHING_TO_UNDO
    press(filled, monkeypatch, view, 1, "undo")
    assert standing(filled) == {}


def test_a_flag_is_given_and_taken_back_by_the_same_key(filled, monkeypatch, view):
    for wanted in ([2], []):
        press(filled, monkeypatch, view, 2, "flag")
        with filled.database.read() as session:
            flags = standing_flags(session, project_id=filled.project_id, annotator_id=filled.annotator_id)
        assert [flag.sample_id for flag in flags] == wanted


def test_a_sample_kept_for_the_audit_is_not_labeled_by_key(filled, monkeypatch, view):
    settings = filled.project.settings_path
    settings.write_text(settings.read_text().replace("audit_share = 0.0", "audit_share = 0.5"))
    with filled.database.read() as session:
        kept = next(n for n in range(1, 7) if get_sample(session, sample_id=n).audit_key < 0.5)
    press(filled, monkeypatch, view, kept, "class", 1)
    assert standing(filled) == {}
    assert "kept for the audit" in st.session_state[deciding.FAILURE_KEY]


def test_found_samples_come_by_doubt_and_those_without_a_score_last(view):
    assert ordered(view, frozenset({6, 3, 2, 5})) == [2, 3, 5, 6]
