"""What is asked of every kind of sample, and the one list of kinds.

A kind is a module of this folder. What the loops ask of it stands in `loops.embeddings.kinds`, how a page of the server
draws it in `app.screens.content`, and how the browser does in `app/browser/content`. Nothing else asks what kind a
sample is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

KINDS = ("image", "text", "table")  # in the order in which a table is asked whether it holds such samples

WHOLE = 1_000_000  # as many pixels as there may be: a large image as it is, for who zooms in
Shown = dict[str, Any]  # plain data for JSON; its `kind` says who draws it


class Given(Protocol):
    """What a source names, before anybody looked at it: an `app.formats.sources.Entry`."""

    @property
    def limit(self) -> Path:
        """The folder outside of which nothing is read, all links followed."""
        ...

    @property
    def name(self) -> str:
        """The name by which the person knows it."""
        ...

    @property
    def path(self) -> Path:
        """Where its file is said to be."""
        ...

    @property
    def text(self) -> str | None:
        """The text or row itself, where it has no file of its own."""
        ...


class Stored(Protocol):
    """What the project keeps of a sample: a `storage.samples.SampleInfo`."""

    @property
    def id(self) -> int:
        """The sample's id."""
        ...

    @property
    def uri(self) -> str:
        """Its file, or its name."""
        ...

    @property
    def sha256(self) -> str:
        """The SHA-256 of its content, hexadecimal."""
        ...

    @property
    def width(self) -> int:
        """Its width in pixels; 0 where it has none."""
        ...

    @property
    def height(self) -> int:
        """Its height in pixels; 0 where it has none."""
        ...

    @property
    def content(self) -> str | None:
        """What is kept in the database, instead of in a file."""
        ...


@dataclass(frozen=True)
class Admitted:
    """What the project will keep of a sample that was found good."""

    uri: str
    sha256: str  # of what makes two samples the same, hexadecimal
    width: int = 0  # pixels; 0: it has none
    height: int = 0  # likewise
    content: str | None = None


@dataclass(frozen=True)
class CopiedFile:
    """A sample as a file of an export."""

    name: str
    content: bytes


class Columns(Protocol):
    """Which columns of a table of samples say what: an `app.formats.reading.Reading`, filled in."""

    @property
    def text_column(self) -> str:
        """Of a text."""
        ...

    @property
    def label_column(self) -> str:
        """Of a label."""
        ...


class Kind(Protocol):
    """A module of this folder."""

    NOUN: str  # in sentences: "is the same image as"
    NOUNS: str
    PREDICTORS: tuple[str, ...]  # settings of the predictor that suit it
    IN_FILES: bool  # whether each sample is a file, which may move
    HAS_COLUMNS: bool  # whether each sample is a row of values with names

    def column(self, names: Columns) -> str:
        """Return the column that a table of such samples needs; empty: none in particular."""
        ...

    def text_of(self, row: Mapping[str, str], names: Columns) -> str | None:
        """Return what a table's row says of a sample; None where its column names a file."""
        ...

    def admit(self, given: Given) -> Admitted:
        """Look at a sample once, at its import.

        Raises:
            RefusedSampleError: with the reason.
        """
        ...

    def load(self, uri: str, content: str | None) -> Any:  # noqa: ANN401 - each kind has its own
        """Return what the kind's embedders take.

        Raises:
            RefusedSampleError: when it is gone or was damaged since its import.
        """
        ...

    def show(self, sample: Stored, *, large: bool, kept: Path, side: int = 0) -> Shown:
        """Return what a screen draws: large to be decided on, else small among others.

        Args:
            sample: to be shown.
            large: whether it is alone on the screen.
            kept: folder for what should not be computed twice.
            side: pixels the screen has for a large one; 0: not known.

        Raises:
            RefusedSampleError: when there is nothing to see.
        """
        ...

    def copy(self, sample: Stored) -> CopiedFile:
        """Return the sample as a file.

        Raises:
            RefusedSampleError: when it cannot be read.
        """
        ...

    def columns(self, sample: Stored) -> Mapping[str, str]:
        """Return what a table of labels says of a sample besides its name and label."""
        ...

    def is_there(self, sample: Stored) -> bool:
        """Say whether what the project refers to still exists."""
        ...


def kind_of_columns(columns: Sequence[str], names: Columns) -> str:
    """Return the first kind whose column is among these, else the one that needs none in particular.

    A single column is no table: a wrong name, or a separator that is no comma, looks the same. Then it is the first
    kind, whose sentence says what it wants.

    Args:
        columns: of a table of samples.
        names: as the person calls them, or as they are called mostly.
    """
    needed = {name: kind_named(name).column(names) for name in KINDS}
    found = [name for name, column in needed.items() if column in columns]
    free = [name for name, column in needed.items() if not column]
    is_table = len([column for column in columns if column != names.label_column]) > 1
    return [*found, *(free if is_table else []), *KINDS][0]


def kind_named(name: str) -> Kind:
    """Return a kind by its name; it is loaded when it is asked for."""
    from app.kinds import image, table, text

    kinds: dict[str, Kind] = {"image": image, "text": text, "table": table}
    return kinds[name]
