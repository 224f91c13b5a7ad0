"""Deciding about a sample outside the queue, with its history in view: each press is one new event, or a sentence."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import streamlit as st

from app.screens.shared.plain_text import escaped
from app.screens.shared.session import annotator_id, database, limits, project_id
from storage.errors import StorageError
from storage.events import find_event, standing_flags
from storage.labels import LabelEventInfo, list_events, record_decision, undo

MESSAGE_KEY, FAILURE_KEY = "decision_message", "decision_failure"
DONE_KEY = "decisions_done"  # in the session: the request ids of what was decided here, the latest last
HAND_PICKED = "hand_picked"  # the acquisition of a sample that nobody asked about: a person took it from a chart


def show_outcome() -> None:
    """Say once what the last press did."""
    message, failure = st.session_state.pop(MESSAGE_KEY, None), st.session_state.pop(FAILURE_KEY, None)
    if message:
        st.success(escaped(message), icon=":material/check:")
    if failure:
        st.error(escaped(failure), icon=":material/error:")


def request_id(sample_id: int, events: Sequence[LabelEventInfo], class_index: int | None) -> str:
    """One id per state of the sample and answer: a double click is one event, and after an undo it is a new one."""
    state = str(events[-1].id) if events else f"sample-{sample_id}"
    return f"correct:{state}:{'skip' if class_index is None else class_index}"


def decide(sample_id: int, events: Sequence[LabelEventInfo], class_index: int | None) -> None:
    """Store a decision, unless the sample was decided anew since the page was drawn.

    Args:
        sample_id: the sample.
        events: what the person saw of its history.
        class_index: the class; None is a skip.
    """
    request = request_id(sample_id, events, class_index)
    try:
        is_stored = _store_unless_decided_anew(sample_id, events, class_index, request)
    except StorageError as error:
        st.session_state[FAILURE_KEY] = f"The decision was not stored: {error}"
        return
    if is_stored:
        st.session_state.setdefault(DONE_KEY, []).append(request)
        st.session_state[MESSAGE_KEY] = f"The decision on sample {sample_id} is stored."
    else:
        st.session_state[FAILURE_KEY] = "Not stored: this sample was decided anew meanwhile. Look at it again."


def _store_unless_decided_anew(
    sample_id: int, events: Sequence[LabelEventInfo], class_index: int | None, request: str
) -> bool:
    """Whether it is stored: a decision that somebody made since the page was drawn must not vanish unseen."""
    person, identity = annotator_id(), project_id()
    with database().write() as session:
        latest = list_events(session, project_id=identity, sample_id=sample_id)[-1:]
        if [e.id for e in latest] != [e.id for e in events[-1:]] and latest[0].request_id != request:
            return False
        record_decision(
            session,
            project_id=identity,
            sample_id=sample_id,
            annotator_id=person,
            action="skip" if class_index is None else "label",
            class_index=class_index,
            request_id=request,
            acquisition=None if events else HAND_PICKED,
            limits=limits(),
        )
    return True


def undo_last() -> int | None:
    """Take back what was decided last outside the queue in this session; returns its sample."""
    done = st.session_state.get(DONE_KEY, [])
    if not done:
        st.session_state[FAILURE_KEY] = "Nothing of this visit is left to take back. Review has every label."
        return None
    with database().read() as session:
        event = find_event(session, request_id=done.pop())
    if event is None:
        return None
    take_back(event.id, f"Sample {event.sample_id} stands as it did before.")
    return event.sample_id


def flag_or_not(sample_id: int) -> None:
    """Flag a sample for a second look, or take this person's flag back."""
    try:
        person, identity = annotator_id(), project_id()
        with database().write() as session:
            own = standing_flags(session, project_id=identity, annotator_id=person)
            flag = next((event for event in own if event.sample_id == sample_id), None)
            if flag is not None:
                undo(session, project_id=identity, event_id=flag.id, annotator_id=person)
            else:
                record_decision(
                    session,
                    project_id=identity,
                    sample_id=sample_id,
                    annotator_id=person,
                    action="flag",
                    class_index=None,
                    request_id=uuid.uuid4().hex,
                )
    except StorageError as error:
        st.session_state[FAILURE_KEY] = f"The flag was not stored: {error}"
        return
    words = "flagged for a second look" if flag is None else "not flagged any more"
    st.session_state[MESSAGE_KEY] = f"Sample {sample_id} is {words}."


def take_back(event_id: int, outcome: str) -> None:
    """Undo a decision or a flag.

    Args:
        event_id: what is undone.
        outcome: what the person is told then.
    """
    try:
        person, identity = annotator_id(), project_id()
        with database().write() as session:
            undo(session, project_id=identity, event_id=event_id, annotator_id=person)
    except StorageError as error:
        st.session_state[FAILURE_KEY] = f"Nothing was undone: {error}"
        return
    st.session_state[MESSAGE_KEY] = f"Undone. {outcome}"
