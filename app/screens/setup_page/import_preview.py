"""A look at what an import would bring, whether its labels are wanted, and what its classes are called here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from app.formats.connection import is_address
from app.formats.reading import Reading
from app.formats.registry import open_source
from app.project.preview import Preview, preview_of
from app.screens.setup_page.import_box import Chosen, place_of
from app.screens.shared.failures import as_sentences
from app.screens.shared.plain_text import escaped


@dataclass(frozen=True)
class ImportChoice:
    """How far a source reaches, and what is to become of the labels that it carries."""

    labeled: bool = False
    outside: bool = False  # whether files outside its folder are let in
    new_names: dict[str, str] = field(default_factory=dict)  # by name in the source, where they differ


def preview_box(chosen: Chosen, *, prefix: str, uploads: Path, classes: Callable[[], Sequence[str]]) -> ImportChoice:
    """Draw the look at a chosen folder or file, and the choice what becomes of its labels."""
    labeled = st.checkbox("Take over the labels that come with it", key=f"{prefix}_labeled", persist_state="session")
    st.caption("They count as imported, are trained on from the first round, and can be taken back as one.")
    outside = st.checkbox("Let files outside its folder in", key=f"{prefix}_outside", persist_state="session")
    st.caption("Those that links lead to, or that a list names by absolute paths on this machine.")
    is_here = bool(chosen.path.strip()) and not is_address(chosen.path.strip())  # what is elsewhere is fetched first
    if is_here and st.button("Look at it first", key=f"{prefix}_preview", icon=":material/visibility:"):
        with as_sentences(), st.spinner("Looking"):
            source = open_source(place_of(chosen.path), uploads=uploads, reading=Reading(outside=outside))
            st.session_state[f"{prefix}_preview_of"] = (chosen.path, preview_of(source, classes=classes()))
    path, preview = st.session_state.get(f"{prefix}_preview_of", ("", None))
    new_names = _show(preview, prefix) if preview is not None and path == chosen.path else {}
    return ImportChoice(labeled, outside, new_names)


def _show(preview: Preview, prefix: str) -> dict[str, str]:
    """Draw rows and classes; return the names that the person has changed."""
    with st.container(border=True):
        for sentence in preview.sentences:
            st.markdown(escaped(sentence))
        rows, classes = st.columns([3, 2], gap="large")
        with rows:
            files = dict(zip(("File", "Label", "Who"), zip(*preview.rows, strict=True), strict=False))
            st.dataframe(files, hide_index=True, width="stretch")
        with classes:
            return _class_names(preview, prefix) if preview.classes else {}


def _class_names(preview: Preview, prefix: str) -> dict[str, str]:
    found, key = list(preview.classes), f"{prefix}_class_names"
    table: dict[str, list[Any]] = {
        "In the source": found,
        "Files": list(preview.classes.values()),
        "Name here": [_begun(key).get(name, name) for name in found],
    }
    edited: Any = st.data_editor(table, hide_index=True, width="stretch", disabled=["In the source", "Files"], key=key)
    st.caption("Another name in the last column takes a class over under that name; an empty one leaves it out.")
    named = [str(name or "").strip() for name in edited["Name here"]]
    st.session_state[f"{key}_typed"] = {old: new for old, new in zip(found, named, strict=True) if old != new}
    return dict(st.session_state[f"{key}_typed"])


def _begun(key: str) -> dict[str, str]:
    """The names that the table begins with: those typed before a look at another page, for it keeps none itself."""
    if key not in st.session_state:
        st.session_state[f"{key}_begun"] = st.session_state.get(f"{key}_typed", {})
    return dict(st.session_state[f"{key}_begun"])
