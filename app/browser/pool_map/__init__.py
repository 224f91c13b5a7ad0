"""The map of the pool: all its samples as points, zoomed, picked and lassoed in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.browser import text_of
from app.browser.component import heard, sent_by
from app.browser.content import scripts, styles

KEY = "pool_map"
SCRIPTS = ("points", "camera", "looks", "webgl", "canvas", "pointer", "arrows", "view", "map")

_component = st.components.v2.component(
    "labelloop_pool_map",
    js=scripts()
    + text_of("shared/page.js", "shared/mount.js", "grid/parts.js", *(f"pool_map/{name}.js" for name in SCRIPTS)),
    css=text_of("pool_map/map.css") + styles(),
)


def sent_message() -> object:
    """What the browser sent last, unchecked; None before its first message."""
    return sent_by(KEY)


def pool_map(data: Mapping[str, Any]) -> None:
    """Draw the map."""
    _component(key=KEY, data=dict(data), on_message_change=heard)
