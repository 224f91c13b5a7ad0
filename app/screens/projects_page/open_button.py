"""Opening a project: a link where it runs, a button where it can be started from here, else the command to type."""

import shlex
import time
from pathlib import Path

import streamlit as st

from app.project.project import Project
from app.running.address import address_of
from app.running.opening import ask_to_open
from app.screens.shared.session import project_folder

LOOK_EVERY_S = 0.5
LONGEST_WAIT_S = 60.0
_ASKED = "projects_asked"  # folder -> when it was asked for


def open_button(folder: Path) -> None:
    """Draw the way to a project."""
    if folder == project_folder():
        st.caption("open here")
    elif url := address_of(Project(folder)):
        st.session_state.get(_ASKED, {}).pop(folder, None)
        st.link_button("Open its page", url, icon=":material/open_in_new:")
    elif folder in st.session_state.get(_ASKED, {}):
        _wait(folder)
    elif address_of(Project(project_folder())):
        st.button("Open", key=f"open_{folder}", icon=":material/play_arrow:", on_click=ask, args=(folder,))
    else:
        st.code(f"labelloop run {shlex.quote(str(folder))}", language=None)


def ask(folder: Path) -> None:
    """Have it opened beside this one; the page shows the link as soon as it answers."""
    ask_to_open(Project(project_folder()), folder)
    st.session_state.setdefault(_ASKED, {})[folder] = time.monotonic()


@st.fragment(run_every=LOOK_EVERY_S)
def _wait(folder: Path) -> None:
    asked = st.session_state.get(_ASKED, {})
    if address_of(Project(folder)):
        st.rerun()
    if time.monotonic() - asked.get(folder, 0.0) < LONGEST_WAIT_S:
        st.caption("Opening …")
        return
    st.caption("It does not answer. Start it in a terminal, which says why:")
    st.code(f"labelloop run {shlex.quote(str(folder))}", language=None)
