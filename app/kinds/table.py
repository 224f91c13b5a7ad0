"""Rows of a table: kept in the database as JSON, all values as they came; on screen a card of names and values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from unicodedata import normalize

from app.formats.errors import RefusedSampleError
from app.kinds.kind import Admitted, Columns, CopiedFile, Given, Shown, Stored
from app.kinds.text import file_name
from loops.embeddings.columns import OddValues, read_columns

NOUN, NOUNS = "row", "rows"
PREDICTORS: tuple[str, ...] = ("auto", "features")
IN_FILES = False
HAS_COLUMNS = True
MAX_CHARACTERS = 100_000  # of a row
MOST_AMONG_OTHERS = 12  # values
# Columns of an export that are not the row's own.
TAKEN = (
    "path", "uri", "label", "sha256", "annotator", "created_at", "lead_time_s", "purpose", "flagged", "probability",
    "model_version", "acquisition_prob",
)  # fmt: skip


def column(names: Columns) -> str:  # noqa: ARG001 - any will do
    """Return none in particular."""
    return ""


def text_of(row: Mapping[str, str], names: Columns) -> str:
    """Return all of the row but its label, as JSON."""
    left_out = (None, names.label_column or None)  # a column without a name is one like others
    values = {name: value or "" for name, value in row.items() if name not in left_out}
    return json.dumps(values, ensure_ascii=False)


def admit(given: Given) -> Admitted:
    """Look at a row.

    Raises:
        RefusedSampleError: with the reason.
    """
    if given.text is None:
        raise RefusedSampleError("is a file, and not a row of a table")
    values = _values(given.text)
    same = {normalize("NFC", name): normalize("NFC", value).strip() for name, value in values.items()}
    if not any(same.values()):
        raise RefusedSampleError("is empty")
    if len(given.text) > MAX_CHARACTERS:
        raise RefusedSampleError(f"is longer than {MAX_CHARACTERS:,} characters")
    if any("\0" in value for value in values.values()):
        raise RefusedSampleError("holds a NUL character, which no table does")
    try:
        digest = hashlib.sha256(json.dumps(same, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    except UnicodeEncodeError:
        raise RefusedSampleError("holds half of a character") from None
    return Admitted(given.name, digest, content=given.text)


def load(uri: str, content: str | None) -> dict[str, str]:  # noqa: ARG001 - it is in the database
    """Return the values by name, as they came; empty where one is missing."""
    return _values(content or "{}")


def show(sample: Stored, *, large: bool, kept: Path, side: int = 0) -> Shown:  # noqa: ARG001 - text has no pixels
    """Return names and values in their order, with a word on those that are unusual in the pool."""
    odd = _odd_values(kept)
    cells = [
        {"name": name, "value": value, "unusual": odd.word_on(name, value)}
        for name, value in _values(sample.content or "{}").items()
    ]
    if not large and len(cells) > MOST_AMONG_OTHERS:  # those that are unusual first, for they tell most
        cells = sorted(cells, key=lambda cell: not cell["unusual"])
    shown = cells if large else cells[:MOST_AMONG_OTHERS]
    return {"kind": "table", "cells": shown, "left_out": len(cells) - len(shown)}


def copy(sample: Stored) -> CopiedFile:
    """Return the row as a JSON file named after where it came from."""
    return CopiedFile(f"{file_name(sample)}.json", (sample.content or "{}").encode())


def columns(sample: Stored) -> dict[str, str]:
    """Return the values; one that is called as the export's own columns are has a mark."""
    values = load(sample.uri, sample.content)
    return {f"{name}_" if name.rstrip("_") in TAKEN else name: value for name, value in values.items()}


def name_before_export(name: str) -> str:
    """Return how a column of an export is called in the project: without the mark."""
    return name[:-1] if name.endswith("_") and name.rstrip("_") in TAKEN else name


def is_there(sample: Stored) -> bool:  # noqa: ARG001 - it is in the database
    """Return True."""
    return True


def _values(content: str) -> dict[str, str]:
    values: dict[str, str] = json.loads(content)
    return values


def _odd_values(kept: Path) -> OddValues:
    """What the pool's columns are like, once the trainer has looked at them; beside the folder of what is kept."""
    return read_columns(kept.parent / "features" / "columns" / "columns.json")
