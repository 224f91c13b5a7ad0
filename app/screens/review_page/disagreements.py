"""The queue of disagreements: one sample at a time, what each annotator said, and the choice that settles it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.screens.content.sample import draw_large
from app.screens.shared.deciding import decide
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import database, project_id
from storage.labels import LabelEventInfo, list_events
from storage.samples import get_sample
from storage.votes import Disagreement

PLACE_KEY = "disagreement_place"
_SAMPLE, _CHOICE = 280, 320  # pixels: beside each other on a laptop, below each other on a phone


def disagreement_queue(disputed: Sequence[Disagreement], classes: Sequence[str]) -> None:
    """Draw the sample whose turn it is; a settled one is in the queue no more."""
    st.header("Disagreements")
    if not disputed:
        st.success("Nothing is disputed.", icon=":material/check:")
        return
    place = st.session_state[PLACE_KEY] = st.session_state.get(PLACE_KEY, 0) % len(disputed)
    found = disputed[place]
    with database().read() as session:
        sample = get_sample(session, sample_id=found.sample_id)
        events = list_events(session, project_id=project_id(), sample_id=found.sample_id)
    beside = st.container(horizontal=True, gap="large")
    with beside.container(width=_SAMPLE):
        draw_large(sample, width=_SAMPLE)
    with beside.container(width=_CHOICE):
        st.caption(f"{place + 1:,} of {len(disputed):,} disputed, sample {sample.id}")
        for vote in found.votes:
            st.markdown(f"{escaped(vote.annotator)}: **{escaped(classes[vote.class_index])}**")
        _choice(found, events, classes)
        with st.container(horizontal=True):
            st.button("Skip the sample", key="dispute_skip", on_click=decide, args=(found.sample_id, events, None))
            if len(disputed) > 1:
                st.button("Later", key="dispute_later", on_click=_turn)


def _choice(found: Disagreement, events: Sequence[LabelEventInfo], classes: Sequence[str]) -> None:
    st.markdown("**The right one is**")
    given = sorted({vote.class_index for vote in found.votes})
    with st.container(horizontal=True, gap="small"):
        for index in given:
            st.button(
                escaped(classes[index]),
                key=f"dispute_class_{index}",
                type="primary",
                on_click=decide,
                args=(found.sample_id, events, index),
            )
    others = [index for index in range(len(classes)) if index not in given]
    if others:
        st.selectbox(
            "Or another class",
            others,
            index=None,
            placeholder="choose a class",
            format_func=lambda index: classes[index],
            key=f"dispute_other_{found.sample_id}",
            on_change=_take_other,
            args=(found.sample_id, events),
            width=260,
        )


def _take_other(sample_id: int, events: Sequence[LabelEventInfo]) -> None:
    chosen = st.session_state[f"dispute_other_{sample_id}"]
    if chosen is not None:
        decide(sample_id, events, chosen)


def _turn() -> None:
    st.session_state[PLACE_KEY] += 1
