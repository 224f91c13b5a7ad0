"""What a format is: a name, a sentence, and how it is told, read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from app.formats.export import HOLDABLE, Export, Row, Written
from app.formats.source import Source

Reads = Callable[[Path], bool]
Read = Callable[[Path, Path], Source]
Rows = Callable[[Path], Iterable[Row]]
Write = Callable[[Export, Path], Written]


@dataclass(frozen=True)
class Format:
    """One format; a module of this package that has a ``FORMAT`` is in the registry."""

    name: str  # as on the command line
    sentence: str  # for the screens: what it is and what it holds
    reads: Reads | None = None  # whether a path looks like it; cheap
    read: Read | None = None  # the path, and a folder of the project to unpack into
    write: Write | None = None  # into an empty folder
    rows: Rows | None = None  # of a file, by column as it is written: they may be the samples themselves
    first_row: int = 1  # its number, as a person counts
    holds: tuple[str, ...] = tuple(HOLDABLE)  # of HOLDABLE; what it lacks is said at each export
    generality: int = 0  # asked later whether it reads a path: 1 takes any table or list, 2 any folder
