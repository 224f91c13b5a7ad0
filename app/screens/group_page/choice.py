"""What a person chooses above the groups: grid or groups, and what to look for."""

from __future__ import annotations

import streamlit as st

from app.screens.group_page.offers import GroupSearch

SEEN, GROUPS = "Seen together", "Groups, with a guarantee"
MODES = (SEEN, GROUPS)
MODE_KEY = "grid_mode"
MORE = "Offers the samples most like it as a group: some are judged one by one, one key labels the rest."
LIKE_KEY = "group_like"  # in the session: the sample whose like is wanted


def wanted_group() -> GroupSearch:
    """Draw the search; returns what is looked for."""
    like = st.session_state.get(LIKE_KEY)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Find a group", key="group_find", placeholder="a part of file names or of texts", width=320
        )
        if like is not None:
            st.button(f"Forget sample {like}", key="group_forget", on_click=lambda: st.session_state.pop(LIKE_KEY))
    return GroupSearch(text.strip(), like)


def more_like_this(sample_id: int) -> None:
    """Draw the button that leads from a sample to the group of what is like it."""
    if st.button("More like this", key="more_like_this", icon=":material/join_inner:", help=MORE):
        st.session_state[LIKE_KEY] = sample_id
        st.session_state[MODE_KEY] = GROUPS
        st.switch_page("grid.py")
