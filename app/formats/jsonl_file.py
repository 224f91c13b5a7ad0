"""JSON lines: as CSV, with types; ``labels.jsonl`` holds what is current, ``events.jsonl`` every label event."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from app.formats.errors import SourceError
from app.formats.export import Export, Row, Written
from app.formats.exported_rows import source_of_folder
from app.formats.format import Format
from app.formats.label_rows import LABEL_COLUMNS, label_row, own_columns, prediction_rows, unlabeled_rows
from app.formats.rows import file_column, names_no_files, plain_names, source_of_rows
from app.formats.source import Source, printable

LABELS_FILE, EVENTS_FILE = "labels.jsonl", "events.jsonl"
PREDICTIONS_FILE, UNLABELED_FILE = "predictions.jsonl", "unlabeled.jsonl"
SUFFIXES = (".jsonl", ".ndjson")


def reads(path: Path) -> bool:
    """A `.jsonl` file, or the folder of our own export."""
    if path.is_dir():
        return all((path / name).is_file() for name in (LABELS_FILE, EVENTS_FILE))
    return path.suffix.lower() in SUFFIXES


def read(path: Path, _uploads: Path) -> Source:
    """Read a manifest with a `path` and perhaps a `label` per line, or our own export by its events.

    Raises:
        SourceError: it is not UTF-8 text, not JSON lines, or no line names a file.
    """
    own = source_of_folder(path, rows) if path.is_dir() else None
    if own is not None:
        return own
    manifest = path / EVENTS_FILE if path.is_dir() else path
    found = list(read_lines(manifest))
    if found and not file_column(plain_names(found[0])):
        raise SourceError(names_no_files(manifest, found[0]))
    beside = manifest.parent / PREDICTIONS_FILE
    told = read_lines(beside) if path.is_dir() and beside.is_file() else ()
    return source_of_rows([_plain(row) for row in found], manifest.parent.resolve(), told)


def _plain(row: Row) -> dict[str, Any]:
    return dict(zip(plain_names(row), row.values(), strict=True))


def first_lines(path: Path, most: int = 20) -> list[dict[str, Any]]:
    """Return the first objects of a file of JSON lines, for telling what it is; nothing where it is none."""
    if not path.is_file() or path.suffix.lower() not in SUFFIXES:
        return []
    try:
        return list(islice(read_lines(path), most))
    except SourceError:
        return []


def read_lines(manifest: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file of JSON lines.

    Raises:
        SourceError: a line is no JSON object, or the file is not UTF-8.
    """
    try:
        with manifest.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _object(line, manifest, number)
    except UnicodeDecodeError as error:
        raise SourceError(f"{printable(manifest.name)} is not UTF-8 text.") from error
    except OSError as error:
        raise SourceError(f"{printable(manifest.name)} cannot be read: {error}.") from error


def _object(line: str, manifest: Path, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{printable(manifest.name)} cannot be read from line {number:,} on: {error}.") from error
    if not isinstance(found, dict):
        raise SourceError(f"Line {number:,} of {printable(manifest.name)} is no JSON object.")
    return found


def rows(manifest: Path) -> Iterator[Row]:
    """Yield its objects; of samples that are in no files of their own. The first one has the names of all."""
    found = [] if manifest.is_dir() else list(read_lines(manifest))
    names = dict.fromkeys((name for row in found for name in row), "")
    yield from ({**names, **row} for row in found)


def write(export: Export, folder: Path) -> Written:
    """Write what is current, every label event, and what models answered."""
    told = list(prediction_rows(export))
    if told:
        write_lines(folder / PREDICTIONS_FILE, told)
    rest = list(unlabeled_rows(export))
    if rest:
        write_lines(folder / UNLABELED_FILE, rest)
    columns = (*LABEL_COLUMNS, *own_columns(export.labeled))
    current = (label_row(sample) for sample in export.labeled)
    write_lines(folder / LABELS_FILE, ({name: row.get(name) for name in columns} for row in current))
    write_lines(folder / EVENTS_FILE, export.events)
    return Written(folder, len(export.labeled), len(export.events))


def write_lines(path: Path, rows: Iterable[Row]) -> None:
    """Write one JSON object per line and have them on disk."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        file.flush()
        os.fsync(file.fileno())


FORMAT = Format(
    name="jsonl",
    sentence="JSON lines: what is current, all label events, predictions",
    reads=reads,
    read=read,
    write=write,
    rows=rows,
    contents=True,
    holds=("skips", "flags", "votes", "annotators", "times", "lead times", "purposes", "predictions"),
    generality=1,
)
