"""What came in from watched sources a moment ago, in one line."""

from datetime import datetime, timedelta, timezone

import streamlit as st

from app.formats.connection import shown
from app.project.watched import outcome_of, watched_sources
from app.screens.shared.plain_text import escaped
from app.screens.shared.reader_time import reader_zone
from app.screens.shared.session import current_project

NEWS = timedelta(minutes=10)  # so long is it worth a line


def watched_line() -> None:
    """Draw what came in lately, and what cannot be looked at; nothing where there is no news."""
    project = current_project()
    for watched in watched_sources(project):
        outcome = outcome_of(project, watched)
        if outcome.trouble:
            st.caption(escaped(outcome.trouble))
        elif outcome.at is not None and datetime.now(timezone.utc) - outcome.at < NEWS:
            st.caption(escaped(f"{at_clock(outcome.at)}, {shown(watched.source)}: {outcome.said}"))


def at_clock(moment: datetime) -> str:
    """The time of day as the reader has it on the wall."""
    return f"{moment.astimezone(reader_zone()):%H:%M}"
