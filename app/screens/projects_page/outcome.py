"""What became of the last thing that was done, as a sentence; refusals stand beside their field instead."""

import time
from collections.abc import Callable

import streamlit as st

from app.errors import AppError
from app.screens.shared.plain_text import escaped

SAID_S = 10.0  # so long it stands, however often the page is drawn meanwhile: other projects start and end beside it
_DONE, _REFUSED = "projects_done", "projects_refused"  # (sentence, when), and (where, why)


def do(where: str, work: Callable[[], str]) -> None:
    """Do something in a button's callback.

    Args:
        where: name of the place at which a refusal is shown.
        work: does it, and says what it did.
    """
    try:
        st.session_state[_DONE] = work(), time.monotonic()
    except AppError as error:
        st.session_state[_REFUSED] = (where, str(error))


def show_outcome() -> None:
    """Draw what was done; its place stays when it goes, or an open expander below would close."""
    with st.container():
        said, when = st.session_state.get(_DONE, ("", 0.0))
        if said and time.monotonic() - when < SAID_S:
            st.success(escaped(said), icon=":material/check:")


def show_refusal(where: str) -> None:
    """Draw why something was not done, at its place."""
    place, why = st.session_state.get(_REFUSED, ("", ""))
    if place == where:
        del st.session_state[_REFUSED]
        st.error(escaped(why), icon=":material/error:")
