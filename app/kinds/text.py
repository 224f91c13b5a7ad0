"""Texts, kept in the database as they came; two that differ in how letters are composed, or in line ends, are one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from unicodedata import normalize

from app.formats.errors import RefusedSampleError
from app.formats.places import called, resolve_inside
from app.kinds.image import read_file
from app.kinds.kind import Admitted, Columns, CopiedFile, Given, Shown, Stored

NOUN, NOUNS = "text", "texts"
PREDICTORS: tuple[str, ...] = ("auto", "features")
IN_FILES = False
HAS_COLUMNS = False
MAX_CHARACTERS = 100_000  # forty pages; the browser holds ten samples ahead
SHOWN_AMONG_OTHERS = 5_000  # characters; the grid fetches 120 texts


def column(names: Columns) -> str:
    """Return the column of texts."""
    return names.text_column


def text_of(row: Mapping[str, str], names: Columns) -> str:
    """Return the text."""
    return row.get(names.text_column) or ""


def admit(given: Given) -> Admitted:
    """Look at a text of a table, or at a file of its own.

    Raises:
        RefusedSampleError: with the reason.
    """
    if given.text is not None:
        return _admitted(given.name, given.text)
    path = resolve_inside(given.path, given.limit)
    return _admitted(str(called(given.path)), _text_in(path))


def _admitted(uri: str, text: str) -> Admitted:
    same = normalize("NFC", text).replace("\r\n", "\n").strip()
    if not same:
        raise RefusedSampleError("is empty")
    if len(text) > MAX_CHARACTERS:
        raise RefusedSampleError(f"is longer than {MAX_CHARACTERS:,} characters")
    if "\0" in text:
        raise RefusedSampleError("holds a NUL character, which no text does")
    try:
        digest = hashlib.sha256(same.encode()).hexdigest()
    except UnicodeEncodeError:
        raise RefusedSampleError("holds half of a character") from None
    return Admitted(uri, digest, content=text)


def load(uri: str, content: str | None) -> str:
    """Return the text as it came; a file's, where nothing of it is kept.

    Raises:
        RefusedSampleError: when it cannot be read.
    """
    return _text_in(Path(uri)) if content is None else content


def _text_in(path: Path) -> str:
    try:
        return read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RefusedSampleError("is not UTF-8 text") from None


def show(sample: Stored, *, large: bool, kept: Path, side: int = 0) -> Shown:  # noqa: ARG001 - nothing to compute
    """Return the text, and how much of it is left out where it is one of many."""
    text = sample.content or ""
    shown = text if large else text[:SHOWN_AMONG_OTHERS]
    return {"kind": "text", "text": shown, "left_out": len(text) - len(shown)}


def copy(sample: Stored) -> CopiedFile:
    """Return the text as a file named after where it came from."""
    return CopiedFile(f"{file_name(sample).removesuffix('.txt')}.txt", (sample.content or "").encode())


def file_name(sample: Stored) -> str:
    """Return the name of a sample that is in no file, as one that every system takes."""
    return re.sub(r"[^\w.-]+", "-", sample.uri.rsplit("/", 1)[-1]).strip("-.") or f"{NOUN}-{sample.id}"


def columns(sample: Stored) -> dict[str, str]:
    """Return the text."""
    return {"text": sample.content or ""}


def is_there(sample: Stored) -> bool:  # noqa: ARG001 - it is in the database
    """Return True."""
    return True
