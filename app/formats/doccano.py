"""doccano: JSON lines of examples, `{"filename": "cat.png", "label": ["cat"]}` or with a `text`; or its JSON or CSV.

Its CSV calls a sample `data` or `text` and joins labels by `#`. A row is written as a text of lines to be read; its
values stand beside under `row`, which doccano keeps with an example and exports again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from app.formats import csv_file
from app.formats.export import Export, ExportedSample, Written
from app.formats.folders import IMAGE_SUFFIXES
from app.formats.format import Format
from app.formats.json_file import read_list
from app.formats.jsonl_file import first_lines, read_lines, write_lines
from app.formats.records import Record, about, record_about, shown_as_text, source_of_records, taken_along
from app.formats.source import Decision, Entry, Source

EXAMPLES_FILE, LABELS_FILE = "all.jsonl", "label_config.json"
_FILE, _LABEL = "filename", "label"
_MANY = "{} examples have more than one label; they come in without one."
_PARTS = "{} examples have labels of parts of their text; they come in without one."
_NOBODY = ("all", "unknown", "data", "doccano")  # what doccano calls a file that is not one person's

Example = Mapping[str, Any]


def reads(path: Path) -> bool:
    """A file of examples, or the folder of an export of ours."""
    if path.is_dir():
        return (path / EXAMPLES_FILE).is_file() and (path / LABELS_FILE).is_file()
    if path.suffix.lower() == ".csv":
        with path.open("rb") as file:
            return _is_header(file.readline(500).strip().removeprefix(b"\xef\xbb\xbf"))
    found = read_list(path)[:5] if path.suffix.lower() == ".json" else first_lines(path, 5)
    return bool(found) and all(map(_is_example, found))


def _is_header(line: bytes) -> bool:
    """That of its images, or of its texts, which may have columns of the person's between."""
    return line.startswith(b"id,data,label") or (line.startswith(b"id,text,") and line.endswith(b",label,Comments"))


def _is_example(line: object) -> bool:
    return isinstance(line, dict) and isinstance(line.get(_LABEL), list) and (_FILE in line or "text" in line)


def read(path: Path, _uploads: Path) -> Source:
    """Read examples; doccano exports a file per person, whose name is the file's.

    Raises:
        SourceError: it is neither, or no example is about an image, a text or a row.
    """
    manifest = path / EXAMPLES_FILE if path.is_dir() else path
    examples = list(_examples(manifest))
    person = "" if manifest.stem.casefold() in _NOBODY else manifest.stem
    many = sum(len(_labels(one)) > 1 for one in examples)
    parts = sum(bool(one.get(_LABEL)) and not _labels(one) for one in examples)
    notes = tuple(said.format(f"{count:,}") for said, count in ((_MANY, many), (_PARTS, parts)) if count)
    records = [_record(one, manifest.parent.resolve(), person) for one in examples]
    return source_of_records(manifest, records, wanted="examples with filename or text", notes=notes)


def _examples(manifest: Path) -> Iterable[Example]:
    if manifest.suffix.lower() == ".csv":
        return ({**row, _LABEL: row[_LABEL].split("#") if row[_LABEL] else []} for row in csv_file.rows(manifest))
    if manifest.suffix.lower() == ".json":
        return (one for one in read_list(manifest) if isinstance(one, dict))
    return read_lines(manifest)


def _labels(example: Example) -> list[str]:
    """The classes of the whole; labels of parts of a text are lists, or objects."""
    given = example.get(_LABEL)
    listed = given if isinstance(given, list) else [given] if given else []
    return [str(label) for label in listed if isinstance(label, (str, int))]


def _record(example: Example, root: Path, person: str) -> Record:
    labels = _labels(example)
    label = labels[0] if len(labels) == 1 else ""
    decisions = (Decision("label", label, person),) if label and person else ()
    entry = Entry(root, "", label, str(example.get("sha256") or ""), decisions)
    data = example.get("data")
    is_file = isinstance(data, str) and Path(data).suffix.lower() in IMAGE_SUFFIXES
    file = str(example.get(_FILE) or (data if is_file else ""))
    told = example if "text" in example else {**example, "text": data}
    return record_about(told, entry, file=file, name=str(example.get("uri") or ""))


def write(export: Export, folder: Path) -> Written:
    """Write an example per labeled sample, beside copies of images, and the labels doccano has to know."""
    samples, copies = taken_along(export.labeled, folder)
    write_lines(folder / EXAMPLES_FILE, (_example(sample, about(sample, copies)) for sample in samples))
    labels = [{"text": name} for name in export.classes]
    (folder / LABELS_FILE).write_text(json.dumps(labels, ensure_ascii=False, indent=1), encoding="utf-8")
    return Written(folder, len(samples), 0, tuple(copies.left_out))


def _example(sample: ExportedSample, data: dict[str, Any]) -> dict[str, Any]:
    told = {_FILE: data["image"]} if "image" in data else data
    return {
        "id": sample.id,
        **shown_as_text(sample),
        **told,
        _LABEL: [sample.label],
        "sha256": sample.sha256,
        "uri": sample.uri,
    }


FORMAT = Format(
    name="doccano",
    sentence="doccano: JSON lines with labels, with texts, rows or images beside",
    reads=reads,
    read=read,
    write=write,
    contents=True,
    holds=(),
)
