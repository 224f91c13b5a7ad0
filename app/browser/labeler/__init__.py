"""The labeler: the part of the Label screen that lives in the browser, where a key is answered in the same frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.browser import text_of
from app.browser.content import scripts, styles

KEY = "labeler"
SCRIPTS = (
    *("pace", "contents", "work", "swipes", "connection", "view", "zoom", "search"),
    *("why", "guide", "lines", "exchange", "labeler", "mount"),
)

SHARED = ("page", "keys", "own_keys", "outbox", "leaving", "alerts")

_component = st.components.v2.component(
    "labelloop_labeler",
    js=scripts() + text_of(*(f"shared/{name}.js" for name in SHARED), *(f"labeler/{name}.js" for name in SCRIPTS)),
    css=text_of("labeler/labeler.css") + styles(),
)


def sent_message() -> Mapping[str, Any]:
    """What the browser sent last: every decision that is not confirmed yet, and what it has on screen; {} before."""
    state = st.session_state.get(KEY)
    message = state.get("outbox") if state is not None else None
    return message if isinstance(message, Mapping) else {}


def labeler(answer: Mapping[str, Any]) -> None:
    """Draw the labeler, which takes this answer to its last message."""
    _component(key=KEY, data=dict(answer), on_outbox_change=_heard)


def _heard() -> None:
    """Streamlit keeps only state that has a callback; the message is read when the screen is drawn."""
