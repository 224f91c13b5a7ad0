"""The sample itself, large, and the switch that shows what the model thinks of it."""

from collections.abc import Sequence

import streamlit as st

from app.screens.components import label_keys
from app.screens.components.decisions import decide
from app.screens.components.plain_text import escaped
from app.screens.components.sample_image import large
from app.screens.components.session import database, project_id
from storage.labels import LabelEventInfo
from storage.projects import ClassInfo, list_classes
from storage.queue import ClaimedSample
from storage.samples import SampleInfo, get_samples


def sample_card(claimed: ClaimedSample) -> None:
    """Draw the sample; its box keeps its height, so that nothing below it jumps from image to image."""
    with st.container(key="label_sample"):
        st.image(large(claimed.sample), alt="the sample to label")


def suggestion_switch(claimed: ClaimedSample, classes: Sequence[ClassInfo]) -> bool:
    """Draw the switch and, if it is on, the model's suggestion with its button; True when a suggestion was shown."""
    shown = st.toggle(
        "Show the model's suggestion",
        key="label_suggestion",
        help="Off by default: seeing it makes people agree with it. Labels given while it shows are marked.",
    )
    if not shown:
        return False
    if claimed.suggestion is None:
        st.caption("No model has seen this sample yet, so there is no suggestion.")
        return False
    name = next((entry.name for entry in classes if entry.index == claimed.suggestion), "?")
    sure = f" ({claimed.suggestion_probability:.0%} sure)" if claimed.suggestion_probability is not None else ""
    st.button(
        f"Accept **{escaped(name)}**{sure}",
        key=f"accept_{claimed.token}",
        icon=":material/lightbulb:",
        shortcut=label_keys.ACCEPT,
        on_click=decide,
        args=(claimed, "label", claimed.suggestion),
        kwargs={"suggested": True},
    )
    return True


def classes_and_samples(
    recent: Sequence[LabelEventInfo],
) -> tuple[tuple[ClassInfo, ...], dict[int, SampleInfo]]:
    """The project's classes, and the samples of the history."""
    identity = project_id()
    with database().read() as session:
        classes = tuple(list_classes(session, project_id=identity))
        return classes, get_samples(session, sample_ids=[event.sample_id for event in recent])
