"""One sample's keys: beside a sample that is labeled outside the queue, the same keys as on the Label screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from app.browser import text_of
from app.browser.component import sent_by

KEY = "one_sample"

_component = st.components.v2.component(
    "labelloop_one_sample",
    js=text_of(
        "shared/page.js", "shared/keys.js", "shared/own_keys.js", "shared/mount.js", "grid/parts.js", "one/one.js"
    ),
    css=text_of("one/one.css"),
)


def sent_message() -> object:
    """What the browser sent last, unchecked; None before its first message."""
    return sent_by(KEY)


def one_sample(data: Mapping[str, Any], heard: Callable[[], None]) -> None:
    """Draw the line of keys.

    Args:
        data: Which sample, which classes, whose page.
        heard: Called when a key was pressed, before the page is drawn anew.
    """
    _component(key=KEY, data=dict(data), on_message_change=heard)
