"""Bringing a damaged database back: the newest sound backup, and the label events since then from the journal."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import URL, select

from storage import journal
from storage.backup import check_file, check_integrity, list_backups
from storage.current import fold_decision
from storage.engine import Session
from storage.errors import DatabaseError, RestoreError
from storage.filesystem import make_durable
from storage.models import Class, LabelEvent, Sample
from storage.opening import open_database
from storage.plain import pairs
from storage.projects import get_or_create_annotator, list_classes

SIDE_FILES = ("-wal", "-shm", "-journal")  # SQLite's; those of the damaged file would be applied to the restored one


@dataclass(frozen=True)
class Restored:
    """What a restored database was put together from."""

    backup: Path
    from_journal: int  # label events the backup did not have
    damaged_lines: int  # of the journal; what they held is lost unless the backup has it
    set_aside: Path | None  # the damaged database, or None where there was none


def restore(path: Path, *, backups: Path) -> Restored:
    """Put a database together from the newest sound backup and the journal beside it, and set the damaged one aside.

    Nobody may have the database open. Everything is made and checked under another name first.

    Raises:
        RestoreError: When there is no sound backup, or what was put together is not sound. Nothing is changed then.
    """
    content = journal.read(path.with_name(journal.NAME))
    made = path.with_name(f".{path.name}.restored")
    try:
        backup = _newest_sound(backups)
        shutil.copyfile(backup, made)
        count = _complete(made, content.entries)
        set_aside = _replace(path, made)
    finally:
        _remove(made)
    return Restored(backup, count, content.damaged, set_aside)


def replay(session: Session, entries: Iterable[Mapping[str, Mapping[str, Any]]]) -> int:
    """Add the label events a database does not have yet, with their samples, annotators and classes; count them.

    An id that another event has by now (somebody went on with an older backup meanwhile) becomes a new one.
    """
    project = _Replay(session, pairs(session.execute(select(LabelEvent.request_id, LabelEvent.id))))
    count = sum(project.add(entry) for entry in entries)
    for sample_id in sorted(project.touched):
        fold_decision(session, sample_id=sample_id)
    return count


@dataclass
class _Replay:
    """Where the journal's rows are in the database."""

    session: Session
    known: dict[str, int]  # event id by request id
    event_ids: dict[int, int] = field(default_factory=dict)  # in the database, by id in the journal
    touched: set[int] = field(default_factory=set)  # samples

    def add(self, entry: Mapping[str, Mapping[str, Any]]) -> bool:
        """Add an entry's event, unless it is there."""
        given = _values(LabelEvent, entry["event"])
        number, request_id = given["id"], given["request_id"]
        if request_id in self.known:
            self.event_ids[number] = self.known[request_id]
            return False
        taken = self.session.get(LabelEvent, number) is not None
        event = LabelEvent(**given | {"id": None if taken else number} | self._references(entry, given))
        self.session.add(event)
        self.session.flush()
        self.event_ids[number] = self.known[request_id] = event.id
        self.touched.add(event.sample_id)
        return True

    def _references(self, entry: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, int | None]:
        project_id = given["project_id"]
        return {
            "sample_id": self._sample(entry["sample"]),
            "annotator_id": get_or_create_annotator(
                self.session, project_id=project_id, name=entry["annotator"]["name"]
            ),
            "class_index": self._class(project_id, entry["class"]["name"]) if "class" in entry else None,
            "supersedes": self.event_ids.get(given["supersedes"], given["supersedes"]),
        }

    def _sample(self, row: Mapping[str, Any]) -> int:
        same = select(Sample.id).where(Sample.project_id == row["project_id"], Sample.sha256 == row["sha256"])
        found = self.session.scalar(same)
        if found is not None:
            return found
        taken = self.session.get(Sample, row["id"]) is not None
        sample = Sample(**_values(Sample, row) | {"id": None if taken else row["id"]})
        self.session.add(sample)
        self.session.flush()
        return sample.id

    def _class(self, project_id: int, name: str) -> int:
        names = [entry.name for entry in list_classes(self.session, project_id=project_id)]
        if name not in names:
            self.session.add(Class(project_id=project_id, index=len(names), name=name))
            self.session.flush()
            return len(names)
        return names.index(name)


def _values(kind: type[LabelEvent | Sample], row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns this version knows, with times as times."""
    known = {column.key for column in kind.__table__.columns}
    values = {name: value for name, value in row.items() if name in known}
    return {**values, "created_at": datetime.fromisoformat(values["created_at"])}


def _newest_sound(folder: Path) -> Path:
    for backup in list_backups(folder):
        if not check_file(backup):
            return backup
    raise RestoreError(f"there is no sound backup in {folder}")


def _complete(made: Path, entries: Iterable[Mapping[str, Mapping[str, Any]]]) -> int:
    try:
        database = open_database(_url(made))
        try:
            with database.write() as session:
                count = replay(session, entries)
            problems = check_integrity(database)
        finally:
            database.close()
    except DatabaseError as error:
        raise RestoreError(f"the backup could not be completed from the journal ({error})") from error
    if problems:
        raise RestoreError(f"what was put together is not sound ({problems[0]})")
    make_durable(made)
    return count


def _replace(path: Path, made: Path) -> Path | None:
    """Set the damaged database aside, with SQLite's files beside it, and put the restored one in its place."""
    set_aside = path.with_name(f"{path.stem}-damaged-{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}{path.suffix}")
    there = path.exists()
    for suffix in (*SIDE_FILES, ""):
        file = path.with_name(path.name + suffix)
        if file.exists():
            file.rename(set_aside.with_name(set_aside.name + suffix))
    made.rename(path)
    make_durable(path.parent)
    return set_aside if there else None


def _remove(made: Path) -> None:
    for suffix in ("", *SIDE_FILES):
        made.with_name(made.name + suffix).unlink(missing_ok=True)


def _url(path: Path) -> str:
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)
