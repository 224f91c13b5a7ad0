"""The last ten decisions as thumbnails with their labels; a click brings one back to be corrected."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.screens.components.decisions import show_again
from app.screens.components.plain_text import escaped
from app.screens.components.sample_image import thumbnail
from storage.labels import LabelEventInfo
from storage.projects import ClassInfo
from storage.samples import SampleInfo


def history_strip(
    recent: Sequence[LabelEventInfo],
    samples: Mapping[int, SampleInfo],
    classes: Sequence[ClassInfo],
    *,
    current: int | None,
) -> None:
    """Draw the strip; `current` is the sample on screen, marked if it is one of the ten."""
    if not recent:
        return
    names = {entry.index: entry.name for entry in classes}
    with st.container(horizontal=True, gap="xsmall", key="label_history"):
        for event in recent:
            if event.sample_id in samples:
                _decision(event, samples[event.sample_id], names, current=event.sample_id == current)


def _decision(event: LabelEventInfo, sample: SampleInfo, names: Mapping[int, str], *, current: bool) -> None:
    name = "skipped" if event.class_index is None else names.get(event.class_index, "?")
    with st.container(key=f"past_{event.id}", gap=None, width=78):
        st.image(thumbnail(sample), width="stretch", alt=name)
        st.button(
            escaped(name),
            key=f"past_button_{event.id}",
            type="primary" if current else "tertiary",
            width="stretch",
            wrap=False,
            on_click=show_again,
            args=(event.sample_id,),
        )
