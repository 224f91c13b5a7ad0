"""Choosing a folder or a file of the machine that LabelLoop runs on, by looking instead of typing."""

from pathlib import Path

import streamlit as st

from app.errors import ProjectError
from app.project.browsing import inside_of, look_into
from app.screens.shared.gallery import page_of
from app.screens.shared.identity import must_sign_in
from app.screens.shared.plain_text import escaped

PAGE_SIZE = 12  # folders; each is counted


def folder_picker(typed: str, *, key: str, picks_files: bool) -> None:
    """Draw the button that opens the look into folders, and the look itself; what is chosen goes into the field.

    Who has to sign in first sees nothing of this machine.

    Args:
        typed: what stands in the field: the look begins there, else in the home folder.
        key: of the field.
        picks_files: whether a file is wanted and not a folder.
    """
    if must_sign_in():
        return
    at: Path | None = st.session_state.get(_at(key))
    if at is None:
        st.button(
            "Browse …", key=f"{key}_browse", icon=":material/folder_open:", on_click=_go, args=(key, _begin(typed))
        )
        return
    with st.container(border=True, key=f"{key}_picker"):
        _draw(at, key, picks_files)


def _draw(at: Path, key: str, picks_files: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        is_top = at.parent == at
        st.button("Up", key=f"{key}_up", disabled=is_top, on_click=_go, args=(key, at.parent))
        st.button("Home", key=f"{key}_home", on_click=_go, args=(key, Path.home()))
        st.button("Close", key=f"{key}_close", on_click=_close, args=(key,))
    st.markdown(escaped(str(at)))
    try:
        listing = look_into(at)
    except ProjectError as error:
        st.error(escaped(str(error)), icon=":material/error:")
        return
    st.caption(f"Here: {listing.inside.words}.")
    if not picks_files:
        st.button("Use this folder", key=f"{key}_use", type="primary", on_click=_choose, args=(key, at))
    entries = [*listing.folders, *(listing.files if picks_files else ())]
    for number, path in enumerate(entries[page_of(len(entries), key=f"{key}_entries", size=PAGE_SIZE)]):
        _row(path, f"{key}_entry_{number}", key, is_folder=path in listing.folders)


def _row(path: Path, widget: str, key: str, *, is_folder: bool) -> None:
    act, icon = (_go, ":material/folder:") if is_folder else (_choose, ":material/draft:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(escaped(path.name), key=widget, icon=icon, type="tertiary", on_click=act, args=(key, path))
        if is_folder:
            st.caption(inside_of(path).words)


def _at(key: str) -> str:
    return f"{key}_looking_at"


def _begin(typed: str) -> Path:
    path = Path(typed.strip()).expanduser()
    there = path if path.is_dir() else path.parent
    return there.resolve() if typed.strip() and there.is_dir() else Path.home()


def _go(key: str, folder: Path) -> None:
    st.session_state[_at(key)] = folder
    st.session_state.pop(f"{key}_entries_page", None)


def _close(key: str) -> None:
    st.session_state.pop(_at(key), None)


def _choose(key: str, path: Path) -> None:
    st.session_state[key] = str(path)
    _close(key)
