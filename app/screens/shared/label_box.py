"""Labeling, or correcting, a sample wherever it is on screen: a button per class, or a list of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app.screens.shared.blind import hidden_samples
from app.screens.shared.deciding import decide
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import current_project, database, project_id
from storage.labels import LabelEventInfo, list_events
from storage.samples import SampleInfo

MOST_BUTTONS = 20  # classes; past this a list with a search box is quicker than a wall of buttons
_TEST = "A test sample: its label came with the test set. To correct it, correct the file and import it again."
_BLIND = "It waits for further annotators, who decide blind: label it on the Label screen when it is your turn."
_RESERVED = (
    "It is kept for the audit, which is drawn at random: it comes on the Label screen when its turn is. Whoever picked "
    "it by hand would bend the accuracy."
)


def label_box(sample: SampleInfo, classes: Sequence[str], *, key: str) -> None:
    """Draw what may be decided about a sample, or in a sentence why nothing may.

    Args:
        sample: it stands beside or above the box.
        classes: class names in their order.
        key: prefix of the widgets' keys.
    """
    with database().read() as session:
        events = list_events(session, project_id=project_id(), sample_id=sample.id)
    reason = why_not(sample, events)
    if reason:
        st.caption(reason)
        return
    given = standing_class(events)
    st.markdown("**Correct to**" if given is not None else "**Label it**")
    class_choice(sample.id, events, classes, given=given, key=key)
    press("Skip it", f"{key}_skip", decide, sample.id, events, None)


def why_not(sample: SampleInfo, events: Sequence[LabelEventInfo]) -> str:
    """The sentence why nothing may be decided about a sample here; empty where it may."""
    if sample.split == "test":
        return _TEST
    if sample.id in hidden_samples():
        return _BLIND
    if not events and sample.audit_key < current_project().settings().audit_share:
        return _RESERVED
    return ""


def standing_class(events: Sequence[LabelEventInfo]) -> int | None:
    """The class that stands after these events; None for a skip, or where all was undone."""
    undone = {event.supersedes for event in events if event.action == "undo"}
    decisions = [e for e in events if e.action in ("label", "skip") and e.id not in undone and not e.aside]
    return decisions[-1].class_index if decisions else None


def class_choice(
    sample_id: int, events: Sequence[LabelEventInfo], classes: Sequence[str], *, given: int | None, key: str
) -> None:
    """Draw the classes; the one that was given is marked and does nothing."""
    if len(classes) > MOST_BUTTONS:
        others = [index for index in range(len(classes)) if index != given]
        chosen = st.selectbox("Class", others, format_func=lambda index: classes[index], key=f"{key}_class")
        press("Save", f"{key}_save", decide, sample_id, events, chosen)
        return
    with st.container(horizontal=True, gap="small"):
        for index, name in enumerate(classes):
            own = index == given
            press(escaped(name), f"{key}_class_{index}", decide, sample_id, events, index, disabled=own, primary=own)


def press(
    label: str, key: str, act: Callable[..., None], *args: object, disabled: bool = False, primary: bool = False
) -> None:
    """Draw a button that does something with its arguments."""
    st.button(label, key=key, on_click=act, args=args, disabled=disabled, type="primary" if primary else "secondary")
