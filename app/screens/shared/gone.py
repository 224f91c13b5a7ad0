"""What stands in place of every page while the project's folder is not where it was."""

import streamlit as st

from app.screens.shared.plain_text import escaped
from app.screens.shared.session import is_project, project_folder, was_project

LOOK_S = 1.5  # between two looks whether it is back


def is_gone() -> bool:
    """True while the folder of a project that this server has shown is not where it was."""
    return was_project() and not is_project()


def say_gone() -> None:
    """Say what is missing and what becomes of the labels."""
    st.warning(
        escaped(
            f"The project's folder {project_folder()} is not there: was it renamed, or is its disk away? Decisions "
            "that were not saved yet are kept in this browser. When the folder is back the page goes on by itself; if "
            "it has another name for good, end 'labelloop run' and start it with that name."
        ),
        icon=":material/folder_off:",
    )


def wait_for_project() -> None:
    """Say it in place of a page, and go on by itself once the folder is back."""
    say_gone()
    _look()


@st.fragment(run_every=LOOK_S)
def _look() -> None:
    if is_project():
        st.rerun()
