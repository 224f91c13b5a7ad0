"""Grid: many samples the model takes for one class; take out the wrong ones, one key labels the rest."""

import streamlit as st

from app.browser.grid import grid, sent_message
from app.screens.grid_page.answer import answer_to
from app.screens.shared.failures import as_sentences


@st.fragment
def many_at_once() -> None:
    """The grid; a message of the browser reruns this part alone."""
    with as_sentences():
        grid(answer_to(sent_message()))


many_at_once()
