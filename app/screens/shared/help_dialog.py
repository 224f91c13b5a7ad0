"""The help with all keys, one key away on every page."""

import streamlit as st

from app.screens.shared import label_keys


@st.dialog("Keys", width="medium")
def _keys() -> None:
    st.markdown(label_keys.keys_table())
    st.markdown("**On the Grid page**")
    st.markdown(label_keys.keys_table(label_keys.GRID_ROWS))
    st.markdown("**In the groups of the Grid page**")
    st.markdown(label_keys.keys_table(label_keys.GROUP_ROWS))
    st.markdown("**On Uncertainty**")
    st.markdown(label_keys.keys_table(label_keys.ONE_ROWS))


def help_button() -> None:
    """Draw the button in the sidebar; `h` and `?` press it."""
    if st.sidebar.button("Keys", key="help_keys", icon=":material/keyboard:", shortcut=label_keys.HELP):
        _keys()
