"""Several decisions corrected at once: an event for each, in one transaction, and one undo for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Select, select

from storage.current import standing_event
from storage.engine import Session
from storage.events import ADJUDICATION, is_undone
from storage.labels import record_decision, take_back
from storage.limits import NO_LIMITS, Limits
from storage.models import LabelEvent

OF_SEVERAL = f"{ADJUDICATION}several:"  # how the request ids of such events begin


@dataclass(frozen=True)
class Corrected:
    """What became of the chosen samples."""

    stored: int  # events, of this action
    same: int  # had that class already
    moved: int  # somebody decided about them anew since they were shown: left as they are


def correct_several(
    session: Session,
    *,
    project_id: int,
    annotator_id: int,
    seen: Mapping[int, int],
    class_index: int,
    key: str,
    limits: Limits = NO_LIMITS,
) -> Corrected:
    """Give several samples one class, knowing what stands; the same key again changes nothing.

    Args:
        session: A writing session.
        project_id: The project.
        annotator_id: Who corrects.
        seen: By sample id the event that the person saw as standing.
        class_index: The class.
        key: Of this action; no other one has it.
        limits: Where labeling ends; only a skipped sample is one label more.

    Raises:
        LimitReachedError: When it would be one label more than the limits allow; then nothing is stored.
    """
    stored = same = moved = 0
    for sample_id, event_id in seen.items():
        standing = standing_event(session, sample_id=sample_id)
        request = f"{_prefix(key)}{sample_id}"
        if standing is not None and standing.request_id == request:
            stored += 1  # before, by the same action
            continue
        if standing is None or standing.id != event_id:
            moved += 1
            continue
        if standing.class_index == class_index:
            same += 1
            continue
        record_decision(
            session,
            project_id=project_id,
            sample_id=sample_id,
            annotator_id=annotator_id,
            action="label",
            class_index=class_index,
            request_id=request,
            shown_together=len(seen),
            limits=limits,
        )
        stored += 1
    return Corrected(stored, same, moved)


def undo_several(session: Session, *, project_id: int, annotator_id: int, key: str) -> int:
    """Take back what was corrected under a key, as far as it was not taken back before; returns how many events.

    A sample about which somebody decided again since keeps that decision.
    """
    events = session.scalars(_own(project_id, annotator_id, _prefix(key))).all()
    for event in events:
        take_back(session, event, annotator_id, undo_id=f"undo:{event.id}")
    return len(events)


def last_correction(session: Session, *, project_id: int, annotator_id: int) -> tuple[str, int] | None:
    """The key of what a person corrected last and has not taken back, and its events; None where there is nothing."""
    latest = _own(project_id, annotator_id, OF_SEVERAL).order_by(None).order_by(LabelEvent.id.desc()).limit(1)
    found = session.scalar(latest)
    if found is None:
        return None
    key = found.request_id.removeprefix(OF_SEVERAL).partition(":")[0]
    return key, len(session.scalars(_own(project_id, annotator_id, _prefix(key))).all())


def _own(project_id: int, annotator_id: int, begins: str) -> Select[LabelEvent]:
    """A person's events that are not undone and whose request begins so, in their order."""
    whose = (LabelEvent.project_id == project_id, LabelEvent.annotator_id == annotator_id)
    begun = LabelEvent.request_id.startswith(begins, autoescape=True)
    return select(LabelEvent).where(*whose, begun, ~is_undone()).order_by(LabelEvent.id)


def _prefix(key: str) -> str:
    return f"{OF_SEVERAL}{key}:"
