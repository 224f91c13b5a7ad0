"""Argilla: records with responses of people and suggestions of models, and the settings of the dataset.

A record's one field is `image`, `text`, or `row`, a custom field that shows the values as a table. Argilla's library
takes nothing in a response that it does not know, and people only by numbers of its own: their names, and when they
answered, stand in a record's metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from app.formats.export import Export, ExportedSample, Written
from app.formats.folders import IMAGE_SUFFIXES
from app.formats.format import Format
from app.formats.json_file import read_list
from app.formats.jsonl_file import first_lines, read_lines
from app.formats.records import Record, about, record_about, source_of_records, taken_along
from app.formats.rows import moment, number
from app.formats.source import Decision, Entry, Prediction, Source
from app.kinds.kind import kind_named

RECORDS_FILE, SETTINGS_FILE = "records.json", "settings.json"
_IMAGE, _TEXT, _QUESTION = "image", "text", "label"
_NAMES, _TIMES = "annotators", "answered_at"
_ROW = "<table>{{#each record.fields.row}}<tr><th>{{@key}}</th><td>{{this}}</td></tr>{{/each}}</table>"
_FIELDS: Mapping[str, Mapping[str, Any]] = {
    # by kind: how Argilla shows it
    "image": {"type": "image"},
    "text": {"type": "text", "use_markdown": False},
    "table": {"type": "custom", "template": _ROW, "advanced_mode": False},
}


def reads(path: Path) -> bool:
    """A list of records as JSON or JSON lines, or the folder that Argilla or we have written."""
    if path.is_dir():
        return (path / RECORDS_FILE).is_file()
    records = read_list(path)[:5] if path.suffix.lower() == ".json" else first_lines(path, 5)
    return any(_is_record(record) for record in records)


def read(path: Path, _uploads: Path) -> Source:
    """Read records.

    Raises:
        SourceError: it holds none.
    """
    manifest = path / RECORDS_FILE if path.is_dir() else path
    found = read_list(manifest) if manifest.suffix.lower() == ".json" else list(read_lines(manifest))
    records = [_read_record(record, manifest.parent.resolve()) for record in found if _is_record(record)]
    return source_of_records(manifest, records, wanted="records with fields that are texts, rows or images")


def _is_record(record: object) -> bool:
    if not isinstance(record, dict) or not isinstance(record.get("fields"), dict):
        return False
    return "responses" in record or "suggestions" in record


def _read_record(record: Mapping[str, Any], root: Path) -> Record:
    fields, metadata = record["fields"], record.get("metadata") or {}
    entry, name = _entry(record, metadata, root), str(metadata.get("uri") or "")
    return record_about(_about(fields), entry, file=_file_of(fields), name=name)


def _file_of(fields: Mapping[str, Any]) -> str:
    """The field `image`, else one that is called like a file of an image; a text that ends so is a text."""
    named = fields.get(_IMAGE)
    if isinstance(named, str):
        return named
    texts = [value for name, value in fields.items() if isinstance(value, str) and name != _TEXT]
    return next((value for value in texts if value.lower().endswith(tuple(IMAGE_SUFFIXES))), "")


def _about(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The text or row of fields that may be called otherwise: one is that; several, none of them `text`, are a row."""
    if _TEXT in fields or "row" in fields:
        return fields
    values = list(fields.values())
    if len(values) > 1:
        return {"row": fields}
    return {"row": values[0]} if values and isinstance(values[0], dict) else {"text": next(iter(values), None)}


def _entry(record: Mapping[str, Any], metadata: Mapping[str, Any], root: Path) -> Entry:
    decisions = tuple(_decisions(record.get("responses") or {}, metadata))
    flags = (Decision("flag"),) if metadata.get("flagged") else ()
    standing = next((one.class_name for one in reversed(decisions)), "")
    told = tuple(_predictions(record.get("suggestions") or {}))
    return Entry(root, "", standing, str(metadata.get("sha256") or ""), (*flags, *decisions), told)


def _decisions(responses: Mapping[str, Any], metadata: Mapping[str, Any]) -> Iterator[Decision]:
    """The responses to the one question that asks for a label, or to any that has one word for an answer."""
    listed = [metadata[name] if isinstance(metadata.get(name), list) else [] for name in (_NAMES, _TIMES)]
    known = {_user_id(str(name)): (str(name), time) for name, time in zip(*listed, strict=False)}
    for response in _of_question(responses):
        user_id = str(response.get("user_id") or "")
        name, time = known.get(user_id, (user_id, response.get("inserted_at")))
        said = (name, moment(time))
        if response.get("status") == "discarded":
            yield Decision("skip", "", *said)
        elif isinstance(response.get("value"), str) and response.get("status") != "draft":
            yield Decision("label", response["value"], *said)


def _predictions(suggestions: Mapping[str, Any]) -> Iterator[Prediction]:
    for told in _of_question(suggestions):
        if isinstance(told.get("value"), str):
            yield Prediction(told["value"], number(told.get("score")), str(told.get("agent") or ""))


def _of_question(given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A question's answers: one of them, or a list."""
    found = given.get(_QUESTION, next(iter(given.values()), None)) if given else None
    listed = found if isinstance(found, list) else [found]
    return [one for one in listed if isinstance(one, dict)]


def write(export: Export, folder: Path) -> Written:
    """Write records beside copies of images, and the settings with the labels."""
    samples, copies = taken_along(export.samples, folder)
    records = [_record(sample, about(sample, copies)) for sample in samples]
    (folder / RECORDS_FILE).write_text(json.dumps(records, ensure_ascii=False, indent=1), encoding="utf-8")
    settings = {
        "fields": [{"name": kind_named(export.kind).NOUN, "settings": _FIELDS[export.kind]}],
        "questions": [{"name": _QUESTION, "settings": {"type": "label_selection", "options": _options(export)}}],
    }
    (folder / SETTINGS_FILE).write_text(json.dumps(settings, ensure_ascii=False, indent=1), encoding="utf-8")
    return Written(folder, sum(bool(sample.label) for sample in samples), 0, tuple(copies.left_out))


def _options(export: Export) -> list[dict[str, str]]:
    return [{"value": name, "text": name} for name in export.classes]


def _record(sample: ExportedSample, fields: dict[str, Any]) -> dict[str, Any]:
    given = [decision for decision in sample.decisions if decision.action != "flag"]
    metadata: dict[str, Any] = {"sha256": sample.sha256, "uri": sample.uri}
    if given:
        metadata[_NAMES] = [decision.annotator for decision in given]
        metadata[_TIMES] = [one.created_at.isoformat() if one.created_at else "" for one in given]
    return {
        "id": str(sample.id),
        "status": "completed" if given else "pending",
        "fields": fields,
        "metadata": metadata | ({"flagged": True} if sample.flagged else {}),
        "responses": {_QUESTION: [_response(decision) for decision in given]} if given else {},
        "suggestions": {_QUESTION: _suggestion(sample.predictions[-1])} if sample.predictions else {},
        "vectors": {},
    }


def _response(decision: Decision) -> dict[str, Any]:
    return {
        "value": decision.class_name or None,
        "user_id": _user_id(decision.annotator),
        "status": "discarded" if decision.action == "skip" else "submitted",
    }


def _user_id(annotator: str) -> str:
    """What Argilla takes for a person: who came from there has such a number for a name."""
    try:
        return str(UUID(annotator))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"labelloop:{annotator}"))


def _suggestion(told: Prediction) -> dict[str, Any]:
    return {"value": told.class_name, "score": told.probability, "agent": told.model_version}


FORMAT = Format(
    name="argilla",
    sentence="Argilla: records with responses and suggestions, with texts, rows or images beside",
    reads=reads,
    read=read,
    write=write,
    contents=True,
    holds=("skips", "flags", "votes", "annotators", "times", "predictions"),
)
