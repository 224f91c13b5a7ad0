"""CSV: a manifest with a file's name and its label in each row; written as ``labels.csv`` and ``events.csv``.

Read as people have it: separated by commas, semicolons or tabs, whatever the case of the header, without one where the
first row names a file, with the back slashes of Windows.
"""

from __future__ import annotations

import csv
import io
import os
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.formats.errors import SourceError
from app.formats.export import EVENT_COLUMNS, Export, Row, Written
from app.formats.exported_rows import source_of_folder
from app.formats.format import Format
from app.formats.label_rows import (
    LABEL_COLUMNS,
    PREDICTION_COLUMNS,
    UNLABELED_COLUMNS,
    label_row,
    own_columns,
    prediction_rows,
    unlabeled_rows,
)
from app.formats.rows import BEYOND, FILE_COLUMNS, NO_FILES, file_column, plain_names, source_of_rows
from app.formats.source import Source, printable

LABELS_FILE, EVENTS_FILE = "labels.csv", "events.csv"
PREDICTIONS_FILE, UNLABELED_FILE = "predictions.csv", "unlabeled.csv"

_SEPARATORS = ",;\t|"

# One text that is too long is refused by itself; csv's own limit of 131,072 characters refuses all lines after it too.
csv.field_size_limit(1_000_000_000)


def reads(path: Path) -> bool:
    """A `.csv` or `.tsv` file, or the folder of our own export."""
    if path.is_dir():
        return all((path / name).is_file() for name in (LABELS_FILE, EVENTS_FILE))
    return path.suffix.lower() in (".csv", ".tsv", ".tab")


def read(path: Path, _uploads: Path) -> Source:
    """Read a manifest, or our own export by its events, which hold more than what is current."""
    if not path.is_dir():
        return read_csv(path)
    own = source_of_folder(path, rows)
    if own is not None:
        return own
    beside = path / PREDICTIONS_FILE
    told = read_rows(beside) if beside.is_file() else []
    return source_of_rows(read_rows(path / EVENTS_FILE), path.resolve(), told)


def read_csv(manifest: Path) -> Source:
    """Read a manifest with a column `path` and, where labels are known, `label`.

    Paths are relative to the manifest's folder and may not leave it, unless a column `sha256` proves that whoever made
    the manifest knew the file: so do our own exports. Spreadsheets' byte-order mark and Windows' line ends are fine.

    Raises:
        SourceError: it is not UTF-8 text, not CSV, or no column is known to name files.
    """
    root = manifest.parent.resolve()
    return source_of_rows(read_rows(manifest, lambda cells: _names_a_file(cells, root)), root)


def read_rows(
    manifest: Path, is_row: Callable[[Sequence[str]], bool] | None = None, files: Sequence[str] = FILE_COLUMNS
) -> list[dict[str, str]]:
    """Read a table as one mapping per row, from plain column names to cells.

    Args:
        manifest: the file.
        is_row: says of the first line's cells whether they are a row already, of a table without a header.
        files: columns that may name the file; one of them has to be there.

    Raises:
        SourceError: as `read_csv`.
    """
    text = _text_of(manifest)
    separator = _separator(text, files)
    # Strict: one quote that is never closed would swallow all lines after it without a word.
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    found = list(_lines_of(lines, manifest))
    if not found:
        raise SourceError(f"{printable(manifest.name)} is empty.")
    header = found[0]
    columns = plain_names(header)
    if not file_column(columns, files):
        if is_row is None or len(header) > 2 or not is_row(header):
            if len(found) == 1 and len(header) > 1:
                raise SourceError(f"{printable(manifest.name)} has a header and no row below it.")
            raise SourceError(_without_files(manifest, header))
        columns, header = ["path", "label"][: len(header)], []
    return [dict(zip(columns, line, strict=False)) for line in (found[1:] if header else found) if any(line)]


def rows(manifest: Path) -> Iterator[Row]:
    """Yield the rows of a table by column, as it is written; of samples that are in no files of their own.

    Raises:
        SourceError: it is not UTF-8 text, or not CSV.
    """
    if manifest.is_dir():
        return
    text = _text_of(manifest)
    separator = _separator(text, (*FILE_COLUMNS, "text"))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    found = _lines_of(lines, manifest)
    header = _header(next(found, []), manifest)
    yield from (_row(header, line) for line in found)


def _header(names: Sequence[str], manifest: Path) -> list[str]:
    """The columns' names; of those without one, all but the first are called by their places."""
    header = [name.strip() for name in names]
    twice = sorted(name for name, count in Counter(header).items() if name and count > 1)
    if twice:
        said = f"{printable(manifest.name)} has more than one column `{printable(twice[0])}`"
        row = " Is its first line a row? Put the names of its columns above it." if twice[0].isdecimal() else ""
        raise SourceError(f"{said}; give each a name of its own.{row}")
    first = header.index("") if "" in header else -1
    return [name or ("" if place == first else f"column {place + 1}") for place, name in enumerate(header)]


def _row(header: Sequence[str], line: Sequence[str]) -> Row:
    """The cells by column; what is beyond the last column stands by itself, for then any cell may be amiss."""
    row: dict[str, Any] = dict(zip(header, [*line, *("" for _ in header)], strict=False))
    return {**row, BEYOND: len(line)} if any(line[len(header) :]) else row


def _text_of(manifest: Path) -> str:
    try:
        data = manifest.read_bytes()
        text = data.decode("utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{printable(manifest.name)} is not UTF-8 text; save it as CSV UTF-8.") from error
    except OSError as error:
        raise SourceError(f"{printable(manifest.name)} cannot be read: {error}.") from error
    if "\0" in text.split("\n", 1)[0]:  # UTF-16 without its mark, or no text at all
        raise SourceError(f"{printable(manifest.name)} is not UTF-8 text; save it as CSV UTF-8.")
    is_hinted = text.startswith("sep=") and text[5:6] in "\r\n"  # a spreadsheet's own
    return text.split("\n", 1)[-1] if is_hinted else text


def _separator(text: str, files: Sequence[str]) -> str:
    """The separator with which the first line has a column for files; else the one it holds most of."""
    first = (text.splitlines() or [""])[0]
    for separator in _SEPARATORS:
        if file_column(plain_names(cell.strip('"') for cell in first.split(separator)), files):
            return separator
    return max(_SEPARATORS, key=first.count)


def _lines_of(lines: Any, manifest: Path) -> Iterator[list[str]]:  # noqa: ANN401 - csv's reader has no public type
    """The lines, up to one that is not CSV; that one is told by its first line."""
    number = lines.line_num
    try:
        for line in lines:
            number = lines.line_num
            if line:
                yield line
    except csv.Error as error:
        said = f"cannot be read from line {number + 1:,} on: {error}"
        raise SourceError(f"{printable(manifest.name)} {said}; is a quote missing?") from error


def _names_a_file(cells: Sequence[str], root: Path) -> bool:
    name = cells[0].strip().replace("\\", "/") if cells else ""
    return bool(name) and os.path.lexists(root / name)


def _without_files(manifest: Path, header: Sequence[str]) -> str:
    shown = ", ".join(printable(name) for name in header) or "nothing"
    known = ", ".join(FILE_COLUMNS[1:])
    return (
        f"{printable(manifest.name)} has no column `path`: wanted path,label, found {shown}. Name the column with the "
        f"files `path` ({known} are understood too). {NO_FILES}"
    )


def write(export: Export, folder: Path) -> Written:
    """Write what is current, every label event, and what models answered."""
    write_labels(export, folder / LABELS_FILE)
    told = list(prediction_rows(export))
    if told:
        columns = (*PREDICTION_COLUMNS, *own_columns(export.samples))
        write_table(folder / PREDICTIONS_FILE, columns, told, for_spreadsheet=export.for_spreadsheet)
    rest = list(unlabeled_rows(export))
    if rest:
        columns = (*UNLABELED_COLUMNS, *own_columns(export.samples))
        write_table(folder / UNLABELED_FILE, columns, rest, for_spreadsheet=export.for_spreadsheet)
    write_table(folder / EVENTS_FILE, EVENT_COLUMNS, export.events, for_spreadsheet=export.for_spreadsheet)
    return Written(folder, len(export.labeled), len(export.events))


def write_labels(export: Export, path: Path, *, names: Mapping[int, str] | None = None) -> None:
    """Write what is current; with names of copies in a column `path` only those samples."""
    samples = [sample for sample in export.labeled if names is None or sample.id in names]
    columns = [*(LABEL_COLUMNS if names is None else ("path", *LABEL_COLUMNS[1:], "uri")), *own_columns(samples)]
    rows = [label_row(sample) | {"path": (names or {}).get(sample.id, "")} for sample in samples]
    write_table(path, columns, rows, for_spreadsheet=export.for_spreadsheet)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Row], *, for_spreadsheet: bool = False) -> None:
    """Write rows as CSV and have them on disk.

    Args:
        path: of the file.
        columns: of the header; a row may hold more.
        rows: by column.
        for_spreadsheet: text that begins like a formula gets an apostrophe; a program would read another label then.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        plain, quoted = csv.writer(file), csv.writer(file, quoting=csv.QUOTE_ALL)
        plain.writerow(columns)
        for row in rows:
            cells = [_cell(row.get(column), for_spreadsheet) for column in columns]
            # A space that begins a cell is somebody's style of writing commas, unless it stands in quotes.
            (quoted if any(isinstance(cell, str) and cell.startswith(" ") for cell in cells) else plain).writerow(cells)
        file.flush()
        os.fsync(file.fileno())


def _cell(value: object, for_spreadsheet: bool) -> object:
    """A spreadsheet would run text that begins like a formula: a class named ``=HYPERLINK(...)``, say."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if for_spreadsheet and isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


FORMAT = Format(
    name="csv",
    sentence="CSV: what is current, all label events, predictions",
    reads=reads,
    read=read,
    write=write,
    rows=rows,
    first_row=2,
    contents=True,
    holds=("skips", "flags", "votes", "annotators", "times", "lead times", "purposes", "predictions"),
    generality=1,
)
