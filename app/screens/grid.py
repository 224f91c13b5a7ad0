"""Grid: many at once. Samples seen together, the wrong ones taken out; or groups, of which some are judged blind."""

import streamlit as st

from app.browser.grid import grid, sent_message
from app.browser.group import group, sent_group_message
from app.screens.grid_page.answer import answer_to
from app.screens.group_page import answer as groups
from app.screens.group_page.choice import GROUPS, MODE_KEY, MODES, wanted_group
from app.screens.shared.failures import as_sentences


@st.fragment
def many_at_once() -> None:
    """The grid or the groups; a message of the browser reruns this part alone."""
    mode = st.segmented_control("Many at once", MODES, default=MODES[0], key=MODE_KEY, label_visibility="collapsed")
    with as_sentences():
        if mode == GROUPS:
            group(groups.answer_to(sent_group_message(), wanted_group()))
        else:
            grid(answer_to(sent_message()))


many_at_once()
