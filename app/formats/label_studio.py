"""Label Studio: JSON and JSON_MIN, with annotations, predictions and skips; written with the labeling config.

Texts stand in the tasks themselves, and so do the values of rows; only images are files.

Files are named as Label Studio names them: an address, `/data/local-files/?d=PATH`, which is looked up beside the
file, or `/data/upload/N/XXXXXXXX-NAME`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from app.formats.export import Export, ExportedSample, Written
from app.formats.format import Format
from app.formats.json_file import read_list
from app.formats.label_studio_data import TAGS, file_of, kind_of, row_of, text_of
from app.formats.records import Record, about, source_of_records, taken_along
from app.formats.rows import moment, number
from app.formats.source import Decision, Entry, Prediction, Source
from app.kinds.kind import kind_named

TASKS_FILE, CONFIG_FILE = "tasks.json", "config.xml"
_CHOICE = "choice"
_ANNOTATOR = "annotator"  # not `completed_by`: Label Studio refuses a whole file for one name that is no user's email
_MANY = "{} tasks have more than one choice; they come in without a label."


def reads(path: Path) -> bool:
    """A `.json` list of tasks, or the folder of an export of ours."""
    if path.is_dir():
        return (path / TASKS_FILE).is_file() and (path / CONFIG_FILE).is_file()
    return path.suffix.lower() == ".json" and any(_is_task(task) for task in read_list(path)[:5])


def read(path: Path, _uploads: Path) -> Source:
    """Read tasks with what people and models said of them.

    Raises:
        SourceError: it is no list of tasks.
    """
    manifest = path / TASKS_FILE if path.is_dir() else path
    tasks = [task for task in read_list(manifest) if _is_task(task)]
    many = sum(_has_several(task) for task in tasks)
    notes = (_MANY.format(f"{many:,}"),) if many else ()
    kind = kind_of(_config_beside(manifest) if path.is_dir() else "", [_data(task) for task in tasks])
    records = [_record(task, manifest.parent.resolve()) for task in tasks]
    return source_of_records(
        manifest, records, wanted="tasks with data.image, data.text or data.row", kind=kind, notes=notes
    )


def _config_beside(manifest: Path) -> str:
    return manifest.with_name(CONFIG_FILE).read_text(encoding="utf-8")


def _data(task: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a task is about; a line of JSON_MIN has it beside everything else."""
    data = task.get("data")
    return data if isinstance(data, dict) else task


def _is_task(task: object) -> bool:
    """A task, or a line of JSON_MIN, which has neither `data` nor `annotations`."""
    if not isinstance(task, dict):
        return False
    has_sample = bool(file_of(task)) or isinstance(task.get("text"), str) or isinstance(task.get("row"), dict)
    return isinstance(task.get("data"), dict) or ("annotator" in task and has_sample)


def _record(task: Mapping[str, Any], root: Path) -> Record:
    data, meta = _data(task), task.get("meta")
    file = file_of(data)
    uri = str(meta.get("uri") or "") if isinstance(meta, dict) else ""
    return Record(_entry(task, root, file), file, row_of(data), text_of(data), uri)


def _entry(task: Mapping[str, Any], root: Path, file: str) -> Entry:
    if "data" not in task:
        decisions = tuple(_minimal(task, file))
    else:
        said = sorted(task.get("annotations") or task.get("completions") or [], key=lambda one: str(_when(one)))
        decisions = tuple(decision for one in said if (decision := _decision(one)) is not None)
    flags = (Decision("flag"),) if isinstance(task.get("meta"), dict) and task["meta"].get("flagged") else ()
    standing = next((one.class_name for one in reversed(decisions)), "")
    sha256 = str(task.get("meta", {}).get("sha256", "")) if isinstance(task.get("meta"), dict) else ""
    # Label Studio's own export has numbers of predictions in place of what they say.
    given = [one for one in task.get("predictions") or [] if isinstance(one, dict)]
    predictions = (told for one in given if (told := _prediction(one)) is not None)
    return Entry(root, "", standing, sha256, (*flags, *decisions), tuple(predictions))


def _minimal(task: Mapping[str, Any], file: str) -> Iterator[Decision]:
    """The decision of a JSON_MIN line: its choice stands under the config's own name."""
    known = {
        "image",
        "text",
        "row",
        "id",
        "annotator",
        "annotation_id",
        "created_at",
        "updated_at",
        "lead_time",
        "agreement",
    }
    choices = [value for name, value in task.items() if name not in known and isinstance(value, str)]
    choices = [task[_CHOICE]] if isinstance(task.get(_CHOICE), str) else choices
    choices = [value for value in choices if value != file]
    said = (str(task.get("annotator", "")), moment(task.get("created_at")), number(task.get("lead_time")))
    if len(choices) == 1:
        yield Decision("label", choices[0], *said)


def _decision(annotation: Mapping[str, Any]) -> Decision | None:
    who = annotation.get(_ANNOTATOR) or _who(annotation.get("completed_by"))
    said = (str(who), _when(annotation), number(annotation.get("lead_time")))
    if annotation.get("was_cancelled"):
        return Decision("skip", "", *said)
    choices = _choices(annotation)
    return Decision("label", choices[0], *said) if len(choices) == 1 else None


def _when(annotation: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a time or nothing
    return moment(annotation.get("created_at")) if isinstance(annotation, dict) else None


def _who(completed_by: object) -> str:
    """A user's number, or what an export knows of them."""
    if isinstance(completed_by, dict):
        return str(completed_by.get("email") or completed_by.get("username") or completed_by.get("id") or "")
    return "" if completed_by is None else str(completed_by)


def _choices(given: Mapping[str, Any]) -> list[str]:
    found = [one.get("value", {}).get("choices", []) for one in given.get("result") or [] if isinstance(one, dict)]
    return [str(choice) for choices in found for choice in choices]


def _has_several(task: Mapping[str, Any]) -> bool:
    return any(len(_choices(one)) > 1 for one in task.get("annotations") or [])


def _prediction(told: Mapping[str, Any]) -> Prediction | None:
    choices = _choices(told)
    if len(choices) != 1:
        return None
    return Prediction(choices[0], number(told.get("score")), str(told.get("model_version") or ""))


def write(export: Export, folder: Path) -> Written:
    """Write tasks, beside copies of images, and the config that Label Studio needs to show them."""
    samples, copies = taken_along(export.samples, folder)
    tasks = [_task(sample, about(sample, copies)) for sample in samples]
    (folder / TASKS_FILE).write_text(json.dumps(tasks, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / CONFIG_FILE).write_text(config(export.classes, export.kind), encoding="utf-8")
    return Written(folder, sum(bool(sample.label) for sample in samples), 0, tuple(copies.left_out))


def config(classes: Sequence[str], kind: str = "image") -> str:
    """Return the labeling config of a project."""
    view, name_of_data = ElementTree.Element("View"), kind_named(kind).NOUN
    ElementTree.SubElement(view, TAGS[kind], name=name_of_data, value=f"${name_of_data}")
    choices = ElementTree.SubElement(view, "Choices", name=_CHOICE, toName=name_of_data, choice="single")
    for name in classes:
        ElementTree.SubElement(choices, "Choice", value=name)
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def _task(sample: ExportedSample, data: dict[str, Any]) -> dict[str, Any]:
    kind = kind_named(sample.kind)
    if kind.IN_FILES:
        data = {name: f"/data/local-files/?d={quote(file)}" for name, file in data.items()}
    meta = {"sha256": sample.sha256, "uri": sample.uri} | ({"flagged": True} if sample.flagged else {})
    return {
        "id": sample.id,
        "data": data,
        "meta": meta,
        "annotations": list(_annotations(sample.decisions, kind.NOUN)),
        "predictions": [_told(prediction, kind.NOUN) for prediction in sample.predictions],
    }


def _annotations(decisions: Iterable[Decision], about: str) -> Iterator[dict[str, Any]]:
    for decision in decisions:
        if decision.action == "flag":
            continue
        yield {
            "result": [_result(decision.class_name, about)] if decision.action == "label" else [],
            "was_cancelled": decision.action == "skip",
            "lead_time": decision.lead_time_s,
            _ANNOTATOR: decision.annotator,
            "created_at": decision.created_at.isoformat() if decision.created_at else None,
            "ground_truth": False,
        }


def _told(prediction: Prediction, about: str) -> dict[str, Any]:
    return {
        "model_version": prediction.model_version,
        "score": prediction.probability,
        "result": [_result(prediction.class_name, about)],
    }


def _result(class_name: str, about: str) -> dict[str, Any]:
    return {"from_name": _CHOICE, "to_name": about, "type": "choices", "value": {"choices": [class_name]}}


FORMAT = Format(
    name="label-studio",
    sentence="Label Studio: tasks (JSON) with texts, rows or images beside, and the labeling config",
    reads=reads,
    read=read,
    write=write,
    contents=True,
    holds=("skips", "flags", "votes", "annotators", "times", "lead times", "predictions"),
)
