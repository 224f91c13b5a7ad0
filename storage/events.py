"""Reading label events: what happened, in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import aliased

from storage.engine import Session
from storage.errors import UnknownEventError
from storage.models import Annotator, LabelEvent
from storage.plain import to_info

DECISIONS = ("label", "skip")
IMPORTED = "imported"  # purpose of what came with a source, and how its request ids begin
ADJUDICATION = "correct:"  # how the request ids of decisions on Review begin
_UNDO = aliased(LabelEvent)


@dataclass(frozen=True)
class LabelEventInfo:
    """One label event: what a person did, and why they were shown the sample."""

    id: int
    sample_id: int
    annotator: str
    action: str  # label | skip | flag | undo
    class_index: int | None
    purpose: str  # train | audit | recheck | imported
    round_number: int | None
    acquisition: str | None
    score: float | None
    acquisition_probability: float | None
    rank: int | None
    model_version: str | None
    suggestion_shown: bool
    seeded_suggestion: int | None  # the class that was shown in place of the model's answer, to see who accepts it
    lead_time_s: float | None
    shown_together: int  # samples on screen at once; 1 but for grid mode
    why_shown: bool  # whether the reasons for asking were on screen
    predictor: str | None  # who asked
    predictor_version: str | None
    predictor_labels: int | None  # it had seen
    group_key: str | None  # of the group that the sample was judged or labeled in
    group_draw: int | None  # the draw that was judged; None: labeled with the rest, unseen
    group_bound: float | None  # of the rest: at most this share of it is of another class
    aside: bool  # kept without standing: somebody else had decided meanwhile
    request_id: str
    supersedes: int | None
    created_at: datetime


def list_events(session: Session, *, project_id: int, sample_id: int | None = None) -> list[LabelEventInfo]:
    """List all label events, or those of one sample, oldest first."""
    which = [LabelEvent.project_id == project_id]
    if sample_id is not None:
        which.append(LabelEvent.sample_id == sample_id)
    return _select(session, *which)


def last_event_id(session: Session, *, project_id: int) -> int:
    """Return the id of the latest label event, 0 if there is none."""
    return session.scalar(select(func.max(LabelEvent.id)).where(LabelEvent.project_id == project_id)) or 0


def find_event(session: Session, *, request_id: str) -> LabelEventInfo | None:
    """Find the label event a request has stored."""
    found = _select(session, LabelEvent.request_id == request_id)
    return found[0] if found else None


def get_event(session: Session, *, event_id: int) -> LabelEventInfo:
    """Return one label event.

    Raises:
        UnknownEventError: When there is none of this id.
    """
    found = _select(session, LabelEvent.id == event_id)
    if not found:
        raise UnknownEventError(event_id)
    return found[0]


def find_undo(session: Session, *, event_id: int) -> LabelEventInfo | None:
    """Find the undo of an event."""
    found = _select(session, LabelEvent.supersedes == event_id, LabelEvent.action == "undo")
    return found[0] if found else None


def history(
    session: Session, *, project_id: int, annotator_id: int, limit: int = 10, before: str = ""
) -> list[LabelEventInfo]:
    """List an annotator's labels and skips that were not undone, latest first.

    What was imported, and the rest of a group, are undone as one, elsewhere.

    Args:
        session: Reads.
        project_id: The project.
        annotator_id: Whose decisions.
        limit: How many at most.
        before: The request id of an event: only what is older; with "", from the latest on.
    """
    own = [LabelEvent.project_id == project_id, LabelEvent.annotator_id == annotator_id]
    own += [LabelEvent.purpose != IMPORTED, LabelEvent.group_bound.is_(None)]
    if before:
        own.append(LabelEvent.id < select(LabelEvent.id).where(LabelEvent.request_id == before).scalar_subquery())
    return _select(session, *own, LabelEvent.action.in_(DECISIONS), ~is_undone(), latest=limit)


def standing_flags(session: Session, *, project_id: int, annotator_id: int) -> list[LabelEventInfo]:
    """List the flags that an annotator gave and did not take back, oldest first."""
    own = (LabelEvent.project_id == project_id, LabelEvent.annotator_id == annotator_id)
    return _select(session, *own, LabelEvent.action == "flag", ~is_undone())


def is_undone(*, through_event_id: int | None = None) -> ColumnElement[bool]:
    """Say of a row of ``LabelEvent`` whether an undo names it; with an event id, an undo up to that event."""
    named = select(_UNDO.id).where(_UNDO.supersedes == LabelEvent.id, _UNDO.action == "undo")
    if through_event_id is not None:
        named = named.where(_UNDO.id <= through_event_id)
    return named.exists()


def may_stand() -> ColumnElement[bool]:
    """Say of a row of ``LabelEvent`` whether it is a decision that can stand for its sample."""
    return and_(LabelEvent.action.in_(DECISIONS), ~LabelEvent.aside)


def is_adjudication() -> ColumnElement[bool]:
    """Say of a row of ``LabelEvent`` whether it was decided on Review, knowing what was said before."""
    return LabelEvent.request_id.startswith(ADJUDICATION, autoescape=True)


def _select(session: Session, *which: ColumnElement[bool], latest: int | None = None) -> list[LabelEventInfo]:
    """Oldest first, or the latest few, latest first."""
    query = select(LabelEvent, Annotator.name).join(Annotator, Annotator.id == LabelEvent.annotator_id).where(*which)
    query = query.order_by(LabelEvent.id) if latest is None else query.order_by(LabelEvent.id.desc()).limit(latest)
    return [to_info(LabelEventInfo, event, annotator=name) for event, name in session.execute(query)]
