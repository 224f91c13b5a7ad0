"""What a person has typed on Setup stays typed: over a look at another page, another kind of source, a refusal.

Streamlit forgets a field that is not drawn. Here each field begins with what was last in it.
"""

from typing import Any, TypeVar

import streamlit as st

_KEPT = "typed_on_setup"
Value = TypeVar("Value")


def kept(key: str, otherwise: Value) -> Value:
    """What was last in a field, else what it begins with."""
    found: Value = _fields().get(key, otherwise)
    return found


def keep(key: str, value: Value) -> Value:
    """Note what is in a field, and return it."""
    _fields()[key] = value
    return value


def forget(prefix: str) -> None:
    """Forget fields by the beginning of their keys: what was in them is stored now."""
    for key in [key for key in _fields() if key.startswith(prefix)]:
        del _fields()[key]


def text_field(label: str, otherwise: str = "", *, key: str, **options: Any) -> str:  # noqa: ANN401 - Streamlit's own
    """Draw a line of text that stays typed."""
    begin = "" if key in st.session_state else kept(key, otherwise)  # Streamlit warns of a second value for a field
    typed: str = keep(key, st.text_input(label, begin, key=key, **options))
    return typed


def _fields() -> dict[str, Any]:
    fields: dict[str, Any] = st.session_state.setdefault(_KEPT, {})
    return fields
