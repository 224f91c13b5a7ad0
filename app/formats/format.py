"""What a format is: a name, a sentence, and how it is told, read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from app.formats.export import HOLDABLE, Export, Row, Written
from app.formats.source import Source
from app.kinds.kind import KINDS, kind_named

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
    rows: Rows | None = None  # by column as they are written: they may be the samples themselves; else none
    first_row: int = 1  # its number, as a person counts
    holds: tuple[str, ...] = tuple(HOLDABLE)  # of HOLDABLE; what it lacks is said at each export
    contents: bool = False  # whether it holds samples that are in no files of their own: texts and rows
    generality: int = 0  # asked later whether it reads a path: 1 takes any table or list, 2 any folder

    def refusal(self, kind: str) -> str:
        """Return why samples of a kind cannot be written, as a sentence; empty where they can."""
        chosen = kind_named(kind)
        if self.contents or chosen.IN_FILES:
            return ""
        held = " and ".join(kind_named(name).NOUNS for name in KINDS if kind_named(name).IN_FILES)
        return f"The format {self.name} is about {held} and cannot hold {chosen.NOUNS}; choose another one."
