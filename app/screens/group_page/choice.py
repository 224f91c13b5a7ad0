"""What a person chooses above the groups: grid or groups, and what to look for."""

from __future__ import annotations

import streamlit as st

from app.screens.group_page.offers import GroupSearch

SEEN, GROUPS = "Seen together", "Groups, with a guarantee"
MODES = (SEEN, GROUPS)
MODE_KEY = "grid_mode"
MORE = "Offers the samples most like it as a group: some are judged one by one, one key labels the rest."
LIKE_KEY, CHOSEN_KEY = "group_like", "group_chosen"  # in the session: the sample whose like is wanted; those lassoed


def wanted_group() -> GroupSearch:
    """Draw the search; returns what is looked for."""
    like, chosen = st.session_state.get(LIKE_KEY), st.session_state.get(CHOSEN_KEY, ())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Find a group",
            key="group_find",
            persist_state="session",
            placeholder="file names, texts, or age > 50 and sector = Private",
            width=420,
        )
        if like is not None:
            st.button(f"Forget sample {like}", key="group_forget", on_click=_forget)
        if chosen:
            st.button("Forget what was chosen on the map", key="group_forget_chosen", on_click=_forget)
    return GroupSearch(text.strip(), like, chosen)


def more_like_this(sample_id: int) -> None:
    """Draw the button that leads from a sample to the group of what is like it."""
    if st.button("More like this", key="more_like_this", icon=":material/join_inner:", help=MORE):
        open_groups(like=sample_id)


def open_groups(*, like: int | None = None, chosen: tuple[int, ...] = ()) -> None:
    """Go to the groups, where what is like a sample, or what was chosen, is offered."""
    st.session_state[LIKE_KEY], st.session_state[CHOSEN_KEY] = like, chosen
    st.session_state[MODE_KEY] = GROUPS
    st.switch_page("grid.py")


def _forget() -> None:
    st.session_state[LIKE_KEY], st.session_state[CHOSEN_KEY] = None, ()
