"""What the grid in the browser tells the server: all it holds, every time, so that a lost message loses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from app.screens.shared.pages import page_of

SIZES = (12, 24, 40, 60)  # samples on one grid
AHEAD = 2  # grids a client holds: the one on screen and the next
MOST_HELD = 600  # samples on a page; with grids that were taken back there are more than two
MOST_PASSED = 5_000


@dataclass(frozen=True)
class GridMessage:
    """One message of one page, with nothing in it that the server did not check."""

    seq: int  # rises with every message of a page
    name: str  # the outbox the decisions are from: whose they are
    decisions: tuple[Mapping[str, Any], ...]
    size: int  # of SIZES
    class_index: int | None  # the class the person chose; None: whichever has most confident samples
    want: int  # grids to be given, 0 to AHEAD
    held: tuple[int, ...]  # ids of the samples on screen and on the next grid
    passed: tuple[int, ...]  # ids not to be offered again: taken out as wrong, or passed over
    page: str = ""  # the tab


def read_message(sent: object) -> GridMessage | None:
    """Check what a browser sent; None when it is no message at all."""
    if not isinstance(sent, Mapping) or not _is_whole(sent.get("seq")):
        return None
    size, class_index, want = sent.get("size"), sent.get("class_index"), sent.get("want")
    decisions = sent.get("decisions")
    return GridMessage(
        seq=sent["seq"],
        name=str(sent.get("name", "")),
        page=page_of(sent),
        decisions=tuple(one for one in decisions if isinstance(one, Mapping)) if isinstance(decisions, list) else (),
        size=size if size in SIZES else SIZES[0],
        class_index=class_index if _is_whole(class_index) and class_index >= 0 else None,
        want=min(max(want, 0), AHEAD) if _is_whole(want) else 0,
        held=_ids(sent.get("held"), MOST_HELD),
        passed=_ids(sent.get("passed"), MOST_PASSED),
    )


def _ids(values: object, most: int) -> tuple[int, ...]:
    found = values if isinstance(values, list) else []
    return tuple(value for value in found if _is_whole(value))[-most:]


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
