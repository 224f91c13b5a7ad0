"""A field stays as it was typed until what it stands for is changed elsewhere; and every field of the screens does."""

from __future__ import annotations

import ast

from streamlit.testing.v1 import AppTest

TYPED_INTO = {"text_input", "text_area", "number_input"}
NOT_KEPT = {"who.py", "gallery.py"}  # a person's name, which is kept elsewhere; the number of a page


def fields_of(path):
    """The calls that draw a field to type into."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in TYPED_INTO]


def stays_typed(call):
    given = [(keyword.arg, ast.unparse(keyword.value)) for keyword in call.keywords]
    return ("persist_state", "'session'") in given or any(
        name is None and value.startswith("stays(") for name, value in given
    )


def test_every_field_of_the_screens_stays_typed(repository):
    paths = [path for path in (repository / "app/screens").rglob("*.py") if path.name not in NOT_KEPT]
    fields = [(path.name, call) for path in paths for call in fields_of(path)]
    assert len(fields) > 10
    assert [(name, call.lineno) for name, call in fields if not stays_typed(call)] == []


def drawn(stored):
    import streamlit as st

    from app.screens.setup_page.typed import stays

    if st.toggle("Drawn", value=True, key="drawn"):
        st.number_input("Round size", **stays("size", st.session_state.get("stored", stored)))


def test_a_field_stays_typed_while_it_is_not_drawn_and_begins_anew_once_what_is_stored_changes():
    screen = AppTest.from_function(drawn, args=(10,), default_timeout=30).run()
    assert screen.number_input(key="size").value == 10
    screen.number_input(key="size").set_value(7).run()
    screen.toggle(key="drawn").set_value(False).run()
    screen.toggle(key="drawn").set_value(True).run()
    assert screen.number_input(key="size").value == 7
    screen.session_state["stored"] = 20
    assert screen.run().number_input(key="size").value == 20
    assert not screen.warning
