"""What a person may point at: a folder, a CSV or JSONL file, a zip archive. Finds samples, looks at none."""

from __future__ import annotations

import csv
import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.formats.archive import extract
from app.formats.errors import RefusedImageError, SourceError
from app.formats.reading import AS_IT_IS, Reading
from app.kinds.image import resolve_inside
from app.kinds.kind import kind_named, kind_of_columns


@dataclass(frozen=True, slots=True)  # a million of them at a time
class Entry:
    """One sample, before anybody looked at it."""

    root: Path  # of the source
    name: str  # as the person knows it: relative to the root
    class_name: str = ""  # from the manifest or the folder it lies in; empty: not known
    text: str | None = None  # what it is, where that is in no file of its own

    @property
    def path(self) -> Path:
        """Where the file is said to be; nobody has looked yet whether that is inside the root."""
        return self.root / self.name


@dataclass(frozen=True)
class Refused:
    """One sample that was not imported and why; both parts are one printable line."""

    name: str
    reason: str


@dataclass(frozen=True)
class Source:
    """The samples of one import, before any of them was looked at."""

    root: Path  # nothing outside of it is read
    entries: tuple[Entry, ...]
    refused: tuple[Refused, ...] = ()
    labels_given: int = 0  # rows of a manifest that carry a label; a folder's name need not be one
    kind: str = "image"  # of its samples

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes the source itself names, sorted; numbers by value."""
        names = {entry.class_name for entry in self.entries if entry.class_name}
        return tuple(sorted(names, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)))


def open_source(path: Path, *, uploads: Path, reading: Reading = AS_IT_IS) -> Source:
    """Read a folder, a CSV or JSONL file or a zip archive, by what the path is.

    Args:
        path: what the person named.
        uploads: the project's folder for extracted archives.
        reading: what the person says of it.

    Raises:
        SourceError: it is none of these, or cannot be read.
    """
    if path.is_dir():
        return replace(read_folder(path), kind=reading.kind or "image")
    if not path.is_file():
        raise SourceError(f"{printable(str(path))}: there is no such file or folder.")
    if path.suffix.lower() == ".csv":
        return read_csv(path, reading)
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return read_jsonl(path, reading)
    if path.suffix.lower() == ".zip":
        return replace(read_zip(path, uploads), kind=reading.kind or "image")
    raise SourceError(f"{printable(str(path))}: expected a folder, a .csv or .jsonl file, or a .zip archive.")


def read_folder(folder: Path) -> Source:
    """Find every file below a folder; hidden ones (`.DS_Store`, `.git`) are skipped.

    A file's class is the name of the folder it lies in, unless that is the root.
    """
    root = folder.resolve()
    entries: list[Entry] = []
    refused: list[Refused] = []
    for path in _walk(root, refused):
        entry = Entry(root, _name(path, root), "" if path.parent == root else sys.intern(path.parent.name))
        reason = _refusal(path, root)
        if reason:
            refused.append(Refused(printable(entry.name), reason))
        else:
            entries.append(entry)
    return Source(root, tuple(entries), tuple(refused))


def _walk(root: Path, refused: list[Refused]) -> Iterator[Path]:
    """Yield files and links, in order of name, without following any link."""

    def unreadable(error: OSError) -> None:
        refused.append(Refused(printable(_name(Path(error.filename), root)), f"cannot be read: {error.strerror}"))

    for parent, folders, files in os.walk(root, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not _hidden(name))
        linked = [name for name in folders if (Path(parent) / name).is_symlink()]
        yield from (Path(parent) / name for name in sorted([*files, *linked]) if not _hidden(name))


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _refusal(path: Path, root: Path) -> str:
    """Say why a file of a folder cannot be imported, before it is opened; empty when nothing speaks against it."""
    try:
        resolved = resolve_inside(path, root)
        kind = resolved.stat().st_mode
    except RefusedImageError as error:
        return error.reason
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if stat.S_ISDIR(kind):
        return "a link to a folder; name that folder in an import of its own"
    return "" if stat.S_ISREG(kind) else "is a pipe, socket or device, not a file"


def read_csv(manifest: Path, reading: Reading = AS_IT_IS) -> Source:
    """Read a table of samples, whose columns tell of what kind they are, and where known their `label`.

    Paths are relative to the table's folder and may not leave it. Spreadsheets' byte-order mark and Windows' line ends
    are fine.

    Raises:
        SourceError: it is not UTF-8 text, not CSV, or lacks a column.
    """
    root = manifest.parent.resolve()
    try:
        with manifest.open(newline="", encoding="utf-8-sig") as file:
            # Strict: one quote that is never closed would swallow all lines after it without a word.
            rows = csv.DictReader(file, skipinitialspace=True, strict=True)
            reading = told_by(list(rows.fieldnames or ()), reading, manifest.name)
            entries = list(entries_of(_rows_of(rows, manifest), root, manifest.name, reading))
    except UnicodeDecodeError as error:
        raise SourceError(f"{printable(manifest.name)} is not UTF-8 text; save it as CSV UTF-8.") from error
    except OSError as error:
        raise SourceError(f"{printable(manifest.name)} cannot be read: {error}.") from error
    given = sum(entry.class_name != "" for entry in entries)
    return Source(root, tuple(entries), labels_given=given, kind=reading.kind)


def _rows_of(rows: csv.DictReader[str], manifest: Path) -> Iterator[dict[str, str]]:
    """The rows, up to one that is not CSV; that one is told by its first line."""
    line = rows.line_num
    try:
        for row in rows:
            line = rows.line_num
            yield row
    except csv.Error as error:
        said = f"cannot be read from line {line + 1:,} on: {error}"
        raise SourceError(f"{printable(manifest.name)} {said}; is a quote missing?") from error


def read_jsonl(file: Path, reading: Reading = AS_IT_IS) -> Source:
    """Read a file of JSON objects, one a line, whose names are what columns are in a CSV file.

    Raises:
        SourceError: it is not UTF-8 text, a line is no JSON object, or a column is missing.
    """
    root = file.parent.resolve()
    try:
        with file.open(encoding="utf-8-sig") as lines:
            rows = [_object(line, number, file) for number, line in enumerate(lines, start=1) if line.strip()]
    except UnicodeDecodeError as error:
        raise SourceError(f"{printable(file.name)} is not UTF-8 text.") from error
    except OSError as error:
        raise SourceError(f"{printable(file.name)} cannot be read: {error}.") from error
    columns = dict.fromkeys(name for row in rows for name in row)
    reading = told_by(list(columns), reading, file.name)
    entries = tuple(entries_of(rows, root, file.name, reading, first=1))
    return Source(root, entries, labels_given=sum(entry.class_name != "" for entry in entries), kind=reading.kind)


def _object(line: str, number: int, file: Path) -> dict[str, str]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise SourceError(f"{printable(file.name)}: line {number:,} is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise SourceError(f"{printable(file.name)}: line {number:,} is no JSON object.")
    return {name: value if isinstance(value, str) else _plain(value) for name, value in found.items()}


def _plain(value: object) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def told_by(columns: Sequence[str], reading: Reading, file: str) -> Reading:
    """What the columns of a table tell of its samples, besides what the person said.

    Raises:
        SourceError: a column is missing.
    """
    told = Reading("", reading.text_column or "text", reading.label_column or "label")
    named = [reading.text_column] if reading.text_column else []
    kind = reading.kind or kind_of_columns([*columns, *named], told)
    told = replace(told, kind=kind)
    needed = kind_named(kind).column(told)
    asked_for = [name for name in (reading.label_column, needed) if name]
    missing = [name for name in asked_for if name not in columns]
    if missing:
        shown = ", ".join(printable(name) for name in columns) or "nothing"
        wanted = ",".join(name for name in (needed, told.label_column) if name)
        raise SourceError(f"{printable(file)} has no column `{missing[0]}`: wanted {wanted}, found {shown}.")
    return told


def entries_of(
    rows: Iterable[Mapping[str, str]], root: Path, file: str, told: Reading, *, first: int = 2
) -> Iterator[Entry]:
    """The samples of a table's rows; one that is in no file of its own is named by its row.

    Args:
        rows: by name of the column.
        root: of the source.
        file: the table's name.
        told: what is known of its columns.
        first: number of the first row; a CSV file's is 2, for the header stands above it.
    """
    kind = kind_named(told.kind)
    for number, row in enumerate(rows, start=first):
        label = sys.intern((row.get(told.label_column) or "").strip())
        text = kind.text_of(row, told)
        name = f"{file}:{number}" if text is not None else (row[kind.column(told)] or "").strip()
        if name:
            yield Entry(root, name, label, text)


def read_zip(archive: Path, uploads: Path) -> Source:
    """Extract an archive under `uploads/<sha256 of the archive>/` and read that folder.

    Raises:
        SourceError: it is no zip archive, or would need too much room.
    """
    folder, left_out = extract(archive, uploads)
    source = read_folder(folder)
    refused = tuple(Refused(printable(name), reason) for name, reason in left_out)
    return Source(source.root, source.entries, refused + source.refused)


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def printable(text: str) -> str:
    r"""Return one line that a terminal shows as it is: line ends and controls become `\n`, `\x1b`, ..."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
