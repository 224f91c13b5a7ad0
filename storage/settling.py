"""Database and label journal compared, and each given what only the other has.

How far the two are known to agree stands in the database (`JournalMark`), so it goes back together with what was lost:
a -wal file that is gone or cut, an older copy put in its place. Only what follows the mark is looked at. All lines
before a mark are in the database: a line is written after its commit, and the mark is set under the one writer's lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from storage import journal
from storage.engine import Database, Session
from storage.entries import entries_of_classes, entries_of_groups, event_entry, new_samples
from storage.errors import ForeignJournalError
from storage.journal import Entry, JournalContent, values_of
from storage.models import Class, ClassChange, JournalMark, LabelEvent, Project, Sample
from storage.replay import Replayed, counted, replay
from storage.samples import chunks

MARK_AFTER = 262_144  # bytes of journal that every opening may read anew before the mark is moved


@dataclass(frozen=True)
class Difference:
    """What only one of the two holds, as far as it was not known before."""

    only_journal: int = 0  # label events
    only_journal_samples: int = 0
    only_journal_changes: int = 0  # classes, and what was done to them
    only_database: int = 0  # label events
    damaged: int = 0  # lines of the journal

    @property
    def lacks(self) -> bool:
        """Whether the database lacks anything."""
        return bool(self.sentence)

    @property
    def sentence(self) -> str:
        """What the database lacks, in words; empty where it lacks nothing."""
        return counted(self.only_journal, self.only_journal_samples, self.only_journal_changes)


def journal_path(database: Database) -> Path | None:
    """Return where a database's journal lies; a database server has its own log."""
    return None if database.path is None else database.path.with_name(journal.NAME)


def settle(database: Database) -> Replayed:
    """Put into the database what only the journal has, and write into the journal what only the database has.

    Returns:
        What the database got.

    Raises:
        ForeignJournalError: When the journal is another project's.
        JournalError: When it cannot be written.
    """
    path = journal_path(database)
    if path is None:
        return Replayed()
    with database.read() as session:
        content, mark = _news(path, _read_mark(session))
        _refuse_foreign(session, content.entries)
        found = _difference(session, content, mark)
        lines = list(_unwritten(session, content.entries, mark))
        last = _last(session)
    if lines:
        journal.append(path, lines)
    if not found.sentence and not lines and content.size - mark.offset < MARK_AFTER:
        return Replayed()
    with database.write() as session:
        is_as_seen = _last(session) == last
        replayed = replay(session, content.entries) if found.lacks else Replayed()
        # What came since the look above was written by processes that had committed it.
        offset = path.stat().st_size if path.exists() else 0
        known = _last(session) if is_as_seen else last
        session.merge(JournalMark(id=1, offset=offset, tail=journal.tail_of(path, offset), **known))
    return replayed


def compare(database: Database) -> Difference:
    """Say what only one of the two holds; nothing is written."""
    path = journal_path(database)
    if path is None:
        return Difference()
    with database.read() as session:
        return _difference(session, *_news(path, _read_mark(session)))


@dataclass(frozen=True)
class _Mark:
    """How far database and journal are known to agree."""

    offset: int = 0
    tail: str = ""
    event_id: int = 0
    sample_id: int = 0
    classes: int = 0


def _read_mark(session: Session) -> _Mark:
    row = session.get(JournalMark, 1)
    return _Mark(row.offset, row.tail, row.event_id, row.sample_id, row.classes) if row else _Mark()


def _news(path: Path, mark: _Mark) -> tuple[JournalContent, _Mark]:
    """What follows the mark; all of it where the journal is another file than the one that was marked."""
    if journal.tail_of(path, mark.offset) != mark.tail:
        mark = _Mark()
    return journal.read(path, offset=mark.offset), mark


def _refuse_foreign(session: Session, entries: Iterable[Entry]) -> None:
    own = set(session.scalars(select(Project.created_at)))
    for entry in entries:
        if own and journal.project_of(entry) not in {*own, None}:
            raise ForeignJournalError(str(entry["project"].get("name")))


def _difference(session: Session, content: JournalContent, mark: _Mark) -> Difference:
    told = {request for entry in content.entries if (request := _text(entry, "event", "request_id")) is not None}
    stored = _among(session, LabelEvent.request_id, sorted(told))
    samples = {sample for entry in content.entries for sample in _samples(entry)}
    news = select(LabelEvent.request_id).where(LabelEvent.id > mark.event_id)
    return Difference(
        only_journal=len(told - stored),
        only_journal_samples=len(samples - _stored_samples(session, samples)),
        only_journal_changes=_count_changes(session, content.entries),
        only_database=len(set(session.scalars(news)) - told),
        damaged=content.damaged,
    )


def _count_changes(session: Session, entries: Iterable[Entry]) -> int:
    """How many classes, and changes of classes, the database lacks."""
    told = {key for entry in entries if (key := _text(entry, "class_change", "key")) is not None}
    classes = {one for entry in entries if "event" not in entry and (one := _class(entry)) is not None}
    stored = {(project_id, index) for project_id, index in session.execute(select(Class.project_id, Class.index))}
    return len(told - _among(session, ClassChange.key, sorted(told))) + len(classes - stored)


def _unwritten(session: Session, entries: Sequence[Entry], mark: _Mark) -> Iterator[bytes]:
    """The lines of what only the database has: of all of it where the journal is gone, or was never there."""
    written = {_text(entry, "event", "request_id") for entry in entries}
    if mark.offset == 0 and not any("project" in entry for entry in entries):
        yield from (journal.line_of({"project": values_of(row)}) for row in session.scalars(select(Project)))
        yield from map(journal.line_of, entries_of_classes(session))
        yield from map(journal.line_of, entries_of_groups(session))
    else:
        yield from _unwritten_classes(session, entries, mark)
    yield from _unwritten_samples(session, entries, mark)
    events = select(LabelEvent).where(LabelEvent.id > mark.event_id).order_by(LabelEvent.id)
    for event in session.scalars(events):
        if event.request_id not in written:
            yield journal.line_of(event_entry(session, event))


def _unwritten_classes(session: Session, entries: Sequence[Entry], mark: _Mark) -> Iterator[bytes]:
    rows = list(session.scalars(select(Class).order_by(Class.project_id, Class.index)))
    written = {_class(entry) for entry in entries if "event" not in entry}
    news = (row for row in rows[mark.classes :] if (row.project_id, row.index) not in written)
    yield from (journal.line_of({"class": values_of(row)}) for row in news)


def _unwritten_samples(session: Session, entries: Sequence[Entry], mark: _Mark) -> Iterator[bytes]:
    written = {sample for entry in entries if "samples" in entry for sample in _samples(entry)}
    news = new_samples(session, after_id=mark.sample_id, without=frozenset(written))
    yield from map(journal.line_of, news)


def _last(session: Session) -> dict[str, int]:
    return {
        "event_id": session.scalar(select(func.max(LabelEvent.id))) or 0,
        "sample_id": session.scalar(select(func.max(Sample.id))) or 0,
        "classes": session.scalar(select(func.count()).select_from(Class)) or 0,
    }


def _text(entry: Entry, table: str, column: str) -> str | None:
    """What an entry says of a column, as far as it is text: a line may hold anything."""
    told = entry.get(table)
    value = told.get(column) if isinstance(told, dict) else None
    return value if isinstance(value, str) else None


def _class(entry: Entry) -> tuple[int, int] | None:
    """Project and index of an entry's class, as far as they are numbers."""
    told = entry.get("class")
    project_id, index = (told.get("project_id"), told.get("index")) if isinstance(told, dict) else (None, None)
    return (project_id, index) if isinstance(project_id, int) and isinstance(index, int) else None


def _samples(entry: Entry) -> Iterator[tuple[int, str]]:
    """Project and digest of each sample of an entry: two projects of one database may have the same files."""
    told = entry.get("samples")
    rows, columns = (told.get("rows"), told.get("columns")) if isinstance(told, dict) else (None, None)
    if not isinstance(rows, list) or not isinstance(columns, list) or not {"project_id", "sha256"} <= _texts(columns):
        return
    project, digest = columns.index("project_id"), columns.index("sha256")
    for row in rows:
        told = row[project : project + 1] + row[digest : digest + 1] if isinstance(row, list) else []
        if [type(value) for value in told] == [int, str]:
            yield told[0], told[1]


def _texts(values: Iterable[object]) -> set[str]:
    return {value for value in values if isinstance(value, str)}


def _stored_samples(session: Session, told: Iterable[tuple[int, str]]) -> set[tuple[int, str]]:
    found = set[tuple[int, str]]()
    for piece in chunks(sorted({digest for _, digest in told})):
        rows = session.execute(select(Sample.project_id, Sample.sha256).where(Sample.sha256.in_(piece)))
        found |= {(project_id, digest) for project_id, digest in rows}
    return found


def _among(session: Session, column: Any, values: Sequence[str]) -> set[str]:  # noqa: ANN401
    found = set[str]()
    for piece in chunks(values):
        found |= set(session.scalars(select(column).where(column.in_(piece))))
    return found
