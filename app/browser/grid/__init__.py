"""The grid: the part of the Grid screen that lives in the browser, where Enter shows the next one in the same frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.browser import CONVERSATION, text_of
from app.browser.component import heard, sent_by
from app.browser.content import scripts, styles

KEY = "grid"
SCRIPTS = ("fit", "parts", "view", "draw", "decide", "confirm", "keys", "grid")

_component = st.components.v2.component(
    "labelloop_grid",
    js=scripts() + text_of(*CONVERSATION, *(f"grid/{name}.js" for name in SCRIPTS)),
    css=text_of("grid/grid.css") + styles(),
)


def sent_message() -> object:
    """What the browser sent last, unchecked; None before its first message."""
    return sent_by(KEY)


def grid(answer: Mapping[str, Any]) -> None:
    """Draw the grid, which takes this answer to its last message."""
    _component(key=KEY, data=dict(answer), on_message_change=heard)
