"""What the groups in the browser tell the server, beside the decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.screens.shared.conversation import Message, as_list, read_message
from app.screens.shared.decisions import is_key, is_whole
from storage.groups import EACH

MOST_HELD = 50  # samples a page has fetched


@dataclass(frozen=True)
class Begin:
    """A group that a person has chosen."""

    key: str  # made by the browser: the same choice twice is one group
    offer: str  # which of those that were offered
    class_index: int  # or `EACH`


@dataclass(frozen=True)
class GroupMessage(Message):
    """One message of one page of the groups."""

    begin: Begin | None
    held: frozenset[int]  # ids of samples the page can show already


def read_group_message(sent: object) -> GroupMessage | None:
    """Check what a browser sent; None when it is no message at all."""
    message = read_message(sent)
    if message is None or not isinstance(sent, Mapping):
        return None
    held = as_list(sent.get("held"))[-MOST_HELD:]
    return GroupMessage(
        **vars(message),
        begin=_begin(sent.get("begin")),
        held=frozenset(one for one in held if is_whole(one)),
    )


def _begin(told: object) -> Begin | None:
    if not isinstance(told, Mapping) or not is_key(told.get("key")):
        return None
    offer, class_index = told.get("offer"), told.get("class_index")
    is_offer = isinstance(offer, str) and is_whole(class_index) and class_index >= EACH
    return Begin(told["key"], str(offer), int(class_index or 0)) if is_offer else None
