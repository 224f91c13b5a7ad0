"""Several at once: the part of the Review screen where cards are chosen and corrected together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from app.browser import text_of
from app.browser.content import scripts, styles

KEY = "several"
SHARED = ("page", "keys", "own_keys")

_component = st.components.v2.component(
    "labelloop_several",
    js=scripts() + text_of(*(f"shared/{name}.js" for name in SHARED), "grid/parts.js", "several/several.js"),
    css=text_of("several/several.css") + styles(),
)


def sent_message() -> Mapping[str, Any]:
    """What the browser sent last; {} before its first message."""
    state = st.session_state.get(KEY)
    message = state.get("message") if state is not None else None
    return message if isinstance(message, Mapping) else {}


def several(cards: Mapping[str, Any], heard: Callable[[], None]) -> None:
    """Draw the cards.

    Args:
        cards: what the browser draws.
        heard: called when the browser has said something, before the page is drawn anew.
    """
    _component(key=KEY, data=dict(cards), on_message_change=heard)
