"""Samples that are in a table's rows and in no files of their own: texts, and the rows themselves."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any

from app.formats.errors import SourceError
from app.formats.reading import Reading
from app.formats.rows import (
    BEYOND,
    FILE_COLUMNS,
    Row,
    file_column,
    has_several,
    is_nothing,
    label_column,
    label_text,
    notes_on_several,
    plain_names,
)
from app.formats.source import Entry, Refused, Source, printable
from app.kinds.kind import kind_named, kind_of_columns

ROWS_LOOKED_AT = 1_000  # whether the names of columns are values too
WORDS_OF_A_TEXT = 5  # in one line; names of columns that are as long hardly ever stand beside a value
_LIKE_A_ROW = (
    "The first line of {} is taken for the names of its columns, and looks like a row: put the names above it."
)
_FILES = tuple(name for name in FILE_COLUMNS if name != "uri")  # our own exports name texts so, too


def source_in_rows(path: Path, rows: Iterable[Row], reading: Reading, *, first: int) -> Source | None:
    """Make a source of a table whose rows are the samples; None where they name files.

    Args:
        path: of the table.
        rows: by name of the column, as it is written.
        reading: what the person says of it.
        first: number of the first row, as a person counts.

    Raises:
        SourceError: a column that was named is missing.
    """
    left = iter(rows)
    head = next(left, None)
    if head is None:
        return None
    columns = [str(name) for name in head if name != BEYOND]
    told = _told_by(columns, reading, path)
    if told is None:
        return None
    first_rows = [head, *islice(left, ROWS_LOOKED_AT)]
    refused, several = list[Refused](), list[int]()
    entries = tuple(_entries(chain(first_rows, left), path, told, first, refused, several))
    labels = [entry.class_name for entry in entries if entry.class_name]
    notes = [_LIKE_A_ROW.format(printable(path.name))] if _is_like_a_row(columns, first_rows) else []
    notes += [*_notes_on_fields(first_rows, told), *notes_on_several(len(several)), *_notes_on_numbers(set(labels))]
    return Source(
        folder_of(path), entries, tuple(refused), labels_given=len(labels), kind=told.kind, notes=tuple(notes)
    )


def folder_of(path: Path) -> Path:
    """Return the folder of a table, which may be a folder of tables itself."""
    return (path if path.is_dir() else path.parent).resolve()


def _is_like_a_row(columns: Sequence[str], rows: Sequence[Row]) -> bool:
    """Whether the names of columns look like values: numbers, and words that stand below them in their columns too.

    Numbers that count up by one from 0 on, as data frames write for columns that have no names, are names, and so are
    years that do. Of words alone each must stand below too, or be a text; a line that is repeated as a whole is names,
    of lists that were put together.
    """
    names = [name for name in columns if name.strip()]
    if any(re.fullmatch(r"[+-]?\d+[.,]\d+", name.strip()) for name in names):
        return True
    numbers = [name for name in names if re.fullmatch(r"[+-]?\d+", name.strip())]
    if numbers == names and _counts_up(list(map(int, numbers))):
        return False
    others = [row for row in rows if not all(_is_below(name, row) for name in names)]
    below = [name for name in names if name not in numbers and any(_is_below(name, row) for row in others)]
    rest = [name for name in names if name not in (*numbers, *below)]
    if numbers:
        return not rest
    return bool(below) and len(names) > 1 and all(len(name.split()) >= WORDS_OF_A_TEXT for name in rest)


def _is_below(name: str, row: Row) -> bool:
    value = row.get(name)
    return isinstance(value, str) and value.strip() == name.strip()


def _counts_up(numbers: Sequence[int]) -> bool:
    begins_as_names_do = numbers[0] == 0 or (1000 < numbers[0] < 3000 and len(numbers) > 1)
    return begins_as_names_do and all(right - left == 1 for left, right in pairwise(numbers))


def _notes_on_fields(rows: Sequence[Row], told: Reading) -> list[str]:
    """A column of records is one value to whatever learns from it, and may be what the samples are about."""
    if not kind_named(told.kind).HAS_COLUMNS:
        return []
    fields = (
        (name, next(iter(value))) for row in rows for name, value in row.items() if value and isinstance(value, dict)
    )
    column, field = next(fields, ("", ""))
    if not column:
        return []
    return [
        f"The column `{printable(column)}` holds fields of its own and is taken as one value. To have them looked at, "
        f"write each as a column, such as `{printable(f'{column}.{field}')}`."
    ]


def _notes_on_numbers(labels: Iterable[str]) -> list[str]:
    """A data frame writes 1 as 1.0 where another row of the column has none: two names of one class."""
    whole = set(labels)
    twice = sorted(name for name in whole if re.fullmatch(r"-?\d+\.0+", name) and name.split(".")[0] in whole)
    return [
        f"The classes {name.split('.')[0]} and {name} are one number: are they one class? Then merge them, or write "
        "them alike."
        for name in twice
    ]


def _told_by(columns: Sequence[str], reading: Reading, path: Path) -> Reading | None:
    """What the columns of a table tell of its samples, besides what the person said; None: they name files."""
    text = reading.text_column or _called("text", columns)
    label = reading.label_column or _called(label_column(plain_names(columns)) or "label", columns)
    names = Reading("", text, label)
    kind = reading.kind or (_kind_of(columns, names, named=bool(reading.text_column), path=path))
    if not kind or kind_named(kind).IN_FILES:
        return None
    told = Reading(kind, text, label)
    asked_for = [name for name in (reading.label_column, kind_named(kind).column(told)) if name]
    missing = [name for name in asked_for if name not in columns]
    if missing:
        shown = ", ".join(map(printable, columns)) or "nothing"
        wanted = ",".join(name for name in (kind_named(kind).column(told), label) if name)
        raise SourceError(f"{printable(path.name)} has no column `{missing[0]}`: wanted {wanted}, found {shown}.")
    return told


def _kind_of(columns: Sequence[str], names: Reading, *, named: bool, path: Path) -> str:
    """The kind that the columns tell; empty where they name files, or are no header at all."""
    plain = plain_names(columns)
    if named:
        return kind_of_columns([names.text_column], names)
    is_row = any(column and os.path.isfile(path.parent / column) for column in columns[:1])  # noqa: PTH113 - any name
    if file_column(plain, _FILES) or is_row:
        return ""
    kind = kind_of_columns(columns, names)
    return "" if file_column(plain) and kind != kind_of_columns([names.text_column], names) else kind


def _called(name: str, columns: Sequence[str]) -> str:
    """How a column of a plain name is written in this table."""
    return next((column for column in columns if plain_names([column]) == [name]), name)


def _entries(
    rows: Iterable[Row], path: Path, told: Reading, first: int, refused: list[Refused], several: list[int]
) -> Iterator[Entry]:
    """The rows as entries; one with more cells than columns is refused, for nobody knows which cell is which.

    A row with a list of several labels has none, for a sample is of one class; its number goes into `several`.
    """
    kind, root = kind_named(told.kind), folder_of(path)
    for number, row in enumerate(rows, start=first):
        if BEYOND in row:
            said = f"has {row[BEYOND]} values for {len(row) - 1} columns; is a quote missing?"
            refused.append(Refused(f"{printable(path.name)}:{number}", said))
            continue
        cells = _cells(row, path, told)
        given = row.get(told.label_column)
        given = cells[told.label_column] if isinstance(given, bytes) else given
        if has_several(given):
            several.append(number)
        label = sys.intern(label_text(given))
        yield Entry(root, f"{path.name}:{number}", label, text=kind.text_of(cells, told))


def _cells(row: Row, path: Path, told: Reading) -> Mapping[str, str]:
    """The cells as text; bytes that are none are passed over where nothing but a text and its label is taken."""
    needed = kind_named(told.kind).HAS_COLUMNS
    taken = {name: value for name, value in row.items() if needed or name in (told.text_column, told.label_column)}
    try:
        return {str(name): cell(value) for name, value in taken.items() if name is not None}
    except UnicodeDecodeError:
        name = next(name for name, value in taken.items() if not _is_text(value))
        said = f"{printable(path.name)} has bytes that are no text in its column `{printable(str(name))}`"
        raise SourceError(f"{said}; leave that column out.") from None


def _is_text(value: object) -> bool:
    try:
        cell(value)
    except UnicodeDecodeError:
        return False
    return True


def cell(value: Any) -> str:  # noqa: ANN401 - a cell of a typed table may be anything
    """Return a cell as text, all of it: the spaces around a text are its own.

    Raises:
        UnicodeDecodeError: it is bytes, or holds some, and they are no UTF-8 text.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, (list, tuple)) and len(value) == 1:
        return cell(value[0])
    if is_nothing(value):
        return ""
    return json.dumps(value, ensure_ascii=False, default=cell) if isinstance(value, (bool, dict, list)) else str(value)
