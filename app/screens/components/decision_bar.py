"""The buttons of one sample: its classes with their keys, accept, skip, undo, flag."""

from collections.abc import Sequence

import streamlit as st

from app.screens.components import label_keys
from app.screens.components.decisions import (
    FLAGGED_KEY,
    back_to_queue,
    decide,
    flag,
    show_again,
    undo_last,
    walk,
)
from app.screens.components.plain_text import escaped
from storage.labels import LabelEventInfo
from storage.projects import ClassInfo
from storage.queue import ClaimedSample


def class_buttons(
    claimed: ClaimedSample, classes: Sequence[ClassInfo], recent: Sequence[LabelEventInfo], *, suggested: bool
) -> None:
    """One button per class that has a key; beyond 20 classes a box to search all of them.

    The widget's key holds the token: a button that was drawn for one sample cannot label the next one.
    """
    current = next((event.class_index for event in recent if event.sample_id == claimed.sample.id), None)
    width = _button_width(classes)
    with st.container(horizontal=True, gap="xsmall", key="label_classes"):
        keys = label_keys.class_keys([entry.name for entry in classes])
        for entry, key in zip(classes[: label_keys.KEYED_CLASSES], keys, strict=False):
            st.button(
                escaped(entry.name),
                key=f"class_{entry.index}_{claimed.token}",
                shortcut=key,
                type="primary" if entry.index == current else "secondary",
                width=width,
                wrap=len(classes) > len(label_keys.DIGITS),
                on_click=decide,
                args=(claimed, "label", entry.index),
                kwargs={"suggested": suggested},
            )
    if len(classes) > label_keys.KEYED_CLASSES:
        _class_search(claimed, classes, suggested=suggested)


def action_buttons(claimed: ClaimedSample, *, suggested: bool) -> None:
    """Skip and flag."""
    with st.container(horizontal=True, gap="xsmall", key="label_actions"):
        st.button(
            "Skip",
            key=f"skip_{claimed.token}",
            icon=":material/skip_next:",
            help="The sample leaves the pool; nobody is asked about it again.",
            shortcut=label_keys.SKIP,
            on_click=decide,
            args=(claimed, "skip", None),
            kwargs={"suggested": suggested},
        )
        flagged = st.session_state.get(FLAGGED_KEY) == claimed.token
        st.button(
            "Flagged" if flagged else "Flag",
            key=f"flag_{claimed.token}",
            icon=":material/flag:",
            help="Marks the sample for a second look on Review; it stays here to be labeled.",
            shortcut=label_keys.FLAG,
            disabled=flagged,
            on_click=flag,
            args=(claimed,),
        )


def past_buttons(sample_id: int | None, recent: Sequence[LabelEventInfo]) -> None:
    """Undo, and the walk through the history; they work on an empty queue too."""
    sample_ids = [event.sample_id for event in recent]
    last = recent[0].id if recent else None
    with st.container(horizontal=True, gap="xsmall", key="label_past_actions"):
        st.button(
            "Undo",
            key=f"undo_{last}",
            icon=":material/undo:",
            shortcut=label_keys.UNDO,
            disabled=last is None,
            on_click=undo_last,
            args=(last,),
        )
        _walk_button("Older", label_keys.OLDER, walk(sample_id, sample_ids, 1), disabled=not sample_ids)
        _walk_button("Newer", label_keys.NEWER, walk(sample_id, sample_ids, -1), disabled=sample_id not in sample_ids)


def _button_width(classes: Sequence[ClassInfo]) -> int:
    """Pixels: three buttons side by side where the names are short, else two."""
    short = len(classes) <= len(label_keys.DIGITS) and max(len(entry.name) for entry in classes) <= 9
    return 118 if short else 184


def _walk_button(name: str, key: str, target: int | None, *, disabled: bool) -> None:
    st.button(
        name,
        key=f"walk_{name}_{target}",
        shortcut=key,
        disabled=disabled,
        on_click=back_to_queue if target is None else show_again,
        args=() if target is None else (target,),
    )


def _class_search(claimed: ClaimedSample, classes: Sequence[ClassInfo], *, suggested: bool) -> None:
    names = {entry.index: entry.name for entry in classes}
    key = f"search_{claimed.token}"
    st.selectbox(
        f"All {len(classes)} classes: type to search",
        options=list(names),
        format_func=lambda index: names[index],
        index=None,
        key=key,
        placeholder="Type a class name",
        on_change=_decide_by_search,
        args=(claimed, key),
        kwargs={"suggested": suggested},
    )


def _decide_by_search(claimed: ClaimedSample, key: str, *, suggested: bool) -> None:
    index = st.session_state.get(key)
    if index is not None:
        decide(claimed, "label", int(index), suggested=suggested)
