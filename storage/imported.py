"""What came with a source: label events of purpose ``imported``, and predictions. One import is one action.

Its events carry request ids ``imported:<key of the import>:<number>``, so that the label journal groups them too.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select

from storage.current import fold_decision
from storage.engine import Session
from storage.entries import note_events
from storage.errors import UnknownImportError
from storage.events import IMPORTED, is_undone
from storage.models import CurrentDecision, Import, ImportedPrediction, LabelEvent, Sample
from storage.plain import LARGEST_ID, finite, utc_now
from storage.projects import get_or_create_annotator
from storage.samples import SAMPLE_COLUMNS, SampleInfo, chunks


@dataclass(frozen=True)
class NewImported:
    """One decision that came with a source."""

    sample_id: int
    action: str  # label | skip | flag
    class_index: int | None
    annotator: str
    created_at: datetime | None = None  # None: now
    lead_time_s: float | None = None


@dataclass(frozen=True)
class PredictionInfo:
    """One model's answer that came with a source."""

    sample_id: int
    class_index: int
    probability: float | None  # of that class, 0 to 1
    model_version: str


@dataclass(frozen=True)
class ImportInfo:
    """One import that brought labels."""

    id: int
    source: str  # what the person named
    format: str
    created_at: datetime
    labels: int  # that stand: not undone


def begin_import(session: Session, *, project_id: int, source: str, format: str) -> int:  # noqa: A002 - the word
    """Make the group that what comes with a source belongs to; return its id."""
    begun = Import(project_id=project_id, key=uuid.uuid4().hex, source=source, format=format, created_at=utc_now())
    session.add(begun)
    session.flush()
    return begun.id


def samples_by_hash(session: Session, *, project_id: int, hashes: Sequence[str]) -> dict[str, SampleInfo]:
    """Return the project's samples of some contents, by the SHA-256 of their bytes."""
    found: dict[str, SampleInfo] = {}
    for chunk in chunks(hashes):
        rows = session.execute(select(*SAMPLE_COLUMNS).where(Sample.project_id == project_id, Sample.sha256.in_(chunk)))
        found |= {info.sha256: info for info in (SampleInfo(*row) for row in rows)}
    return found


def standing_classes(session: Session, *, sample_ids: Sequence[int]) -> dict[int, int | None]:
    """Return what stands for those of some samples that are decided: the class index, None for a skip."""
    found: dict[int, int | None] = {}
    for chunk in chunks(sample_ids):
        rows = session.execute(
            select(CurrentDecision.sample_id, LabelEvent.class_index)
            .join(LabelEvent, LabelEvent.id == CurrentDecision.event_id)
            .where(CurrentDecision.sample_id.in_(chunk))
        )
        found |= {row[0]: row[1] for row in rows}
    return found


def record_imported(
    session: Session, *, project_id: int, import_id: int, decisions: Sequence[NewImported], first: int = 0
) -> int:
    """Store decisions that came with a source, of a sample oldest first; the last label or skip stands.

    A sample that somebody has decided on meanwhile keeps that: nothing is stored for it.

    Args:
        session: A writing session.
        project_id: The project.
        import_id: From `begin_import`.
        decisions: All of a sample's in one call.
        first: Number of the first decision in the import.

    Returns:
        How many decisions were stored.
    """
    key = _find(session, project_id, import_id).key
    decided = standing_classes(session, sample_ids=sorted({given.sample_id for given in decisions}))
    people = {
        name: get_or_create_annotator(session, project_id=project_id, name=name)
        for name in dict.fromkeys(given.annotator for given in decisions)
    }
    events = [
        _event(project_id, given, people[given.annotator], f"{IMPORTED}:{key}:{first + number}")
        for number, given in enumerate(decisions)
        if given.sample_id not in decided
    ]
    session.add_all(events)
    session.flush()
    standing = {event.sample_id: event for event in events if event.action != "flag"}
    session.add_all(
        CurrentDecision(sample_id=sample_id, project_id=project_id, event_id=event.id, action=event.action)
        for sample_id, event in standing.items()
    )
    session.flush()
    note_events(session, events)
    return len(events)


def record_predictions(session: Session, *, import_id: int, predictions: Sequence[PredictionInfo]) -> None:
    """Store what models answered elsewhere."""
    rows = [{**vars(told), "probability": finite(told.probability), "import_id": import_id} for told in predictions]
    if rows:
        session.execute(insert(ImportedPrediction), rows)


def list_imported_predictions(
    session: Session, *, project_id: int, sample_ids: Sequence[int] | None = None, by: datetime | None = None
) -> list[PredictionInfo]:
    """List the answers that came with sources, in their order: all, for some samples, or those there by a time."""
    columns = (
        ImportedPrediction.sample_id,
        ImportedPrediction.class_index,
        ImportedPrediction.probability,
        ImportedPrediction.model_version,
    )
    of_project = select(*columns).join(Import, Import.id == ImportedPrediction.import_id)
    of_project = of_project.where(Import.project_id == project_id).order_by(ImportedPrediction.id)
    if by is not None:
        of_project = of_project.where(Import.created_at <= by)
    if sample_ids is None:
        return [PredictionInfo(*row) for row in session.execute(of_project)]
    wanted = (of_project.where(ImportedPrediction.sample_id.in_(chunk)) for chunk in chunks(sample_ids))
    return [PredictionInfo(*row) for query in wanted for row in session.execute(query)]


def list_imports(session: Session, *, project_id: int) -> list[ImportInfo]:
    """List the imports that brought labels, latest first."""
    imports = session.scalars(select(Import).where(Import.project_id == project_id).order_by(Import.id.desc()))
    return [
        ImportInfo(found.id, found.source, found.format, found.created_at, _count_standing(session, found))
        for found in imports
    ]


def undo_import(session: Session, *, project_id: int, import_id: int, annotator_id: int) -> int:
    """Take back all that came with a source, but for what somebody has corrected since; the samples stay.

    Returns:
        How many decisions were taken back; none when it was done before.

    Raises:
        UnknownImportError: When the project has no such import.
    """
    found = _find(session, project_id, import_id)
    taken_back = session.scalars(select(LabelEvent).where(_belongs(found), ~is_undone()).order_by(LabelEvent.id)).all()
    events = [_undo(event, annotator_id) for event in taken_back]
    session.add_all(events)
    session.flush()
    for sample_id in sorted({event.sample_id for event in events}):
        fold_decision(session, sample_id=sample_id)
    session.execute(delete(ImportedPrediction).where(ImportedPrediction.import_id == import_id))
    note_events(session, events)
    return len(events)


def count_imported(session: Session, *, project_id: int) -> int:
    """Count the samples whose label came with a source."""
    of_project = (CurrentDecision.project_id == project_id, CurrentDecision.action == "label")
    standing = select(func.count()).select_from(CurrentDecision)
    joined = standing.join(LabelEvent, LabelEvent.id == CurrentDecision.event_id)
    return session.scalar(joined.where(*of_project, LabelEvent.purpose == IMPORTED)) or 0


def _event(project_id: int, given: NewImported, annotator_id: int, request_id: str) -> LabelEvent:
    return LabelEvent(
        project_id=project_id,
        sample_id=given.sample_id,
        annotator_id=annotator_id,
        action=given.action,
        class_index=given.class_index,
        purpose=IMPORTED,
        suggestion_shown=False,
        why_shown=False,
        shown_together=1,
        lead_time_s=finite(given.lead_time_s),
        request_id=request_id,
        created_at=given.created_at or utc_now(),
    )


def _undo(undone: LabelEvent, annotator_id: int) -> LabelEvent:
    return LabelEvent(
        project_id=undone.project_id,
        sample_id=undone.sample_id,
        annotator_id=annotator_id,
        action="undo",
        purpose=IMPORTED,
        suggestion_shown=False,
        why_shown=False,
        shown_together=1,
        request_id=f"undo:{undone.id}",
        supersedes=undone.id,
        created_at=utc_now(),
    )


def _find(session: Session, project_id: int, import_id: int) -> Import:
    found = session.get(Import, import_id) if import_id <= LARGEST_ID else None
    if found is None or found.project_id != project_id:
        raise UnknownImportError(import_id)
    return found


def _belongs(found: Import) -> ColumnElement[bool]:
    return LabelEvent.request_id.startswith(f"{IMPORTED}:{found.key}:", autoescape=True)


def _count_standing(session: Session, found: Import) -> int:
    standing = select(func.count()).where(_belongs(found), LabelEvent.action == "label", ~is_undone())
    return session.scalar(standing) or 0
