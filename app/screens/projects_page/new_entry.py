"""Making a project: its folder is named here, everything else on its own Setup page."""

import shlex
from pathlib import Path

import streamlit as st

from app.errors import ProjectError
from app.project.project import Project, new_project
from app.running.address import address_of
from app.screens.projects_page.open_button import ask, open_button
from app.screens.projects_page.outcome import do, show_refusal
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import project_folder

_FOLDER_KEY, _MADE_KEY, _PLACE = "new_project_folder", "new_project_asked", "new project"


def new_entry() -> None:
    """Draw the field and the button, and the way to the new project once it was asked for."""
    with st.expander("A new project", icon=":material/add:"):
        st.text_input("Its folder", key=_FOLDER_KEY, persist_state="session", placeholder=str(Path.home() / "pets"))
        show_refusal(_PLACE)
        st.button("Make it", key="make_project", type="primary", on_click=do, args=(_PLACE, _make))
        made: Path | None = st.session_state.get(_MADE_KEY)
        if made is not None:
            st.caption(escaped(str(made)))
            open_button(made)


def _make() -> str:
    typed = st.session_state[_FOLDER_KEY].strip()
    if not typed:
        raise ProjectError("Say first which folder the project is to have; it is made if it is not there.")
    folder = new_project(typed).folder
    if not address_of(Project(project_folder())):
        return f"Type in a terminal: labelloop run {shlex.quote(str(folder))}"
    st.session_state[_MADE_KEY] = folder
    ask(folder)
    return f"{folder} is being opened; its page asks for samples and classes."
