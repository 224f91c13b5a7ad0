"""What the label events add up to: per sample the latest label or skip that no undo names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select

from storage.engine import Session
from storage.events import is_undone, may_stand
from storage.models import Annotator, CurrentDecision, LabelEvent
from storage.plain import pairs


@dataclass(frozen=True)
class CurrentLabel:
    """What stands for a sample."""

    sample_id: int
    event_id: int
    action: str  # label | skip
    class_index: int | None
    purpose: str
    annotator: str
    round_number: int | None
    created_at: datetime
    unseen: bool  # labeled with the rest of a group: nobody has looked at it
    flagged: bool  # somebody asked for a second look and did not take it back


def current_labels(
    session: Session,
    *,
    project_id: int,
    through_event_id: int | None = None,
    after_sample_id: int = 0,
    limit: int | None = None,
) -> list[CurrentLabel]:
    """List what stands per sample, by sample id.

    Args:
        session: Reads.
        project_id: The project.
        through_event_id: As it stood right after that event.
        after_sample_id: Only samples with a larger id.
        limit: How many at most.
    """
    if through_event_id is None:
        standing: Select[Any] = select(CurrentDecision.event_id).where(CurrentDecision.project_id == project_id)
    else:
        standing = _fold(LabelEvent.project_id == project_id, through_event_id)
    flagged = flagged_ids(session, project_id, through_event_id)
    rows = session.execute(
        select(
            LabelEvent.sample_id,
            LabelEvent.id,
            LabelEvent.action,
            LabelEvent.class_index,
            LabelEvent.purpose,
            Annotator.name,
            LabelEvent.round_number,
            LabelEvent.created_at,
            LabelEvent.group_bound.is_not(None),
        )
        .join(Annotator, Annotator.id == LabelEvent.annotator_id)
        .where(LabelEvent.id.in_(standing), LabelEvent.sample_id > after_sample_id)
        .order_by(LabelEvent.sample_id)
        .limit(limit)
    )
    return [CurrentLabel(*row[:-1], unseen=bool(row[-1]), flagged=row[0] in flagged) for row in rows]


def labeled_classes(session: Session, *, project_id: int) -> set[int]:
    """Return the indices of the classes that a label in force has."""
    joined = select(LabelEvent.class_index).join(CurrentDecision, CurrentDecision.event_id == LabelEvent.id)
    of_project = (CurrentDecision.project_id == project_id, LabelEvent.class_index.is_not(None))
    return {index for index in session.scalars(joined.where(*of_project).distinct()) if index is not None}


def decided_ids(session: Session, *, project_id: int) -> set[int]:
    """Return the samples that have a label or a skip."""
    return set(session.scalars(select(CurrentDecision.sample_id).where(CurrentDecision.project_id == project_id)))


def changed_since(session: Session, *, project_id: int, event_id: int) -> int:
    """Count the samples whose training label is another than right after an event; skips and audit do not count.

    A recheck that confirms the label changes nothing; one that finds another class does.

    Costs as much as there are events since, not as there are labels.
    """
    touched = select(LabelEvent.sample_id).where(LabelEvent.project_id == project_id, LabelEvent.id > event_id)
    before = _training_labels(session, _fold(LabelEvent.sample_id.in_(touched), event_id))
    now = _training_labels(session, select(CurrentDecision.event_id).where(CurrentDecision.sample_id.in_(touched)))
    return sum(before.get(sample_id) != now.get(sample_id) for sample_id in before.keys() | now.keys())


def standing_event(session: Session, *, sample_id: int) -> LabelEvent | None:
    """Return the event that stands for a sample."""
    decision = session.get(CurrentDecision, sample_id)
    return session.get(LabelEvent, decision.event_id) if decision else None


def set_decision(session: Session, event: LabelEvent) -> None:
    """Let a new label or skip stand for its sample."""
    decision = session.get(CurrentDecision, event.sample_id)
    if decision is None:
        decision = CurrentDecision(sample_id=event.sample_id, project_id=event.project_id)
        session.add(decision)
    decision.event_id, decision.action = event.id, event.action
    session.flush()


def fold_decision(session: Session, *, sample_id: int) -> None:
    """Work out from a sample's events what stands after an undo."""
    standing = session.scalar(
        select(LabelEvent)
        .where(LabelEvent.sample_id == sample_id, may_stand(), ~is_undone())
        .order_by(LabelEvent.id.desc())
        .limit(1)
    )
    if standing is not None:
        set_decision(session, standing)
        return
    session.execute(delete(CurrentDecision).where(CurrentDecision.sample_id == sample_id))


def _fold(which: ColumnElement[bool], through_event_id: int) -> Select[Any]:
    return (
        select(func.max(LabelEvent.id))
        .where(which, may_stand(), LabelEvent.id <= through_event_id)
        .where(~is_undone(through_event_id=through_event_id))
        .group_by(LabelEvent.sample_id)
    )


def _training_labels(session: Session, standing: Select[Any]) -> dict[int, int | None]:
    rows = session.execute(
        select(LabelEvent.sample_id, LabelEvent.class_index).where(
            LabelEvent.id.in_(standing), LabelEvent.action == "label", LabelEvent.purpose != "audit"
        )
    )
    return pairs(rows)


def flagged_ids(session: Session, project_id: int, through_event_id: int | None = None) -> set[int]:
    """Return the samples that have a flag, or had one right after an event."""
    flags = select(LabelEvent.sample_id).where(
        LabelEvent.project_id == project_id,
        LabelEvent.action == "flag",
        ~is_undone(through_event_id=through_event_id),
    )
    if through_event_id is not None:
        flags = flags.where(LabelEvent.id <= through_event_id)
    return set(session.scalars(flags))
