"""What the grid in the browser tells the server, beside the decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.screens.shared.conversation import Message, as_list, read_message
from app.screens.shared.decisions import is_whole

SIZES = (12, 24, 40, 60)  # samples on one grid
AHEAD = 2  # grids a client holds: the one on screen and the next
MOST_HELD = 600  # samples on a page; with grids that were taken back there are more than two
MOST_PASSED = 5_000


@dataclass(frozen=True)
class GridMessage(Message):
    """One message of one page of the grid."""

    size: int  # of SIZES
    class_index: int | None  # the class the person chose; None: whichever has most confident samples
    want: int  # grids to be given, 0 to AHEAD
    held: tuple[int, ...]  # ids of the samples on screen and on the next grid
    passed: tuple[int, ...]  # ids not to be offered again: taken out as wrong, or passed over


def read_grid_message(sent: object) -> GridMessage | None:
    """Check what a browser sent; None when it is no message at all."""
    message = read_message(sent)
    if message is None or not isinstance(sent, Mapping):
        return None
    size, class_index, want = sent.get("size"), sent.get("class_index"), sent.get("want")
    return GridMessage(
        **vars(message),
        size=size if size in SIZES else SIZES[0],
        class_index=class_index if is_whole(class_index) and class_index >= 0 else None,
        want=min(max(want, 0), AHEAD) if is_whole(want) else 0,
        held=_ids(sent.get("held"), MOST_HELD),
        passed=_ids(sent.get("passed"), MOST_PASSED),
    )


def _ids(values: object, most: int) -> tuple[int, ...]:
    return tuple(value for value in as_list(values) if is_whole(value))[-most:]
