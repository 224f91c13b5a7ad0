"""Rows as the journal's entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import select

from storage import journal
from storage.engine import Session
from storage.journal import Entry, sample_entries, values_of
from storage.models import Annotator, Class, ClassChange, Group, LabelEvent, Sample

_CHUNK = 1_000  # rows a statement
_SAMPLE_COLUMNS = [column.key for column in Sample.__table__.columns]


def is_journaled(session: Session) -> bool:
    """Whether the session's database has a journal; a database server keeps its own."""
    return session.get_bind().dialect.name == "sqlite"


def note_event(session: Session, event: LabelEvent) -> None:
    """Have a label event written to the journal after the commit."""
    journal.note(session.info, event_entry(session, event))


def note_events(session: Session, events: Sequence[LabelEvent]) -> None:
    """Have many label events written to the journal after the commit."""
    if not is_journaled(session):
        return
    for start in range(0, len(events), _CHUNK):
        chunk = events[start : start + _CHUNK]
        # Read at once and held, so that `get_one` finds them in the session.
        held = session.scalars(select(Sample).where(Sample.id.in_({event.sample_id for event in chunk}))).all()
        for event in chunk:
            note_event(session, event)
        del held


def note_samples(session: Session, *, after_id: int) -> None:
    """Have the samples that came after one written to the journal after the commit."""
    for entry in new_samples(session, after_id=after_id, without=frozenset()):
        journal.note(session.info, entry)


def new_samples(session: Session, *, after_id: int, without: frozenset[tuple[int, str]]) -> Iterator[Entry]:
    """Read the samples that came after one as entries, but for those of some projects and digests."""
    rows = session.execute(select(Sample.__table__).where(Sample.id > after_id).order_by(Sample.id))
    return sample_entries(_SAMPLE_COLUMNS, (row for row in rows if (row.project_id, row.sha256) not in without))


def event_entry(session: Session, event: LabelEvent) -> Entry:
    """Return all that a label event needs to come back into a database that has none of it."""
    entry: dict[str, Any] = {
        "event": values_of(event),
        "sample": values_of(session.get_one(Sample, event.sample_id)),
        "annotator": values_of(session.get_one(Annotator, event.annotator_id)),
    }
    if event.class_index is not None:
        entry["class"] = values_of(session.get_one(Class, (event.project_id, event.class_index)))
    if event.supersedes is not None:
        entry["before"] = {"request_id": session.get_one(LabelEvent, event.supersedes).request_id}
    return entry


def entries_of_classes(session: Session) -> Iterator[Entry]:
    """Read the classes as they came, each under its first name, and what was done to them since, in its order."""
    changes = list(session.scalars(select(ClassChange).order_by(ClassChange.id)))
    first = {change.id for change in _first_of_each(changes)}
    renames = [change for change in changes if change.kind == "rename"]
    names = {(change.project_id, change.class_index): change.before for change in _first_of_each(renames)}
    classes = {(row.project_id, row.index): values_of(row) for row in session.scalars(select(Class))}
    entries = {place: {"class": row | {"name": names.get(place, row["name"])}} for place, row in classes.items()}
    added = [change for change in changes if change.id in first and change.kind == "add"]
    later = {(change.project_id, change.class_index) for change in added}
    yield from (entry for place, entry in sorted(entries.items()) if place not in later)
    for change in changes:
        if change in added:
            yield entries[change.project_id, change.class_index]
        yield {"class_change": values_of(change)}


def _first_of_each(changes: Iterable[ClassChange]) -> Iterator[ClassChange]:
    """The first change of each class."""
    seen = set[tuple[int, int]]()
    for change in changes:
        place = (change.project_id, change.class_index)
        if place not in seen:
            seen.add(place)
            yield change


def entries_of_groups(session: Session) -> Iterator[Entry]:
    """Read the groups that somebody judged; their label events are lines of their own."""
    for group in session.scalars(select(Group).order_by(Group.id)):
        yield {"group": values_of(group), "annotator": values_of(session.get_one(Annotator, group.annotator_id))}
