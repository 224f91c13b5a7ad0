"""The project's classes, with their keys, and adding more of them."""

import csv

import streamlit as st

from app.errors import ProjectError
from app.screens.shared.label_keys import class_keys
from app.screens.shared.session import database, project_id
from storage.projects import add_classes, list_classes

TEXT_KEY, ADDED_KEY = "new_classes", "classes_added"


def class_editor() -> None:
    """Draw the classes and the form that adds some."""
    identity = project_id()
    with database().read() as session:
        classes = list_classes(session, project_id=identity)
    names = [entry.name for entry in classes]
    keys = [(key or "search").replace("shift+", "Shift + ") for key in class_keys(names)]
    shown = [f"{entry.name} (retired)" if entry.retired else entry.name for entry in classes]
    st.dataframe(
        {"Class": shown, "Key": keys, "What belongs to it": [entry.description for entry in classes]},
        hide_index=True,
        width="stretch",
    )
    if st.session_state.pop(ADDED_KEY, False):  # what was refused stays to be mended
        st.session_state[TEXT_KEY] = ""
    with st.form("add_classes"):
        text = st.text_area("New classes", key=TEXT_KEY, placeholder="one per line", height=100)
        st.caption(
            "A class keeps its key for ever; new ones come after the others. `labelloop classes` renames, merges, "
            "retires and describes them."
        )
        if st.form_submit_button("Add classes", icon=":material/add:") and names_in(text):
            with database().write() as session:
                add_classes(session, project_id=identity, names=names_in(text))
            st.session_state[ADDED_KEY] = True
            st.rerun()


def names_in(text: str) -> list[str]:
    """Class names in a text: one per line, or with commas between; a name with a comma stands in quotes.

    Raises:
        ProjectError: a quote is not closed.
    """
    try:
        lines = list(csv.reader(text.splitlines(), skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise ProjectError(f"The classes cannot be read, {error}: is a quote missing?") from error
    return [name.strip() for line in lines for name in line if name.strip()]
