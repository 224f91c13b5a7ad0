from __future__ import annotations

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.errors import ProjectError
from app.screens.shared.identity import Account, account_name, account_of, cleaned
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import annotator_id
from app.screens.shared.who import providers
from storage.projects import list_annotators


@pytest.fixture
def first_visit(filled, repository):
    """Open the application as somebody whose browser knows no name."""
    return AppTest.from_file(str(repository / "app/screens/main.py"), default_timeout=60)


def test_a_first_visit_asks_who_is_labeling_and_shows_nothing_else(first_visit):
    screen = first_visit.run()
    assert screen.text_input(key="entry_name")
    assert [button.label for button in screen.button] == ["Start", "anna"]
    assert not screen.error


def test_setup_and_help_ask_for_no_name(first_visit):
    for page in ("setup.py", "help.py"):
        first_visit.switch_page(page).run()
        assert not [box for box in first_visit.text_input if box.key == "entry_name"]
        assert first_visit.sidebar.text_input(key="annotator_name").value == ""


def test_a_name_typed_once_opens_the_screens(first_visit):
    screen = first_visit.run()
    screen.text_input(key="entry_name").input("  ben ")
    screen.button[0].click().run()
    assert screen.sidebar.text_input(key="annotator_name").value == "ben"
    assert screen.query_params["annotator"] in ("ben", ["ben"])


def test_a_name_of_the_project_is_one_press(first_visit):
    screen = first_visit.run()
    screen.button(key="entry_known_0").click().run()
    assert screen.sidebar.text_input(key="annotator_name").value == "anna"


def test_an_empty_name_is_refused_with_a_sentence(first_visit):
    screen = first_visit.run()
    screen.text_input(key="entry_name").input("   ")
    screen.button[0].click().run()
    assert [error.value for error in screen.error] == ["Type a name first."]


def test_a_name_in_the_address_asks_nothing(first_visit):
    first_visit.query_params["annotator"] = "cleo"
    screen = first_visit.run()
    assert screen.sidebar.text_input(key="annotator_name").value == "cleo"


def test_a_name_the_browser_remembers_asks_nothing(first_visit, monkeypatch):
    monkeypatch.setattr(type(st.context), "cookies", {"labelloop_annotator": "Zo%C3%AB"})
    screen = first_visit.run()
    assert screen.sidebar.text_input(key="annotator_name").value == "Zoë"


def test_an_emptied_box_keeps_the_name(first_visit):
    first_visit.query_params["annotator"] = "cleo"
    screen = first_visit.run()
    screen.sidebar.text_input(key="annotator_name").set_value("  ").run()
    assert screen.sidebar.text_input(key="annotator_name").value == "cleo"


def test_the_name_is_registered_once(filled, open_screen):
    open_screen("label.py")
    open_screen("label.py")
    with filled.database.read() as session:
        assert list_annotators(session, project_id=filled.project_id) == ["anna", "tester"]


@pytest.fixture
def sign_in(monkeypatch):
    """Streamlit's secrets hold [auth]; returns the account, which a test may fill."""
    user: dict[str, object] = {"is_logged_in": False}
    monkeypatch.setattr("streamlit.user_info._get_user_info", lambda: user)
    monkeypatch.setattr(st, "secrets", {"auth": {"client_id": "x", "google": {"client_id": "y"}}})
    monkeypatch.setattr("app.screens.shared.who.importlib.util.find_spec", lambda name: name)
    return user


def test_where_signing_in_is_set_up_nobody_gets_in_without(first_visit, sign_in):
    first_visit.query_params["annotator"] = "cleo"
    screen = first_visit.run()
    assert [button.label for button in screen.button] == ["Sign in", "Sign in with Google"]
    assert not screen.text_input
    assert not screen.sidebar.text_input


def test_who_signed_in_labels_under_the_account_whatever_the_address_says(first_visit, sign_in):
    sign_in |= {"is_logged_in": True, "email": "dora@example.org", "name": "Dora"}
    first_visit.query_params["annotator"] = "cleo"
    screen = first_visit.run()
    assert not screen.sidebar.text_input
    assert any(escaped("dora@example.org") in caption.value for caption in screen.sidebar.caption)
    assert screen.button(key="sign_out")


def test_a_sign_in_without_its_package_is_a_sentence(first_visit, sign_in, monkeypatch):
    monkeypatch.setattr("app.screens.shared.who.importlib.util.find_spec", lambda name: None)
    assert "pip install" in first_visit.run().error[0].value.replace("\\", "")


def test_an_account_is_named_by_what_is_its_own():
    assert account_name({"is_logged_in": True, "name": "Dora", "email": "dora@example.org"}) == "dora@example.org"
    assert account_name({"is_logged_in": True, "name": "Dora", "email": None}) == "Dora"
    assert account_name({"is_logged_in": False, "email": "dora@example.org"}) == ""


@pytest.mark.parametrize(
    ("found", "name"),
    [("  ada  b ", "ada b"), ("a\u202eb\n", "ab"), ("x" * 100, "x" * 80), (None, ""), (["a"], "")],
)
def test_a_name_is_one_line_of_visible_signs(found, name):
    assert cleaned(found) == name


def test_providers_are_the_sections_of_the_secrets():
    assert providers({"redirect_uri": "u", "client_id": "x"}) == [None]
    assert providers({"redirect_uri": "u", "google": {"client_id": "y"}}) == ["google"]


def test_an_account_is_its_issuer_and_number_and_an_unverified_address_proves_nothing():
    user = {"is_logged_in": True, "iss": "https://one", "sub": "7", "email": "ana@example.org"}
    assert account_of(user) == Account("https://one", "7", "ana@example.org", is_verified=False)
    assert account_of(user | {"email_verified": True}).is_verified
    assert not account_of(user | {"email_verified": True, "email": "ana@example.org\u200b"}).is_verified
    with pytest.raises(ProjectError, match="which account"):
        account_of({"is_logged_in": True, "name": "ana"})


DORA = {"is_logged_in": True, "iss": "https://one", "sub": "1", "email": "dora@example.org", "email_verified": True}
IMPOSTORS = (
    {"sub": "2", "email": "dora@example.org "},
    {"sub": "3", "email": "dora@example.org\u200b"},
    {"sub": "4", "email_verified": False},
    {"sub": "5", "email": None, "preferred_username": "dora@example.org"},
    {"sub": "6", "email": None, "name": "dora@example.org"},
    {"sub": "7", "email": "DORA@EXAMPLE.ORG"},
    {"sub": "8", "email": "d" * 80 + "1@example.org"},
    {"sub": "9", "email": "d" * 80 + "2@example.org"},
    {"sub": "1 ", "email": None},
)


def test_ten_accounts_of_which_nine_would_be_another_are_ten_people(filled, monkeypatch):
    people = set()
    monkeypatch.setattr("app.screens.shared.session.must_sign_in", lambda: False)
    for account in ({}, *IMPOSTORS):
        monkeypatch.setattr("streamlit.user", {**DORA, **account})
        people.add(annotator_id())
    assert len(people) == 1 + len(IMPOSTORS)
    with filled.database.read() as session:
        assert len(set(list_annotators(session, project_id=filled.project_id))) == 2 + len(IMPOSTORS)  # and Anna


@pytest.fixture
def linked(first_visit, monkeypatch):
    """Open a colleague's link in a browser that knows another name."""
    monkeypatch.setattr(type(st.context), "cookies", {"labelloop_annotator": "ada"})
    first_visit.query_params["annotator"] = "cleo"
    return first_visit.run()


@pytest.mark.parametrize("name", ["ada", "cleo"])
def test_a_colleagues_link_makes_nobody_that_colleague_unasked(linked, name):
    assert not [box for box in linked.sidebar.text_input if box.key == "annotator_name"]
    linked.button(key=f"doubt_{name}").click().run()
    assert linked.sidebar.text_input(key="annotator_name").value == name


def test_a_name_that_only_the_link_gave_is_not_remembered_unasked(first_visit):
    first_visit.query_params["annotator"] = "cleo"
    screen = first_visit.run()
    assert screen.session_state["name_of_link"] == "cleo"
    screen.sidebar.button(key="remember_name").click().run()
    assert "name_of_link" not in screen.session_state
    assert screen.sidebar.text_input(key="annotator_name").value == "cleo"
