"""A field that begins with what is stored, and stays as it was typed over a look at another page or a refusal.

Streamlit forgets a field that is not drawn, unless it says `persist_state`; and one inside `st.form` is not even known
before it is sent: no field stands in one but that for the name of a person who comes.
"""

from collections.abc import Hashable
from typing import Any

import streamlit as st

_BEGAN = "typed_began"


def stays(key: str, stored: Hashable) -> dict[str, Any]:
    """Return what a widget is given to stay as typed; it begins anew once what is stored has changed.

    Args:
        key: of the widget.
        stored: what it begins with.
    """
    began: dict[str, Hashable] = st.session_state.setdefault(_BEGAN, {})
    if key not in st.session_state or began.get(key) != stored:
        st.session_state[key] = stored
    began[key] = stored
    return {"key": key, "persist_state": "session"}
