"""The label journal: the record of a project, in a file beside its SQLite database, synced right after each commit.

The database is its index: what the journal has and the database has not is put in whenever it is opened to be written,
and from the journal alone a project comes back with its classes, samples and every label event. A screen says "saved"
only when both have it.

A line is one JSON object with a checksum before it: the project, a class, up to `MOST_SAMPLES` samples, a group with
its annotator, or a label event with its sample, annotator, class and the request id of the event it supersedes. It
begins with a line break of its own: a line that a crash has torn spoils no other.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from storage.errors import JournalError
from storage.filesystem import make_durable
from storage.models import Base

NAME = "labels.journal"
KINDS = (
    "event",
    "project",
    "class",
    "samples",
    "class_change",
    "group",
)  # what a line is about; a label event names its class too
MOST_SAMPLES = 200  # a line: one bad line costs no more
_NOTED = "label journal"
_TAIL = 4096  # bytes

Entry = Mapping[str, Any]  # rows by table


@dataclass(frozen=True)
class JournalContent:
    """What a journal holds from some place on, oldest first."""

    entries: list[Entry] = field(default_factory=list)
    damaged: int = 0  # lines that hold no entry
    size: int = 0  # bytes of the whole journal


def note(info: dict[Any, Any], entry: Entry) -> None:
    """Keep an entry in a session's ``info`` until its commit."""
    info.setdefault(_NOTED, []).append(line_of(entry))


def noted(info: dict[Any, Any]) -> list[bytes]:
    """Return the lines a session has to write after its commit."""
    lines: list[bytes] = info.get(_NOTED, [])
    return lines


def line_of(entry: Entry) -> bytes:
    """Write an entry as a line."""
    text = json.dumps(entry, separators=(",", ":")).encode()
    return b"\n%08x %s" % (zlib.crc32(text), text)


def values_of(row: Base) -> dict[str, Any]:
    """Return a row's columns as a line holds them."""
    return {column.key: plain(getattr(row, column.key)) for column in type(row).__table__.columns}


def sample_entries(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[Entry]:
    """Put samples into entries, so many in each that a million of them stay small."""
    piece: list[list[Any]] = []
    for row in rows:
        piece.append([plain(value) for value in row])
        if len(piece) == MOST_SAMPLES:
            yield {"samples": {"columns": list(columns), "rows": piece}}
            piece = []
    if piece:
        yield {"samples": {"columns": list(columns), "rows": piece}}


def plain(value: object) -> object:
    """Return a column's value as JSON has it."""
    return value.isoformat() if isinstance(value, datetime) else value


def project_of(entry: Entry) -> datetime | None:
    """Return which project an entry is about, told by the moment it was made; None where it does not say."""
    told = entry.get("project")
    if not isinstance(told, dict):
        return None
    try:
        return datetime.fromisoformat(told["created_at"]).astimezone(timezone.utc)
    except (LookupError, TypeError, ValueError, OverflowError):
        return None


def append(path: Path, lines: Sequence[bytes]) -> None:
    """Write lines to the end of a journal, in one piece: other processes do the same.

    Raises:
        JournalError: When they are not safely on disk.
    """
    is_new = not path.exists()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            content = b"".join(lines)
            if os.write(descriptor, content) < len(content):  # the rest of a torn line comes with the repetition
                raise OSError("there was no room for all of it")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            make_durable(path.parent)
    except OSError as error:
        raise JournalError(error.strerror or str(error)) from error


def read(path: Path, *, offset: int = 0) -> JournalContent:
    """Read a journal from some byte on; without one it is empty."""
    if not path.is_file():
        return JournalContent()
    with path.open("rb") as file:
        file.seek(offset)
        content = file.read()
    lines = [line for line in content.split(b"\n") if line]
    entries = [entry for entry in map(_entry_of, lines) if entry is not None]
    return JournalContent(entries, len(lines) - len(entries), offset + len(content))


def tail_of(path: Path, offset: int) -> str:
    """Return a checksum of the bytes before an offset, by which another journal is told; empty: it ends before."""
    if not path.is_file() or path.stat().st_size < offset:
        return ""
    with path.open("rb") as file:
        file.seek(max(0, offset - _TAIL))
        return f"{zlib.crc32(file.read(min(offset, _TAIL))):08x}"


def _entry_of(line: bytes) -> Entry | None:
    """Read one line; None where it holds no entry, whatever else it holds."""
    if len(line) < 10 or line[:9] != b"%08x " % zlib.crc32(line[9:]):
        return None
    try:
        found = json.loads(line[9:])
    except (ValueError, RecursionError):  # no UTF-8 and no JSON are both a ValueError
        return None
    return found if isinstance(found, dict) and any(isinstance(found.get(kind), dict) for kind in KINDS) else None
