"""Labels that another program tells of, as label events of the project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from unicodedata import normalize

from app.formats.errors import RefusedSampleError
from app.formats.rows import number
from app.formats.source import printable
from app.project.project import Project
from storage.engine import Session
from storage.imported import samples_by_hash
from storage.labels import record_decision, undo_told
from storage.projects import get_or_create_annotator, list_classes
from storage.samples import SampleInfo, samples_by_name
from storage.trainer import request_training

TOOL = "label-studio"


def find_sample(project: Project, *, sha256: str, name: str) -> SampleInfo | None:
    """The sample of the project that a task is about: by its hash, or by a file name that only it has."""
    with project.opened_to_read(settle=False) as database, database.read() as session:
        return _found(session, project.project_id(database), sha256, name)


def record_annotation(project: Project, action: str, told: Mapping[str, Any], *, sha256: str, name: str) -> str:
    """Take over an annotation; told again, it changes nothing.

    Args:
        project: Gets the label event.
        action: Of Label Studio's webhook.
        told: All of it.
        sha256: Of the task's sample, where it is known.
        name: Of its file.

    Returns:
        What became of it.

    Raises:
        RefusedSampleError: It is about no sample or class of the project.
    """
    with closing(project.open_database()) as database:
        project_id = project.project_id(database)
        with database.write() as session:
            if action == "START_TRAINING":
                request_training(session, project_id=project_id, kind="train")
                return "the trainer was asked to train"
            if action == "ANNOTATIONS_DELETED":
                return _take_back(session, project_id, told)
            return _record(session, project_id, told, _found(session, project_id, sha256, name))


def _found(session: Session, project_id: int, sha256: str, name: str) -> SampleInfo | None:
    by_hash = samples_by_hash(session, project_id=project_id, hashes=[sha256]).get(sha256) if sha256 else None
    if by_hash is not None:
        return by_hash
    named = samples_by_name(session, project_id=project_id, name=name) if name else []
    return named[0] if len(named) == 1 else None


def _take_back(session: Session, project_id: int, told: Mapping[str, Any]) -> str:
    given = _list(told.get("annotations")) or [told.get("annotation")]
    numbers = [one.get("id") if isinstance(one, dict) else one for one in given]
    undone = [undo_told(session, project_id=project_id, prefix=f"{TOOL}:{number}:") for number in numbers]
    return f"{sum(event is not None for event in undone)} decisions were taken back"


def _record(session: Session, project_id: int, told: Mapping[str, Any], sample: SampleInfo | None) -> str:
    annotation = told.get("annotation")
    if not isinstance(annotation, dict) or "id" not in annotation:
        raise RefusedSampleError("holds no annotation")
    if sample is None:
        raise RefusedSampleError("is about no sample of the project")
    skipped = bool(annotation.get("was_cancelled"))
    class_index = None if skipped else _class_index(session, project_id, annotation)
    who = annotation.get("completed_by")
    shown = who.get("email") or who.get("id") if isinstance(who, dict) else who
    content = json.dumps([sample.id, class_index, annotation.get("updated_at")], default=str)
    event = record_decision(
        session,
        project_id=project_id,
        sample_id=sample.id,
        annotator_id=get_or_create_annotator(session, project_id=project_id, name=printable(f"{shown or TOOL}")[:200]),
        action="skip" if skipped else "label",
        class_index=class_index,
        request_id=f"{TOOL}:{annotation['id']}:{hashlib.sha256(content.encode()).hexdigest()[:16]}",
        lead_time_s=number(annotation.get("lead_time")),
        acquisition=TOOL,
    )
    return f"{event.action} {event.id} is stored"


def _class_index(session: Session, project_id: int, annotation: Mapping[str, Any]) -> int:
    values = [one.get("value") for one in _list(annotation.get("result")) if isinstance(one, dict)]
    named = [str(name) for value in values if isinstance(value, dict) for name in _list(value.get("choices"))]
    if len(named) != 1:
        raise RefusedSampleError(f"has {len(named)} choices, and a sample of the project has one class")
    classes = {normalize("NFC", one.name): one.index for one in list_classes(session, project_id=project_id)}
    if normalize("NFC", named[0]) not in classes:
        raise RefusedSampleError(f"chooses {named[0]!r}, which is none of the project's classes")
    return classes[normalize("NFC", named[0])]


def _list(value: object) -> list[Any]:
    """What a stranger's JSON says is a list."""
    return value if isinstance(value, list) else []
