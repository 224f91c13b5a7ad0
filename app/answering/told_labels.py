"""Labels that another program tells of, as label events of the project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from app.formats.errors import RefusedSampleError
from app.formats.rows import number
from app.formats.source import printable
from app.project.project import Project
from storage.engine import Session
from storage.imported import samples_by_hash
from storage.labels import record_decision, undo_told
from storage.names import one_name
from storage.projects import get_or_create_annotator, list_classes
from storage.samples import SampleInfo, samples_by_name
from storage.trainer import request_training

TOOL = "label-studio"


def find_samples(project: Project, known: Sequence[tuple[str, str]]) -> list[SampleInfo | None]:
    """The samples of the project that tasks are about: by their hash, or by a file name that only one has.

    Args:
        project: That has them or not.
        known: SHA-256 and file name of each; either may be empty.
    """
    with project.opened_to_read(settle=False) as database, database.read() as session:
        project_id = project.project_id(database)
        hashes = [sha256 for sha256, _ in known if sha256]
        by_hash = samples_by_hash(session, project_id=project_id, hashes=hashes) if hashes else {}
        return [by_hash.get(sha256) or _named(session, project_id, name) for sha256, name in known]


def _named(session: Session, project_id: int, name: str) -> SampleInfo | None:
    named = samples_by_name(session, project_id=project_id, name=name) if name else []
    return named[0] if len(named) == 1 else None


def record_annotation(
    project: Project,
    action: str,
    told: Mapping[str, Any],
    *,
    sample: SampleInfo | None,
    name_of_user: Callable[[int], str],
) -> str:
    """Take over an annotation; told again, it changes nothing.

    Args:
        project: Gets the label event.
        action: Of Label Studio's webhook.
        told: All of it.
        sample: That it is about.
        name_of_user: By which a user's number becomes a name; empty: the number stays.

    Returns:
        What became of it.

    Raises:
        RefusedSampleError: It is about no sample or class of the project.
    """
    who = _who(told, name_of_user)
    with closing(project.open_database()) as database:
        project_id = project.project_id(database)
        with database.write() as session:
            if action == "START_TRAINING":
                request_training(session, project_id=project_id, kind="train")
                return "the trainer was asked to train"
            if action == "ANNOTATIONS_DELETED":
                return _take_back(session, project_id, told)
            return _record(session, project_id, told, sample, who)


def _take_back(session: Session, project_id: int, told: Mapping[str, Any]) -> str:
    given = _list(told.get("annotations")) or [told.get("annotation")]
    numbers = [one.get("id") if isinstance(one, dict) else one for one in given]
    undone = [undo_told(session, project_id=project_id, prefix=f"{TOOL}:{number}:") for number in numbers]
    return f"{sum(event is not None for event in undone)} decisions were taken back"


def _who(told: Mapping[str, Any], name_of_user: Callable[[int], str]) -> str:
    annotation = told.get("annotation")
    who = annotation.get("completed_by") if isinstance(annotation, dict) else None
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    if isinstance(who, int):
        who = name_of_user(who) or who
    return printable(f"{who or TOOL}")[:200]


def _record(session: Session, project_id: int, told: Mapping[str, Any], sample: SampleInfo | None, who: str) -> str:
    annotation = told.get("annotation")
    if not isinstance(annotation, dict) or "id" not in annotation:
        raise RefusedSampleError("holds no annotation")
    if sample is None:
        raise RefusedSampleError("is about no sample of the project")
    skipped = bool(annotation.get("was_cancelled"))
    class_index = None if skipped else _class_index(session, project_id, annotation)
    content = json.dumps([sample.id, class_index, annotation.get("updated_at")], default=str)
    event = record_decision(
        session,
        project_id=project_id,
        sample_id=sample.id,
        annotator_id=get_or_create_annotator(session, project_id=project_id, name=who),
        action="skip" if skipped else "label",
        class_index=class_index,
        request_id=f"{TOOL}:{annotation['id']}:{hashlib.sha256(content.encode()).hexdigest()[:16]}",
        suggestion_shown=bool(annotation.get("parent_prediction")),
        lead_time_s=number(annotation.get("lead_time")),
        acquisition=TOOL,
    )
    return f"{event.action} {event.id} is stored"


def _class_index(session: Session, project_id: int, annotation: Mapping[str, Any]) -> int:
    values = [one.get("value") for one in _list(annotation.get("result")) if isinstance(one, dict)]
    named = [str(name) for value in values if isinstance(value, dict) for name in _list(value.get("choices"))]
    if len(named) != 1:
        raise RefusedSampleError(f"has {len(named)} choices, and a sample of the project has one class")
    classes = {one_name(one.name): one.index for one in list_classes(session, project_id=project_id)}
    if one_name(named[0]) not in classes:
        raise RefusedSampleError(f"chooses {named[0]!r}, which is none of the project's classes")
    return classes[one_name(named[0])]


def _list(value: object) -> list[Any]:
    """What a stranger's JSON says is a list."""
    return value if isinstance(value, list) else []
