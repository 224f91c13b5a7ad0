"""The sources that are watched: what came in from each last, and the switch that ends it."""

import streamlit as st

from app.formats.connection import shown
from app.project.project import Project
from app.project.watched import Watched, outcome_of, unwatch, watched_sources
from app.screens.shared.plain_text import escaped
from app.screens.shared.reader_time import reader_time


def watched_list(project: Project) -> None:
    """Draw the watched sources; nothing where there is none."""
    found = watched_sources(project)
    if not found:
        return
    with st.expander(f"Watched sources ({len(found):,})", icon=":material/visibility:", expanded=True):
        for number, watched in enumerate(found):
            _draw(project, watched, number)


def _draw(project: Project, watched: Watched, number: int) -> None:
    outcome = outcome_of(project, watched)
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch", gap="xsmall"):
            st.markdown(escaped(shown(watched.source)))
            when = f"{reader_time(outcome.at)}: " if outcome.at else ""
            st.caption(escaped(outcome.trouble or f"{when}{outcome.said or 'Nothing new has come in yet.'}"))
        st.toggle("Watch", value=True, key=f"watched_{number}", on_change=unwatch, args=(project, watched.source))
