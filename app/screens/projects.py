"""Projects: those of this machine; opening one, making one, copying, archiving, deleting and bringing back."""

import streamlit as st

from app.project.library import known_projects
from app.project.overview import overview
from app.screens.projects_page.entry import project_entry, put_aside
from app.screens.projects_page.new_entry import new_entry
from app.screens.projects_page.outcome import show_outcome
from app.screens.shared.failures import as_sentences

st.title("Projects")
st.caption("Those that were made or run on this machine. Each has a folder, a page and a trainer of its own.")
show_outcome()
new_entry()
with as_sentences():
    found = [overview(entry) for entry in known_projects()]
    for one in found:
        if not one.entry.archived and one.entry.deleted_from is None:
            project_entry(one)
    put_aside("Archived", [one for one in found if one.entry.archived and one.entry.deleted_from is None])
    put_aside("Deleted", [one for one in found if one.entry.deleted_from is not None])
