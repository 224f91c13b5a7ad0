"""What the groups in the browser tell the server: all they hold, every time, so that a lost message loses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from app.screens.shared.decisions import is_key
from app.screens.shared.pages import page_of

MOST_HELD = 50  # samples a page has fetched


@dataclass(frozen=True)
class Begin:
    """A group that a person has chosen."""

    key: str  # made by the browser: the same choice twice is one group
    offer: str  # which of those that were offered
    class_index: int


@dataclass(frozen=True)
class GroupMessage:
    """One message of one page, with nothing in it that the server did not check."""

    seq: int  # rises with every message of a page
    name: str  # the outbox the decisions are from: whose they are
    decisions: tuple[Mapping[str, Any], ...]
    begin: Begin | None
    held: frozenset[int]  # ids of samples the page can show already
    page: str = ""  # the tab


def read_message(sent: object) -> GroupMessage | None:
    """Check what a browser sent; None when it is no message at all."""
    if not isinstance(sent, Mapping) or not _is_whole(sent.get("seq")):
        return None
    decisions, held = sent.get("decisions"), sent.get("held")
    return GroupMessage(
        seq=sent["seq"],
        name=str(sent.get("name", "")),
        decisions=tuple(one for one in decisions if isinstance(one, Mapping)) if isinstance(decisions, list) else (),
        begin=_begin(sent.get("begin")),
        held=frozenset(one for one in held[-MOST_HELD:] if _is_whole(one)) if isinstance(held, list) else frozenset(),
        page=page_of(sent),
    )


def _begin(told: object) -> Begin | None:
    if not isinstance(told, Mapping) or not is_key(told.get("key")):
        return None
    offer, class_index = told.get("offer"), told.get("class_index")
    is_offer = isinstance(offer, str) and _is_whole(class_index) and class_index >= 0
    return Begin(told["key"], str(offer), int(class_index or 0)) if is_offer else None


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
