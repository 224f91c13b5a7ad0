"""Groups: the part of the Grid screen where members are judged one by one, and one key labels the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.browser import CONVERSATION, text_of
from app.browser.component import heard, sent_by
from app.browser.content import scripts, styles

KEY = "group"
SCRIPTS = ("view", "draw", "decide", "group")

_component = st.components.v2.component(
    "labelloop_group",
    js=scripts() + text_of(*CONVERSATION, "grid/parts.js", *(f"group/{name}.js" for name in SCRIPTS)),
    css=text_of("grid/grid.css", "group/group.css") + styles(),
)


def sent_group_message() -> object:
    """What the browser sent last, unchecked; None before its first message."""
    return sent_by(KEY)


def group(answer: Mapping[str, Any]) -> None:
    """Draw the groups, which take this answer to their last message."""
    _component(key=KEY, data=dict(answer), on_message_change=heard)
