"""What a page in the browser says to the server and is answered, as far as it is the same on all that label."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.screens.shared.decisions import apply, as_told, is_whole, outbox_name
from app.screens.shared.pages import page_of

SESSION_KEY = "conversation_session"


@dataclass(frozen=True)
class Message:
    """One message of one page, with nothing in it that the server did not check."""

    seq: int  # rises with every message of a page
    name: str  # the outbox the decisions are from: whose they are
    decisions: tuple[Mapping[str, Any], ...]  # all that the page holds, every time: a lost message loses nothing
    page: str  # the tab

    @property
    def is_ours(self) -> bool:
        """Whether it is of this person's page: after a change of annotator the browser still holds the old one's."""
        return self.name == outbox_name()


def read_message(sent: object) -> Message | None:
    """Check what a browser sent; None when it is no message at all."""
    if not isinstance(sent, Mapping) or not is_whole(sent.get("seq")):
        return None
    decisions = tuple(one for one in as_list(sent.get("decisions")) if isinstance(one, Mapping))
    return Message(sent["seq"], str(sent.get("name", "")), decisions, page_of(sent))


def nothing_said() -> dict[str, Any]:
    """What a page is told before it has said anything: whose it is, and which session of the server this is."""
    session = st.session_state.setdefault(SESSION_KEY, uuid.uuid4().hex)
    empty: dict[str, Any] = {"seq": None, "confirmed": [], "refused": [], "notices": [], "trouble": None}
    return {"name": outbox_name(), "session": session, **empty}


def stored(message: Message) -> dict[str, Any]:
    """Store the decisions of a message; returns what its page is told of them."""
    applied = apply(message.decisions, page=message.page)
    return {
        **nothing_said(),
        "seq": message.seq,
        "confirmed": list(applied.confirmed),
        "refused": as_told(applied.refused),
        "notices": as_told(applied.notices),
        "trouble": applied.trouble,
    }


def answered_once(key: str, asked: tuple[object, ...], answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The answer to what was asked; a page that is drawn again gets the last one.

    Args:
        key: of the last answer in the session.
        asked: what the answer depends on.
        answer: works it out.
    """
    last = st.session_state.get(key)
    if last is None or last[0] != asked:
        last = asked, answer()
        st.session_state[key] = last
    found: dict[str, Any] = last[1]
    return found


def as_list(value: object) -> list[Any]:
    """A list as it is; anything else a browser may send is an empty one."""
    return value if isinstance(value, list) else []
