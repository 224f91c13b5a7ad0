"""Grid: many samples the model takes for one class; take out the wrong ones, one key labels the rest."""

import streamlit as st

from app.components.grid import grid, sent_message
from app.screens.components.failures import as_sentences
from app.screens.components.grid_answer import answer_to


@st.fragment
def many_at_once() -> None:
    """The grid; a message of the browser reruns this part alone."""
    with as_sentences():
        grid(answer_to(sent_message()))


many_at_once()
