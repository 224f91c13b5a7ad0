"""Correcting one decision: another class, a skip, an undo, or a flag taken back; each is one new event."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app.screens.content.sample import draw_large
from app.screens.shared.filters import ReviewRow
from app.screens.shared.plain_text import escaped
from app.screens.shared.review_rows import decision_words, prediction_words, suspect_words
from app.screens.shared.session import annotator_id, database, limits, project_id
from storage.errors import StorageError
from storage.labels import LabelEventInfo, list_events, record_decision, undo
from storage.samples import SampleInfo

MOST_BUTTONS = 20  # classes; past this a list with a search box is quicker than a wall of buttons
MESSAGE_KEY, FAILURE_KEY = "review_message", "review_failure"


def correction_box(row: ReviewRow, sample: SampleInfo, classes: Sequence[str]) -> None:
    """Draw one decided sample with everything that may be done about it."""
    with database().read() as session:
        events = list_events(session, project_id=project_id(), sample_id=sample.id)
    st.subheader(f"Sample {sample.id}")
    draw_large(sample, width=260)
    st.markdown(
        f"**{escaped(decision_words(row, classes))}** by {escaped(row.label.annotator)}; "
        f"the model said {escaped(prediction_words(row, classes))}."
    )
    if row.label.purpose == "audit":
        st.caption("An audit sample: it measures the accuracy and is never trained on; a correction keeps it so.")
    if row.label.purpose == "recheck":
        st.caption("This is what a blind second look said; the history below holds the first.")
    if row.suspect is not None:
        st.warning(
            f"This label is likely wrong: {escaped(suspect_words(row, classes))}.", icon=":material/troubleshoot:"
        )
    _class_choice(row, events, classes)
    with st.container(horizontal=True):
        if row.suspect is not None:
            _button("The label is right", "review_confirm", decide, row.label.sample_id, events, row.label.class_index)
        if row.label.action == "label":
            _button("Skip instead", "review_skip", decide, row.label.sample_id, events, None)
        _button("Undo this decision", "review_undo", _undo, row.label.event_id, "The sample waits on the Label screen.")
        for event in standing_flags(events):
            _button("Take the flag back", f"review_unflag_{event.id}", _undo, event.id, "The flag is taken back.")
    _history(events, classes)


def standing_flags(events: Sequence[LabelEventInfo]) -> list[LabelEventInfo]:
    """The flags that no undo names."""
    undone = {event.supersedes for event in events if event.action == "undo"}
    return [event for event in events if event.action == "flag" and event.id not in undone]


def request_id(events: Sequence[LabelEventInfo], class_index: int | None) -> str:
    """One id per state of the sample and answer: a double click is one event, and after an undo it is a new one."""
    return f"correct:{events[-1].id}:{'skip' if class_index is None else class_index}"


def show_outcome() -> None:
    """Say once what the last press did."""
    message, failure = st.session_state.pop(MESSAGE_KEY, None), st.session_state.pop(FAILURE_KEY, None)
    if message:
        st.success(escaped(message), icon=":material/check:")
    if failure:
        st.error(escaped(failure), icon=":material/error:")


def _class_choice(row: ReviewRow, events: Sequence[LabelEventInfo], classes: Sequence[str]) -> None:
    st.markdown("**Label it**" if row.label.class_index is None else "**Correct to**")
    if len(classes) > MOST_BUTTONS:
        others = [index for index in range(len(classes)) if index != row.label.class_index]
        chosen = st.selectbox("Class", others, format_func=lambda index: classes[index], key="review_class")
        _button("Save", "review_save", decide, row.label.sample_id, events, chosen)
        return
    with st.container(horizontal=True, gap="small"):
        for index, name in enumerate(classes):
            own = index == row.label.class_index
            _button(
                escaped(name),
                f"review_class_{index}",
                decide,
                row.label.sample_id,
                events,
                index,
                disabled=own,
                primary=own,
            )


def _button(
    label: str, key: str, act: Callable[..., None], *args: object, disabled: bool = False, primary: bool = False
) -> None:
    st.button(label, key=key, on_click=act, args=args, disabled=disabled, type="primary" if primary else "secondary")


def decide(sample_id: int, events: Sequence[LabelEventInfo], class_index: int | None) -> None:
    """Store a decision made on Review, unless the sample was decided anew since the page was drawn.

    Args:
        sample_id: the sample.
        events: what the person saw of its history.
        class_index: the class; None is a skip.
    """
    try:
        person, identity = annotator_id(), project_id()
        with database().write() as session:
            latest = list_events(session, project_id=identity, sample_id=sample_id)[-1]
            # Somebody decided about the sample since this page was drawn: their decision must not vanish unseen.
            moved = latest.id != events[-1].id and latest.request_id != request_id(events, class_index)
            if not moved:
                record_decision(
                    session,
                    project_id=identity,
                    sample_id=sample_id,
                    annotator_id=person,
                    action="skip" if class_index is None else "label",
                    class_index=class_index,
                    request_id=request_id(events, class_index),
                    limits=limits(),
                )
    except StorageError as error:
        st.session_state[FAILURE_KEY] = f"The correction was not stored: {error}"
        return
    if moved:
        st.session_state[FAILURE_KEY] = "Not stored: this sample was decided anew meanwhile. Look at it again."
    else:
        st.session_state[MESSAGE_KEY] = f"The decision on sample {sample_id} is stored."


def _undo(event_id: int, outcome: str) -> None:
    try:
        person, identity = annotator_id(), project_id()
        with database().write() as session:
            undo(session, project_id=identity, event_id=event_id, annotator_id=person)
    except StorageError as error:
        st.session_state[FAILURE_KEY] = f"Nothing was undone: {error}"
        return
    st.session_state[MESSAGE_KEY] = f"Undone. {outcome}"


def _history(events: Sequence[LabelEventInfo], classes: Sequence[str]) -> None:
    with st.expander(f"History ({len(events)})"):
        for event in reversed(events):
            what = event.action if event.class_index is None else f"{event.action} {classes[event.class_index]}"
            st.caption(escaped(f"{event.created_at:%Y-%m-%d %H:%M:%S} UTC, {event.annotator}: {what}"))
