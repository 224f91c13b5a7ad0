"""Leaving a page straight from a field."""

import streamlit as st

from app.browser import text_of

_waits = st.components.v2.component("labelloop_typed", js=text_of("shared/links.js", "leaving/typed.js"))


def wait_for_typed() -> None:
    """Have the browser hold a click on a link until what was typed just before it has reached the server."""
    with st.sidebar:
        _waits(key="wait_for_typed", height=0)
