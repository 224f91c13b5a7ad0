"""Under which name a person labels: their account where signing in is set up, else the name they gave.

A name given once is found again in the session, in the address and in a cookie of the browser, in this order. Where
Streamlit's secrets hold an [auth] section, nobody can type a name: it is the account's.
"""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import streamlit as st

from app.errors import ProjectError
from storage.names import LONGEST_NAME, person

ANNOTATOR_KEY = "annotator_name"  # of the session and of the sidebar's box
PARAMETER = "annotator"  # of the address
COOKIE = "labelloop_annotator"
_ACCOUNT_FIELDS = ("email", "preferred_username", "name", "sub")  # the first that is there is shown


def given_name() -> str:
    """The name of the person at this browser; empty for a first visit, or before signing in."""
    if must_sign_in() is not None:
        return account_name(dict(st.user))
    places = (st.session_state.get(ANNOTATOR_KEY), st.query_params.get(PARAMETER), _remembered())
    return next((name for name in map(cleaned, places) if name), "")


def is_named_by_link() -> bool:
    """Whether only the address names the person, and this browser does not know them by that name."""
    linked = cleaned(st.query_params.get(PARAMETER))
    return ANNOTATOR_KEY not in st.session_state and linked not in ("", remembered_name())


def remembered_name() -> str:
    """The name this browser knows; empty where it knows none."""
    return cleaned(_remembered())


def must_sign_in() -> bool | None:
    """Whether the person still has to sign in; None where signing in is not set up."""
    signed_in = st.user.get("is_logged_in")  # Streamlit knows this word only when the secrets hold [auth]
    return None if signed_in is None else not signed_in


@dataclass(frozen=True)
class Account:
    """Who signed in: an account is its issuer and its number there; a name is only shown."""

    issuer: str
    subject: str
    name: str
    is_verified: bool  # the name is an address that the issuer has checked


def account_of(user: Mapping[str, object]) -> Account:
    """Return the account of a person who signed in.

    Raises:
        ProjectError: When the provider does not say which account it is.
    """
    issuer, subject, name = user.get("iss"), user.get("sub"), account_name(user)
    if not isinstance(issuer, str) or not isinstance(subject, str) or not subject:
        raise ProjectError("The sign-in does not say which account this is (no 'iss' and 'sub'); ask who set it up.")
    is_address = name != "" and name == user.get("email")
    return Account(issuer, subject, name or subject[:LONGEST_NAME], is_address and user.get("email_verified") is True)


def account_name(user: Mapping[str, object]) -> str:
    """What is shown of an account; empty before it signed in."""
    if not user.get("is_logged_in"):
        return ""
    return next((name for field in _ACCOUNT_FIELDS if (name := cleaned(user.get(field)))), "")


def cleaned(name: object) -> str:
    """A name on one line, without signs that cannot be seen: an address or a cookie may hold anything."""
    return person(name) if isinstance(name, str) else ""


def suggested_name() -> str:
    """What the dialog proposes: the account of this machine, or nothing where it says nothing about a person."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):  # no such account in a container; no pwd module elsewhere
        return ""
    return "" if name == "root" else cleaned(name)


def _remembered() -> str:
    return unquote(st.context.cookies.get(COOKIE, ""))
