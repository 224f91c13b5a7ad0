"""doccano: JSON lines `{"filename": "cat.png", "label": ["cat"]}`, or its CSV `id,data,label`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.formats.copies import copy_images
from app.formats.csv_file import read_rows
from app.formats.export import Export, Written
from app.formats.format import Format
from app.formats.jsonl_file import first_lines, read_lines, write_lines
from app.formats.rows import placed
from app.formats.source import Decision, Entry, Source

EXAMPLES_FILE, LABELS_FILE = "all.jsonl", "label_config.json"
_FILE, _LABEL = ("filename", "data"), "label"
_MANY = "{} examples have more than one label; they come in without one."
_NOBODY = ("all", "unknown", "data", "doccano")  # what doccano calls a file that is not one person's


def reads(path: Path) -> bool:
    """A file of examples, or the folder of an export of ours."""
    if path.is_dir():
        return (path / EXAMPLES_FILE).is_file() and (path / LABELS_FILE).is_file()
    if path.suffix.lower() == ".csv":
        with path.open("rb") as file:
            return file.readline(500).strip().removeprefix(b"\xef\xbb\xbf").startswith(b"id,data,label")
    return any(_FILE[0] in line and isinstance(line.get(_LABEL), list) for line in first_lines(path, 1))


def read(path: Path, _uploads: Path) -> Source:
    """Read examples; doccano exports a file per person, whose name is the file's.

    Raises:
        SourceError: it is neither.
    """
    manifest = path / EXAMPLES_FILE if path.is_dir() else path
    rows: Sequence[Mapping[str, Any]]
    if manifest.suffix.lower() == ".csv":
        rows = [
            row | {_LABEL: row[_LABEL].split("#") if row[_LABEL] else []} for row in read_rows(manifest, files=_FILE)
        ]
    else:
        rows = list(read_lines(manifest))
    root = manifest.parent.resolve()
    person = "" if manifest.stem.casefold() in _NOBODY else manifest.stem
    many = sum(len(_labels(row)) > 1 for row in rows)
    notes = (_MANY.format(f"{many:,}"),) if many else ()
    return placed(root, [(_name(row), _entry(row, root, person)) for row in rows if _name(row)], notes=notes)


def _name(row: Mapping[str, Any]) -> str:
    return next((str(row[name]) for name in _FILE if row.get(name)), "")


def _labels(row: Mapping[str, Any]) -> list[str]:
    given = row.get(_LABEL)
    return [str(label) for label in given] if isinstance(given, list) else [str(given)] if given else []


def _entry(row: Mapping[str, Any], root: Path, person: str) -> Entry:
    labels = _labels(row)
    label = labels[0] if len(labels) == 1 else ""
    decisions = (Decision("label", label, person),) if label and person else ()
    return Entry(root, "", label, str(row.get("sha256") or ""), decisions)


def write(export: Export, folder: Path) -> Written:
    """Write an example per labeled sample, beside copies of the images, and the labels doccano has to know."""
    copies = copy_images(export.labeled, folder, below="images")
    samples = [sample for sample in export.labeled if sample.id in copies.names]
    rows = (
        {"id": sample.id, "filename": copies.names[sample.id], "label": [sample.label], "sha256": sample.sha256}
        for sample in samples
    )
    write_lines(folder / EXAMPLES_FILE, rows)
    labels = [{"text": name} for name in export.classes]
    (folder / LABELS_FILE).write_text(json.dumps(labels, ensure_ascii=False, indent=1), encoding="utf-8")
    return Written(folder, len(samples), 0, tuple(copies.left_out))


FORMAT = Format(
    name="doccano",
    sentence="doccano: JSON lines with file names and labels, and the images",
    reads=reads,
    read=read,
    write=write,
    holds=(),
)
