"""Asking who is labeling: one small dialog at the first visit, a box in the sidebar, or a sign-in."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.browser import text_of
from app.errors import ProjectError
from app.screens.shared.identity import (
    ANNOTATOR_KEY,
    COOKIE,
    PARAMETER,
    cleaned,
    given_name,
    is_named_by_link,
    must_sign_in,
    remembered_name,
    suggested_name,
)
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import database, project_id
from storage.names import LONGEST_NAME
from storage.projects import list_annotators

MOST_NAMES = 12  # buttons in the dialog
_PACKAGES = ("authlib", "httpx")  # that Streamlit signs in with
_ENTRY_KEY = "entry_name"
LINK_KEY = "name_of_link"  # the name that only the link gave
_focus = st.components.v2.component("labelloop_name_focus", js=text_of("annotator/focus.js"))
_remember = st.components.v2.component("labelloop_annotator", js=text_of("annotator/remember.js"))


def ask_who(*, needed: bool) -> None:
    """Show the person's name in the sidebar and have the browser remember it.

    Args:
        needed: whether the page stores decisions: then nobody gets further without a name.
    """
    sign_in = must_sign_in()
    if sign_in:
        _sign_in()
        st.stop()
    name = given_name()
    if needed and not name:
        _entry(_names_so_far())
        st.stop()
    if sign_in is not None:
        _account(name)
        return
    if needed and is_named_by_link() and remembered_name():
        _doubt(name, remembered_name())
        st.stop()
    _box(name)


@st.dialog("Who is labeling?", dismissible=False)
def _entry(names: Sequence[str]) -> None:
    st.caption("Your name is stored with each of your labels. Two people need two names.")
    with st.form("entry", border=False):
        name = st.text_input("Your name", suggested_name(), max_chars=LONGEST_NAME, key=_ENTRY_KEY)
        if st.form_submit_button("Start", type="primary", width="stretch"):
            _enter(name)
    _focus(key="entry_focus", height=0)
    if names:
        st.caption("Or one of this project:")
        with st.container(horizontal=True, gap="small"):
            for index, known in enumerate(names[:MOST_NAMES]):
                if st.button(escaped(known), key=f"entry_known_{index}"):
                    _enter(known)


@st.dialog("Who is labeling?", dismissible=False)
def _doubt(of_link: str, of_browser: str) -> None:
    """A colleague's link does not make one that colleague."""
    st.caption("The link you followed names another person than this browser knows.")
    for name in (of_browser, of_link):
        if st.button(f"I am {escaped(name)}", key=f"doubt_{name}", width="stretch"):
            _enter(name)


def _enter(name: str) -> None:
    if not cleaned(name):
        st.error("Type a name first.", icon=":material/error:")
        return
    st.session_state[ANNOTATOR_KEY] = cleaned(name)
    st.rerun()


def _names_so_far() -> Sequence[str]:
    with database().read() as session:
        return list_annotators(session, project_id=project_id())


def _box(name: str) -> None:
    if is_named_by_link():
        st.session_state[LINK_KEY] = name
    st.session_state[ANNOTATOR_KEY] = name  # also where the box was emptied, and where it was not drawn for a while
    st.sidebar.text_input(
        "Your name",
        key=ANNOTATOR_KEY,
        max_chars=LONGEST_NAME,
        help="Stored with each of your labels. Two people need two names.",
    )
    if name and st.query_params.get(PARAMETER) != name:
        st.query_params[PARAMETER] = name
    if name and st.session_state.get(LINK_KEY) == name:  # for this visit only, unless the person says so
        st.sidebar.button("Remember this name", key="remember_name", on_click=_believe_link)
        return
    with st.sidebar:
        _remember(data={"cookie": COOKIE, "name": name}, key="annotator_memory", height=0)


def _believe_link() -> None:
    st.session_state.pop(LINK_KEY, None)


def _account(name: str) -> None:
    st.sidebar.caption(f"Signed in as {escaped(name)}")
    st.sidebar.button("Sign out", key="sign_out", icon=":material/logout:", on_click=st.logout)


def _sign_in() -> None:
    st.title("LabelLoop")
    if any(importlib.util.find_spec(package) is None for package in _PACKAGES):
        raise ProjectError("Signing in is set up but needs a package more: pip install 'labelloop[login]'.")
    st.caption("This project asks you to sign in. Your labels are stored under your account.")
    for provider in providers(st.secrets["auth"]):
        words = f"Sign in with {provider.capitalize()}" if provider else "Sign in"
        st.button(words, key=f"sign_in_{provider or 'default'}", type="primary", on_click=st.login, args=(provider,))


def providers(auth: Mapping[str, Any]) -> list[str | None]:
    """The providers of the secrets' [auth] section: its own sections by name, None for one without a name."""
    named = [name for name, value in auth.items() if isinstance(value, Mapping)]
    return [*([None] if "client_id" in auth else []), *named]
