"""Prodigy: JSON lines of tasks with `accept` and `answer`; a rejected choice is no label.

A text stands under `text`; of a row too, as lines to be read, beside its values under `row`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

from app.formats.export import Export, ExportedSample, Row, Written
from app.formats.format import Format
from app.formats.jsonl_file import first_lines, read_lines, write_lines
from app.formats.records import Record, about, record_about, shown_as_text, source_of_records, taken_along
from app.formats.rows import moment
from app.formats.source import Decision, Entry, Prediction, Source

TASKS_FILE = "prodigy.jsonl"
_ANSWERS = ("accept", "reject", "ignore")
_REJECTED = "{} rejected answers come in without a label: Prodigy does not say what is right instead."
_MANY = "{} answers accept more than one option; they come in without a label."

Task = Mapping[str, Any]


def reads(path: Path) -> bool:
    """A file of tasks, or the folder of our own export."""
    if path.is_dir():
        return (path / TASKS_FILE).is_file()
    lines = first_lines(path)
    return bool(lines) and all(map(_is_task, lines))


def _is_task(line: Task) -> bool:
    """A line with one of the three answers, or with options that have ids: other lists have answers and options too."""
    options = line.get("options")
    listed = isinstance(options, list) and all(isinstance(one, dict) and "id" in one for one in options)
    return line.get("answer") in _ANSWERS or (listed and bool(options))


def read(path: Path, uploads: Path) -> Source:
    """Read tasks; several lines about one sample are what several people said, or one said later.

    Raises:
        SourceError: it is not JSON lines, or no task is about an image, a text or a row.
    """
    manifest = path / TASKS_FILE if path.is_dir() else path
    root, lines = manifest.parent.resolve(), list(read_lines(manifest))
    samples: dict[object, tuple[str, list[Task]]] = {}
    for place, line in enumerate(lines):
        file = _file_of(line, uploads)
        samples.setdefault(_sample_of(line, file) or place, (file, []))[1].append(line)
    records = [_record(said, file, root) for file, said in samples.values()]
    return source_of_records(manifest, records, wanted="tasks with image, text or row", notes=tuple(_notes(lines)))


def _sample_of(line: Task, file: str) -> str:
    """What is the same in all lines about one sample; empty where a line is about none."""
    told = file or line.get("row") or line.get("text")
    return json.dumps(told, sort_keys=True) if told else ""


def _notes(lines: Sequence[Task]) -> Iterator[str]:
    rejected = sum(line.get("answer") == "reject" for line in lines)
    many = sum(line.get("answer") == "accept" and len(_accepted(line)) > 1 for line in lines)
    if rejected:
        yield _REJECTED.format(f"{rejected:,}")
    if many:
        yield _MANY.format(f"{many:,}")


def _file_of(line: Task, uploads: Path) -> str:
    """The name of a task's image; one that lies inside the line is unpacked."""
    image = _image_of(line)
    if not image.startswith("data:"):
        return image
    content = base64.b64decode(image.partition(",")[2], validate=False)
    folder = uploads / sha256(b"prodigy").hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    ending = image.partition("/")[2].partition(";")[0].partition("+")[0]
    target = folder / f"{sha256(content).hexdigest()[:32]}.{ending if ending.isalnum() else 'png'}"
    target.write_bytes(content)
    return str(target.resolve())


def _image_of(line: Task) -> str:
    """Where an image is, or itself; a path of a task without one is that of a text, or of sounds."""
    return str(line.get("path") or line["image"]) if line.get("image") else ""


def _record(lines: list[Task], file: str, root: Path) -> Record:
    decisions = tuple(decision for line in lines for decision in _decisions(line))
    standing = next((one.class_name for one in reversed(decisions) if one.action != "flag"), "")
    meta: Task = next((line["meta"] for line in lines if isinstance(line.get("meta"), dict)), {})
    told = tuple(
        Prediction(str(one.get("label", "")), one.get("score"), str(one.get("model_version", "")))
        for one in meta.get("predictions") or []
    )
    digest = str(meta.get("sha256", "")) or _digest_of_unpacked(lines[0])
    entry = Entry(root, "", standing, digest, decisions, told)
    return record_about(lines[0], entry, file=file, name=str(meta.get("uri") or ""))


def _digest_of_unpacked(line: Task) -> str:
    """The hash of an image that lay inside its line: only so may it lie outside the list's folder."""
    image = _image_of(line)
    if not image.startswith("data:"):
        return ""
    return sha256(base64.b64decode(image.partition(",")[2], validate=False)).hexdigest()


def _decisions(line: Task) -> list[Decision]:
    who = str(line.get("_annotator_id") or line.get("_session_id") or "")
    said = (who, moment(line.get("_timestamp")))
    accepted = _accepted(line)
    flags = [Decision("flag", "", *said)] if line.get("flagged") else []
    if line.get("answer") == "ignore":
        return [*flags, Decision("skip", "", *said)]
    if line.get("answer") != "accept" or len(accepted) != 1:
        return flags
    return [*flags, Decision("label", _text_of(line, str(accepted[0])), *said)]


def _accepted(line: Task) -> list[Any]:
    """The ids of the options that were chosen; of a task with one label alone that label."""
    accepted = line.get("accept")
    if isinstance(accepted, list):
        return accepted
    return [line["label"]] if line.get("label") else []


def _text_of(line: Task, option_id: str) -> str:
    """The words of an option: its id may be a number."""
    options = line.get("options") or []
    return next((str(one.get("text") or one["id"]) for one in options if str(one.get("id")) == option_id), option_id)


def write(export: Export, folder: Path) -> Written:
    """Write a line per person and sample, beside copies of images."""
    samples, copies = taken_along(export.samples, folder)
    options = [{"id": name, "text": name} for name in export.classes]
    write_lines(folder / TASKS_FILE, (row for one in samples for row in _lines(one, about(one, copies), options)))
    return Written(folder, sum(bool(sample.label) for sample in samples), 0, tuple(copies.left_out))


def _lines(sample: ExportedSample, data: dict[str, Any], options: list[dict[str, str]]) -> list[Row]:
    flagged_by = {given.annotator for given in sample.decisions if given.action == "flag"}
    given = [decision for decision in sample.decisions if decision.action != "flag"]
    told = [
        {"label": one.class_name, "score": one.probability, "model_version": one.model_version}
        for one in sample.predictions
    ]
    base = {
        **shown_as_text(sample),
        **data,
        **({"path": data["image"]} if "image" in data else {}),
        "options": options,
        "meta": {"sha256": sample.sha256, "uri": sample.uri} | ({"predictions": told} if told else {}),
        "_input_hash": _hash(sample.sha256),
        "_view_id": "choice",
    }
    if not given:
        return [base]
    return [
        base
        | {
            "accept": [decision.class_name] if decision.action == "label" else [],
            "answer": "accept" if decision.action == "label" else "ignore",
            "_annotator_id": decision.annotator,
            "_session_id": decision.annotator,
            "_timestamp": int(decision.created_at.timestamp()) if decision.created_at else None,
            "_task_hash": _hash(json.dumps([sample.sha256, [option["id"] for option in options]])),
        }
        | ({"flagged": True} if decision.annotator in flagged_by else {})
        for decision in given
    ]


def _hash(text: str) -> int:
    """A signed 32-bit number, as Prodigy's hashes are; it makes its own where they matter."""
    return crc32(text.encode()) - 2**31


FORMAT = Format(
    name="prodigy",
    sentence="Prodigy: JSON lines with accept and answer, with texts, rows or images beside",
    reads=reads,
    read=read,
    write=write,
    contents=True,
    holds=("skips", "votes", "annotators", "predictions"),
)
