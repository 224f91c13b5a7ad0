"""Prodigy: JSON lines of tasks with `accept` and `answer`; a rejected choice is no label."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

from app.formats.copies import copy_images
from app.formats.export import Export, ExportedSample, Row, Written
from app.formats.format import Format
from app.formats.jsonl_file import first_lines, read_lines, write_lines
from app.formats.rows import moment, placed
from app.formats.source import Decision, Entry, Prediction, Source

TASKS_FILE = "prodigy.jsonl"
_REJECTED = "{} rejected answers come in without a label: Prodigy does not say what is right instead."


def reads(path: Path) -> bool:
    """A file of tasks, or the folder of our own export."""
    if path.is_dir():
        return (path / TASKS_FILE).is_file()
    lines = first_lines(path)
    return bool(lines) and all("answer" in line or "options" in line for line in lines) and "image" in lines[0]


def read(path: Path, uploads: Path) -> Source:
    """Read tasks; several lines about one image are what several people said, or one said later.

    Raises:
        SourceError: it is not JSON lines.
    """
    manifest = path / TASKS_FILE if path.is_dir() else path
    root = manifest.parent.resolve()
    tasks: dict[str, list[Mapping[str, Any]]] = {}
    rejected = 0
    for line in read_lines(manifest):
        tasks.setdefault(_file_of(line, uploads), []).append(line)
        rejected += line.get("answer") == "reject"
    named = [(name, _entry(lines, root)) for name, lines in tasks.items() if name]
    return placed(root, named, notes=(_REJECTED.format(f"{rejected:,}"),) if rejected else ())


def _file_of(line: Mapping[str, Any], uploads: Path) -> str:
    """The name of a task's image; one that lies inside the line is unpacked."""
    image = str(line.get("path") or line.get("image") or "")
    if not image.startswith("data:"):
        return image
    content = base64.b64decode(image.partition(",")[2], validate=False)
    folder = uploads / sha256(b"prodigy").hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    ending = image.partition("/")[2].partition(";")[0].partition("+")[0]
    target = folder / f"{sha256(content).hexdigest()[:32]}.{ending if ending.isalnum() else 'png'}"
    target.write_bytes(content)
    return str(target.resolve())


def _entry(lines: list[Mapping[str, Any]], root: Path) -> Entry:
    decisions = tuple(decision for line in lines for decision in _decisions(line))
    standing = next((one.class_name for one in reversed(decisions) if one.action != "flag"), "")
    meta: Mapping[str, Any] = next((line["meta"] for line in lines if isinstance(line.get("meta"), dict)), {})
    told = tuple(
        Prediction(str(one.get("label", "")), one.get("score"), str(one.get("model_version", "")))
        for one in meta.get("predictions") or []
    )
    digest = str(meta.get("sha256", "")) or _digest_of_unpacked(lines[0])
    return Entry(root, "", standing, digest, decisions, told)


def _digest_of_unpacked(line: Mapping[str, Any]) -> str:
    """The hash of an image that lay inside its line: only so may it lie outside the list's folder."""
    image = str(line.get("path") or line.get("image") or "")
    if not image.startswith("data:"):
        return ""
    return sha256(base64.b64decode(image.partition(",")[2], validate=False)).hexdigest()


def _decisions(line: Mapping[str, Any]) -> list[Decision]:
    who = str(line.get("_annotator_id") or line.get("_session_id") or "")
    said = (who, moment(line.get("_timestamp")))
    accepted = line.get("accept")
    if not isinstance(accepted, list):
        accepted = [line["label"]] if line.get("label") else []
    flags = [Decision("flag", "", *said)] if line.get("flagged") else []
    if line.get("answer") == "ignore":
        return [*flags, Decision("skip", "", *said)]
    if line.get("answer") != "accept" or len(accepted) != 1:
        return flags
    return [*flags, Decision("label", _text_of(line, str(accepted[0])), *said)]


def _text_of(line: Mapping[str, Any], option_id: str) -> str:
    """The words of an option: its id may be a number."""
    options = line.get("options") or []
    return next((str(one.get("text") or one["id"]) for one in options if str(one.get("id")) == option_id), option_id)


def write(export: Export, folder: Path) -> Written:
    """Write a line per person and image, beside copies of the images."""
    copies = copy_images(export.samples, folder, below="images")
    samples = [sample for sample in export.samples if sample.id in copies.names]
    options = [{"id": name, "text": name} for name in export.classes]
    write_lines(folder / TASKS_FILE, (row for sample in samples for row in _lines(sample, copies.names, options)))
    return Written(folder, sum(bool(sample.label) for sample in samples), 0, tuple(copies.left_out))


def _lines(sample: ExportedSample, names: Mapping[int, str], options: list[dict[str, str]]) -> list[Row]:
    flagged_by = {given.annotator for given in sample.decisions if given.action == "flag"}
    given = [decision for decision in sample.decisions if decision.action != "flag"]
    told = [
        {"label": one.class_name, "score": one.probability, "model_version": one.model_version}
        for one in sample.predictions
    ]
    base = {
        "image": names[sample.id],
        "path": names[sample.id],
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
    sentence="Prodigy: JSON lines with accept and answer, and the images",
    reads=reads,
    read=read,
    write=write,
    holds=("skips", "votes", "annotators", "predictions"),
)
