"""What stands in place of every page while the project's folder is not where it was."""

import streamlit as st

from app.screens.shared.plain_text import escaped
from app.screens.shared.session import is_project, project_folder

LOOK_S = 1.5  # between two looks whether it is back


def wait_for_project() -> None:
    """Say what is missing and what becomes of the labels, and go on by itself once the folder is back."""
    st.warning(
        escaped(
            f"The project's folder {project_folder()} is not there: was it renamed, or is its disk away? Decisions "
            "that were not saved yet are kept in this browser. When the folder is back the page goes on by itself; if "
            "it has another name for good, end 'labelloop run' and start it with that name."
        ),
        icon=":material/folder_off:",
    )
    _look()


@st.fragment(run_every=LOOK_S)
def _look() -> None:
    if is_project():
        st.rerun()
