"""What all components that talk to the server have in common on its side."""

from __future__ import annotations

import streamlit as st


def sent_by(key: str) -> object:
    """What the component of this key sent last, unchecked; None before its first message."""
    state = st.session_state.get(key)
    return None if state is None else state.get("message")


def heard() -> None:
    """Streamlit keeps only state that has a callback; the message is read when the screen is drawn."""
