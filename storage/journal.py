"""The label journal: one line per label event, in a file beside a SQLite database, synced right after the commit.

A database can be damaged, and its last backup is up to an hour old; what was labeled since is in the journal. A screen
says "saved" only when both have it. A line holds all of the event, and of its sample, annotator and class what a backup
from before their time lacks. It begins with a checksum, and with a line break of its own: a line that a crash has torn
spoils no other.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from storage.errors import JournalError
from storage.filesystem import make_durable
from storage.models import Base

NAME = "labels.journal"
_NOTED = "label journal"


@dataclass(frozen=True)
class JournalContent:
    """What a journal holds, oldest first."""

    entries: list[dict[str, dict[str, Any]]]  # rows by table: event, sample, annotator; class where there is one
    damaged: int  # lines whose checksum is wrong


def note(info: dict[Any, Any], **rows: Base) -> None:
    """Keep the rows of one label event in a session's ``info`` until its commit."""
    entry = {name: _values(row) for name, row in rows.items()}
    text = json.dumps(entry, separators=(",", ":")).encode()
    info.setdefault(_NOTED, []).append(b"\n%08x %s" % (zlib.crc32(text), text))


def noted(info: dict[Any, Any]) -> list[bytes]:
    """Return the lines a session has to write after its commit."""
    lines: list[bytes] = info.get(_NOTED, [])
    return lines


def append(path: Path, lines: Sequence[bytes]) -> None:
    """Write lines to the end of a journal, in one piece: other processes do the same.

    Raises:
        JournalError: When they are not safely on disk.
    """
    is_new = not path.exists()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
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


def read(path: Path) -> JournalContent:
    """Read a journal; without one it is empty."""
    lines = [line for line in path.read_bytes().split(b"\n") if line] if path.is_file() else []
    whole = [line[9:] for line in lines if _is_whole(line)]
    return JournalContent([json.loads(text) for text in whole], damaged=len(lines) - len(whole))


def _is_whole(line: bytes) -> bool:
    return line[:9] == b"%08x " % zlib.crc32(line[9:])


def _values(row: Base) -> dict[str, Any]:
    values = {column.key: getattr(row, column.key) for column in type(row).__table__.columns}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
