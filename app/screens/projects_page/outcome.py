"""What became of the last thing that was done, as a sentence; refusals stand beside their field instead."""

from collections.abc import Callable

import streamlit as st

from app.errors import AppError
from app.screens.shared.plain_text import escaped

_DONE, _REFUSED = "projects_done", "projects_refused"  # the second: (where, why)


def do(where: str, work: Callable[[], str]) -> None:
    """Do something in a button's callback.

    Args:
        where: name of the place at which a refusal is shown.
        work: does it, and says what it did.
    """
    try:
        st.session_state[_DONE] = work()
    except AppError as error:
        st.session_state[_REFUSED] = (where, str(error))


def show_outcome() -> None:
    """Draw what was done; its place stays when it goes, or an open expander below would close."""
    with st.container():
        if said := st.session_state.pop(_DONE, ""):
            st.success(escaped(said), icon=":material/check:")


def show_refusal(where: str) -> None:
    """Draw why something was not done, at its place."""
    place, why = st.session_state.get(_REFUSED, ("", ""))
    if place == where:
        del st.session_state[_REFUSED]
        st.error(escaped(why), icon=":material/error:")
