"""The tabs in which people label: which one a message comes from, and which have been closed since.

A closed tab's samples would wait for their lease, up to a minute; whoever opens the page anew goes on with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.screens.shared.session import annotator_id, database, project_id
from storage.claims import adopt_claims

_PAGE = re.compile(r"[0-9a-f]{32}")
_NO_PAGE = ""  # of a browser that says nothing of its tab


def page_of(message: Mapping[str, Any]) -> str:
    """Return the id of the tab that a message comes from."""
    page = message.get("page")
    return page if isinstance(page, str) and _PAGE.fullmatch(page) else _NO_PAGE


@dataclass
class Pages:
    """The server's session of each tab that has said something, by annotator and tab."""

    sessions: dict[tuple[int, str], str] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def closed(self, annotator: int, page: str, session: str) -> list[str]:
        """Note that a tab says something; return this annotator's tabs that have been closed, each once."""
        with self.lock:
            self.sessions[annotator, page] = session
            gone = [(who, tab) for (who, tab), of in self.sessions.items() if who == annotator and not _is_open(of)]
            for one in gone:
                del self.sessions[one]
        return [tab for _, tab in gone]


@st.cache_resource(show_spinner=False)
def _pages() -> Pages:
    return Pages()


def adopt_closed_pages(page: str) -> None:
    """Give a tab the samples of this person's tabs that have been closed since one of them last said something."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return
    person = annotator_id()
    closed = _pages().closed(person, page, context.session_id)
    if closed:
        with database().write() as session:
            adopt_claims(session, project_id=project_id(), annotator_id=person, pages=closed, page=page)


def _is_open(session: str) -> bool:
    return runtime.get_instance().is_active_session(session)
