"""Correcting one decision: another class, a skip, an undo, or a flag taken back; each is one new event."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.screens.content.sample import draw_large
from app.screens.shared.deciding import decide, take_back
from app.screens.shared.filters import ReviewRow
from app.screens.shared.label_box import class_choice, press
from app.screens.shared.plain_text import escaped
from app.screens.shared.reader_time import reader_time
from app.screens.shared.review_rows import decision_words, prediction_words, suspect_words
from app.screens.shared.session import database, project_id
from storage.labels import LabelEventInfo, list_events
from storage.samples import SampleInfo


def correction_box(row: ReviewRow, sample: SampleInfo, classes: Sequence[str]) -> None:
    """Draw one decided sample with everything that may be done about it."""
    with database().read() as session:
        events = list_events(session, project_id=project_id(), sample_id=sample.id)
    st.header(f"Sample {sample.id}")
    draw_large(sample, width=260)
    said = (
        "no model had seen it by then"
        if row.prediction is None
        else f"the model said {escaped(prediction_words(row, classes))}"
    )
    st.markdown(f"**{escaped(decision_words(row, classes))}** by {escaped(row.label.annotator)}; {said}.")
    if row.label.purpose == "audit":
        st.caption("An audit sample: it measures the accuracy and is never trained on; a correction keeps it so.")
    if row.label.purpose == "recheck":
        st.caption("This is what a blind second look said; the history below holds the first.")
    if row.suspect is not None:
        st.warning(
            f"This label is likely wrong: {escaped(suspect_words(row, classes))}.", icon=":material/troubleshoot:"
        )
    st.markdown("**Label it**" if row.label.class_index is None else "**Correct to**")
    class_choice(row.label.sample_id, events, classes, given=row.label.class_index, key="review")
    with st.container(horizontal=True):
        if row.suspect is not None:
            press("The label is right", "review_confirm", decide, row.label.sample_id, events, row.label.class_index)
        if row.label.action == "label":
            press("Skip instead", "review_skip", decide, row.label.sample_id, events, None)
        press(
            "Undo this decision", "review_undo", take_back, row.label.event_id, "The sample waits on the Label screen."
        )
        for event in standing_flags(events):
            press("Take the flag back", f"review_unflag_{event.id}", take_back, event.id, "The flag is taken back.")
    _history(events, classes)


def standing_flags(events: Sequence[LabelEventInfo]) -> list[LabelEventInfo]:
    """The flags that no undo names."""
    undone = {event.supersedes for event in events if event.action == "undo"}
    return [event for event in events if event.action == "flag" and event.id not in undone]


def _history(events: Sequence[LabelEventInfo], classes: Sequence[str]) -> None:
    with st.expander(f"History ({len(events)})"):
        for event in reversed(events):
            what = event.action if event.class_index is None else f"{event.action} {classes[event.class_index]}"
            st.caption(escaped(f"{reader_time(event.created_at)}, {event.annotator}: {what}"))
