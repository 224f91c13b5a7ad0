"""Opening a project: a link where it runs, a button where it can be started from here, else the command to type."""

import shlex
import time
from pathlib import Path

import streamlit as st

from app.project.project import Project
from app.running.address import address_of
from app.running.opening import ask_to_close, ask_to_open
from app.screens.shared.session import project_folder

LOOK_EVERY_S = 0.5
LONGEST_WAIT_S = 60.0
_ASKED = "projects_asked"  # folder -> when it was asked for


def open_button(folder: Path) -> None:
    """Draw the way to a project."""
    here = address_of(Project(project_folder()))
    if folder == project_folder():
        st.caption("open here")
    elif found := address_of(Project(folder)):
        st.session_state.get(_ASKED, {}).pop(folder, None)
        st.link_button("Open its page", found.url, icon=":material/open_in_new:")
        if found.is_opened_by(here):
            st.button("Close", key=f"close_{folder}", icon=":material/stop:", on_click=_close, args=(folder,))
    elif folder in st.session_state.get(_ASKED, {}):
        _wait(folder)
    elif here:
        st.button("Open", key=f"open_{folder}", icon=":material/play_arrow:", on_click=ask, args=(folder,))
    else:
        st.code(f"labelloop run {shlex.quote(str(folder))}", language=None, wrap_lines=True)


def ask(folder: Path) -> None:
    """Have it opened beside this one; the page shows the link as soon as it answers."""
    ask_to_open(Project(project_folder()), folder)
    st.session_state.setdefault(_ASKED, {})[folder] = time.monotonic()


def _close(folder: Path) -> None:
    """The one who closes it waits until it is: what was typed there is stored, and the trainer keeps its round."""
    ask_to_close(Project(project_folder()), folder)
    until = time.monotonic() + LONGEST_WAIT_S
    while address_of(Project(folder)) and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)


@st.fragment(run_every=LOOK_EVERY_S)
def _wait(folder: Path) -> None:
    asked = st.session_state.get(_ASKED, {})
    if address_of(Project(folder)):
        st.rerun()
    if time.monotonic() - asked.get(folder, 0.0) < LONGEST_WAIT_S:
        st.caption("Opening …")
        return
    st.caption("It does not answer. Start it in a terminal, which says why:")
    st.code(f"labelloop run {shlex.quote(str(folder))}", language=None, wrap_lines=True)
