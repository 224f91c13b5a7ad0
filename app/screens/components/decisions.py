"""What a press of a button or key does: one action, one transaction, repeated without harm.

Every decision carries the token of the sample that was on screen when the button was drawn, so a second, quick press
can never land on a sample nobody has seen yet.
"""

import time
from collections.abc import Sequence
from typing import Literal

import streamlit as st

from app.screens.components.plain_text import escaped
from app.screens.components.session import annotator_id, database, project_id
from storage.errors import StorageError
from storage.labels import LabelEventInfo, history, last_decision, record_decision, undo
from storage.queue import ClaimedSample, claim_next, claim_sample, release_claims

SHOWN_KEY = "label_shown"  # (token, monotonic seconds): when this browser first saw the sample
FAILURE_KEY = "label_failure"
FLAGGED_KEY = "label_flagged"
HISTORY_LENGTH = 10


def next_sample() -> ClaimedSample | None:
    """The sample to show: the same one after a refresh, else the next of the ranking."""
    identity, person = project_id(), annotator_id()
    with database().write() as session:
        claimed = claim_next(session, project_id=identity, annotator_id=person)
    shown = st.session_state.get(SHOWN_KEY)
    if claimed is not None and (shown is None or shown[0] != claimed.token):
        st.session_state[SHOWN_KEY] = (claimed.token, time.monotonic())
    return claimed


def recent_decisions(claimed: ClaimedSample | None = None) -> list[LabelEventInfo]:
    """The annotator's last ten decided samples, latest first, each once.

    Args:
        claimed: the sample on screen. When it is a blind second look, the decision it is about stays out: it would
            mark the old class on the buttons and the sample in the strip.
    """
    identity, person = project_id(), annotator_id()
    with database().read() as session:
        events = history(session, project_id=identity, annotator_id=person, limit=3 * HISTORY_LENGTH)
    latest = {event.sample_id: event for event in reversed(events)}
    if claimed is not None and _is_blind(claimed, latest.get(claimed.sample.id)):
        latest.pop(claimed.sample.id)
    return sorted(latest.values(), key=lambda event: event.id, reverse=True)[:HISTORY_LENGTH]


def _is_blind(claimed: ClaimedSample, event: LabelEventInfo | None) -> bool:
    if event is None or claimed.purpose != "recheck":
        return False
    return event.purpose != "recheck" or event.round_number != claimed.round_number


def decide(claimed: ClaimedSample, action: Literal["label", "skip"], index: int | None, *, suggested: bool) -> None:
    """Store a label or a skip; the same press arriving twice is stored once."""
    try:
        identity, person = project_id(), annotator_id()
        with database().write() as session:
            record_decision(
                session,
                project_id=identity,
                sample_id=claimed.sample.id,
                annotator_id=person,
                action=action,
                class_index=index,
                request_id=claimed.token,
                suggestion_shown=suggested,
                lead_time_s=_lead_time_s(claimed.token),
            )
    except StorageError as error:
        st.session_state[FAILURE_KEY] = f"This decision was not stored: {error}"


def flag(claimed: ClaimedSample) -> None:
    """Mark the sample for a second look; it stays on screen."""
    try:
        identity, person = project_id(), annotator_id()
        with database().write() as session:
            record_decision(
                session,
                project_id=identity,
                sample_id=claimed.sample.id,
                annotator_id=person,
                action="flag",
                class_index=None,
                request_id=claimed.token,
                lead_time_s=_lead_time_s(claimed.token),
            )
        st.session_state[FLAGGED_KEY] = claimed.token
    except StorageError as error:
        st.session_state[FAILURE_KEY] = f"The flag was not stored: {error}"


def undo_last(event_id: int) -> None:
    """Undo the decision that stood last when the button was drawn; its sample comes back on screen."""
    try:
        identity, person = project_id(), annotator_id()
        with database().write() as session:
            last = last_decision(session, project_id=identity, annotator_id=person)
            if last is not None and last.id == event_id:
                undo(session, project_id=identity, event_id=event_id, annotator_id=person)
    except StorageError as error:
        st.session_state[FAILURE_KEY] = f"Nothing was undone: {error}"


def show_again(sample_id: int) -> None:
    """Bring a decided sample back on screen, to be looked at or corrected."""
    try:
        identity, person = project_id(), annotator_id()
        with database().write() as session:
            claim_sample(session, project_id=identity, annotator_id=person, sample_id=sample_id)
    except StorageError as error:
        st.session_state[FAILURE_KEY] = str(error)


def back_to_queue() -> None:
    """Leave the history: the next sample of the ranking comes on screen."""
    try:
        identity, person = project_id(), annotator_id()
        with database().write() as session:
            release_claims(session, project_id=identity, annotator_id=person)
    except StorageError as error:
        st.session_state[FAILURE_KEY] = str(error)


def walk(sample_id: int | None, sample_ids: Sequence[int], step: Literal[-1, 1]) -> int | None:
    """The sample one step older (1) or newer (-1) in a history that is latest first; None: back to the queue."""
    place = sample_ids.index(sample_id) if sample_id in sample_ids else -1
    target = min(place + step, len(sample_ids) - 1)
    return sample_ids[target] if target >= 0 else None


def show_failure() -> None:
    """Say once, as a sentence, why the last action was not stored."""
    failure = st.session_state.pop(FAILURE_KEY, None)
    if failure:
        st.error(escaped(failure), icon=":material/error:")


def _lead_time_s(token: str) -> float | None:
    shown = st.session_state.get(SHOWN_KEY)
    return time.monotonic() - shown[1] if shown and shown[0] == token else None
