"""Several at once: the part of the Review screen where cards are chosen and corrected together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from app.browser import CONVERSATION, text_of
from app.browser.component import sent_by
from app.browser.content import scripts, styles

KEY = "several"

_component = st.components.v2.component(
    "labelloop_several",
    js=scripts() + text_of(*CONVERSATION, "grid/parts.js", "several/several.js"),
    css=text_of("several/several.css") + styles(),
)


def sent_message() -> object:
    """What the browser sent last, unchecked; None before its first message."""
    return sent_by(KEY)


def several(cards: Mapping[str, Any], heard: Callable[[], None]) -> None:
    """Draw the cards.

    Args:
        cards: what the browser draws.
        heard: called when the browser has said something, before the page is drawn anew.
    """
    _component(key=KEY, data=dict(cards), on_message_change=heard)
