"""A project as it stood at a moment: the label events up to then, and the names that its classes had.

Events are ordered by their number. A time is that of storing: what came with a source was decided elsewhere before, and
stands here since its import.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from storage.classes import list_class_changes
from storage.engine import Session
from storage.errors import NoMomentError
from storage.events import IMPORTED, get_event, last_event_id
from storage.models import Import, LabelEvent
from storage.plain import pairs
from storage.projects import list_classes

_USES = ("add", "retire", "merge", "split")  # changes that tell whether a class was there before them


@dataclass(frozen=True)
class Moment:
    """Right after a label event."""

    event_id: int  # the last event by then
    at: datetime  # classes, rounds and imports are as of this time


def moment_at(session: Session, *, project_id: int, at: datetime) -> Moment:
    """Find the last label event that was stored by a time, whatever the clock said of those before it.

    Raises:
        NoMomentError: When no event was.
    """
    stored = list(_stored(session, project_id))
    by_then = max((event_id for event_id, when in stored if when <= at), default=0)
    if not any(event_id > by_then for event_id, _ in stored):
        by_then = last_event_id(session, project_id=project_id)  # an import that is not on record is not later
    if not by_then:
        raise NoMomentError(_nothing_by(at, min((when for _, when in stored), default=None)))
    return Moment(by_then, at)


def moment_of(session: Session, *, project_id: int, event_id: int) -> Moment:
    """Return the moment right after a label event.

    Raises:
        NoMomentError: When the project has no event of this number.
    """
    last = last_event_id(session, project_id=project_id)
    if not last:
        raise NoMomentError("Nothing was labeled yet.")
    stored = dict(_stored(session, project_id))
    if event_id not in stored and not _is_of(session, project_id, event_id):
        raise NoMomentError(f"The project has no label event #{event_id}; its last one is #{last}.")
    return Moment(event_id, stored.get(event_id) or get_event(session, event_id=event_id).created_at)


def class_names_at(session: Session, *, project_id: int, at: datetime | None) -> list[str]:
    """List the classes by index with the names they had by a time, those added later left out; None: as they are."""
    names = {entry.index: entry.name for entry in list_classes(session, project_id=project_id)}
    changes = list_class_changes(session, project_id=project_id) if at is not None else []
    later = [change for change in changes if at is not None and change.created_at > at]
    for change in reversed(later):
        if change.kind == "rename":
            names[change.class_index] = change.before
    first_use = {change.class_index: change for change in reversed(changes) if change.kind in _USES}
    new = {index for index, change in first_use.items() if change.kind == "add" and change in later}
    return [name for index, name in sorted(names.items()) if index not in new]


def _stored(session: Session, project_id: int) -> Iterator[tuple[int, datetime]]:
    """The events with the time of their storing, oldest first; without those whose import is not on record."""
    imports = pairs(session.execute(select(Import.key, Import.created_at).where(Import.project_id == project_id)))
    columns = (LabelEvent.id, LabelEvent.request_id, LabelEvent.created_at)
    for event_id, request_id, created_at in session.execute(
        select(*columns).where(LabelEvent.project_id == project_id).order_by(LabelEvent.id)
    ):
        kind, _, rest = request_id.partition(":")
        when = imports.get(rest.partition(":")[0]) if kind == IMPORTED else created_at
        if when is not None:
            yield event_id, when


def _is_of(session: Session, project_id: int, event_id: int) -> bool:
    of_project = (LabelEvent.project_id == project_id, LabelEvent.id == event_id)
    return session.scalar(select(LabelEvent.id).where(*of_project)) is not None


def _nothing_by(at: datetime, first: datetime | None) -> str:
    if first is None:
        return "Nothing was labeled yet."
    began = first.astimezone(at.tzinfo).isoformat(sep=" ", timespec="seconds")
    return f"Nothing was labeled by {at.isoformat(sep=' ', timespec='seconds')}; the first label is of {began}."
