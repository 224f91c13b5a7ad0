"""The labeler: the part of the Label screen that lives in the browser, where a key is answered in the same frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.browser import CONVERSATION, text_of
from app.browser.component import heard, sent_by
from app.browser.content import scripts, styles

KEY = "labeler"
SCRIPTS = (
    *("pace", "contents", "work", "swipes", "view", "zoom", "search"),
    *("why", "guide", "lines", "deciding", "labeler"),
)

_component = st.components.v2.component(
    "labelloop_labeler",
    js=scripts() + text_of(*CONVERSATION, *(f"labeler/{name}.js" for name in SCRIPTS)),
    css=text_of("labeler/labeler.css") + styles(),
)


def sent_message() -> object:
    """What the browser sent last, unchecked: decisions, and what it has on screen; None before its first message."""
    return sent_by(KEY)


def labeler(answer: Mapping[str, Any]) -> None:
    """Draw the labeler, which takes this answer to its last message."""
    _component(key=KEY, data=dict(answer), on_message_change=heard)
