"""Putting entries of a journal into a database: each one that it lacks, each in its own savepoint.

Nothing of what a line says is believed: one that cannot be stored is counted and costs no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import SQLAlchemyError

from storage.current import fold_decision
from storage.engine import Session
from storage.journal import Entry
from storage.merged_tests import move_tests, take_tests_back
from storage.models import Annotator, Base, Class, ClassChange, Group, LabelEvent, Project, Sample
from storage.plain import pairs
from storage.standing_changes import is_retired_without, value_without

GREATEST_ID = 2**53  # SQLite gives no id after its greatest number
# What a line can do that holds anything at all: a field too few, of another type, too large, or against the schema.
_UNUSABLE = (LookupError, TypeError, ValueError, AttributeError, OverflowError, SQLAlchemyError)


@dataclass(frozen=True)
class Replayed:
    """What a database got from a journal."""

    events: int = 0
    samples: int = 0
    changes: int = 0  # classes, and what was done to them
    unusable: int = 0  # lines whose checksum is right, but which hold nothing that could be stored

    @property
    def sentence(self) -> str:
        """What it got, in words; empty where that is nothing."""
        return counted(self.events, self.samples, self.changes)


def counted(events: int, samples: int, changes: int) -> str:
    """Name what there is any of; empty where there is nothing."""
    several = ((events, "label events"), (samples, "samples"), (changes, "changes of classes"))
    said = [f"{count:,} {what}" for count, what in several if count]
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)


def replay(session: Session, entries: Iterable[Entry]) -> Replayed:
    """Add what a database does not have yet: project, classes, samples and label events with all they refer to.

    An id that another event has by now (somebody went on with an older backup meanwhile) becomes a new one.
    """
    database = _Replay(session, pairs(session.execute(select(LabelEvent.request_id, LabelEvent.id))))
    for entry in entries:
        database.add(entry)
    for entry in database.postponed:  # what they supersede was written after them, or is lost
        database.add(entry, at_last=True)
    for sample_id in sorted(database.touched):
        fold_decision(session, sample_id=sample_id)
    return Replayed(database.events, database.samples, database.changes, database.unusable)


@dataclass
class _Replay:
    """Where the journal's rows are in the database."""

    session: Session
    known: dict[str, int]  # event id by request id
    event_ids: dict[int, int] = field(default_factory=dict)  # in the database, by id in the journal
    touched: set[int] = field(default_factory=set)  # samples
    postponed: list[Entry] = field(default_factory=list)
    events: int = 0
    samples: int = 0
    changes: int = 0
    unusable: int = 0

    def add(self, entry: Entry, *, at_last: bool = False) -> None:
        """Add an entry, or count it as one that cannot be used."""
        try:
            with self.session.begin_nested():
                self._store(entry, at_last)
        except _UNUSABLE:
            self.unusable += 1

    def _store(self, entry: Entry, at_last: bool) -> None:
        if "event" in entry:
            self._add_event(entry, at_last)
        elif "samples" in entry:
            self._add_samples(entry["samples"])
        elif "project" in entry:
            self._add_project(entry["project"])
        elif "group" in entry:
            self._add_group(entry["group"], entry["annotator"])
        elif "class_change" in entry:
            self._change_class(entry["class_change"])
        else:
            self._class(entry["class"])

    def _add_event(self, entry: Entry, at_last: bool) -> None:
        given = _values(LabelEvent, entry["event"])
        number, request_id = _id(given["id"]), given["request_id"]
        if request_id in self.known:
            self.event_ids[number] = self.known[request_id]
            return
        before = self._superseded(entry, given["supersedes"])
        if given["supersedes"] is not None and before is None and not at_last:
            self.postponed.append(entry)
            return
        taken = self.session.get(LabelEvent, number) is not None
        references = self._references(entry, given) | {"id": None if taken else number, "supersedes": before}
        event = LabelEvent(**given | references)
        self._flush(event)
        self.event_ids[number] = self.known[request_id] = event.id
        self.touched.add(event.sample_id)
        self.events += 1

    def _superseded(self, entry: Entry, number: int | None) -> int | None:
        """Where the event lies that this one supersedes; lines of earlier versions name it by its number alone."""
        if "before" in entry:
            return self.known.get(entry["before"]["request_id"])
        if number is None or number in self.event_ids:
            return number and self.event_ids[number]
        return number if self.session.get(LabelEvent, number) is not None else None

    def _references(self, entry: Entry, given: Mapping[str, Any]) -> dict[str, int | None]:
        if self.session.get(Project, given["project_id"]) is None:
            raise ValueError("a label event of no project")
        return {
            "sample_id": self._sample(entry["sample"]),
            "annotator_id": self._annotator(entry["annotator"], given["project_id"]),
            "class_index": self._class(entry["class"]) if given["class_index"] is not None else None,
        }

    def _sample(self, row: Mapping[str, Any]) -> int:
        same = select(Sample.id).where(Sample.project_id == row["project_id"], Sample.sha256 == row["sha256"])
        found = self.session.scalar(same)
        if found is not None:
            return found
        taken = self.session.get(Sample, _id(row["id"])) is not None
        sample = Sample(**_values(Sample, row) | {"id": None if taken else row["id"]})
        self._flush(sample)
        self.samples += 1
        return sample.id

    def _add_samples(self, told: Mapping[str, Any]) -> None:
        """Add a line of samples at once: a million of them one by one would take minutes."""
        columns: Sequence[str] = told["columns"]
        rows = [_values(Sample, dict(zip(columns, row, strict=True))) for row in told["rows"]]
        if not rows:
            raise ValueError("a line of no samples")
        same = select(Sample.project_id, Sample.sha256).where(Sample.sha256.in_([row["sha256"] for row in rows]))
        known = {(project_id, digest) for project_id, digest in self.session.execute(same)}
        new = [row for row in rows if (row["project_id"], row["sha256"]) not in known]
        taken = set(self.session.scalars(select(Sample.id).where(Sample.id.in_([_id(row["id"]) for row in new]))))
        for row in (row for row in new if row["id"] in taken):
            self._sample(row)
        free = [row for row in new if row["id"] not in taken]
        if free:
            self.session.execute(insert(Sample), free)
        self.samples += len(free)

    def _add_project(self, row: Mapping[str, Any]) -> None:
        given = _values(Project, row)
        if self.session.get(Project, _id(given["id"])) is None:
            self._flush(Project(**given))

    def _add_group(self, row: Mapping[str, Any], annotator: Mapping[str, Any]) -> None:
        """Add a group, or a part of it; its label events are lines of their own."""
        same = (Group.key == _text(row["key"]), Group.part == row["part"])
        if self.session.scalar(select(Group.id).where(*same)) is None:
            taken = self.session.get(Group, _id(row["id"])) is not None
            person = self._annotator(annotator, row["project_id"])
            references = {"id": None if taken else row["id"], "annotator_id": person}
            self._flush(Group(**_values(Group, row) | references))

    def _annotator(self, row: Mapping[str, Any], project_id: int) -> int:
        of_project = select(Annotator.id).where(Annotator.project_id == project_id)
        if row.get("issuer") is not None:
            account = (Annotator.issuer == row["issuer"], Annotator.subject == row["subject"])
            found = self.session.scalar(of_project.where(*account))
        else:
            found = self.session.scalar(of_project.where(Annotator.name == row["name"]))
        if found is not None:
            return found
        taken = self.session.get(Annotator, _id(row["id"])) is not None
        annotator = Annotator(**_values(Annotator, row) | {"id": None if taken else row["id"]})
        self._flush(annotator)
        return annotator.id

    def _class(self, row: Mapping[str, Any]) -> int:
        """Return the index of a class, which keeps its own where it is new and that is free."""
        of_project = Class.project_id == row["project_id"]
        indices = pairs(self.session.execute(select(Class.name, Class.index).where(of_project)))
        if row["name"] in indices:
            return int(indices[row["name"]])
        is_free = row["index"] not in indices.values()
        renamed = None if is_free else self._renamed(row)
        if renamed is not None:
            return renamed
        index = row["index"] if is_free else max(indices.values()) + 1
        self._flush(Class(project_id=row["project_id"], index=_index(index), name=_text(row["name"])))
        self.changes += 1
        return int(index)

    def _renamed(self, row: Mapping[str, Any]) -> int | None:
        """The class that had this name, best the one of this index: a class that came later may have had it too."""
        earlier = select(ClassChange.class_index).where(
            ClassChange.project_id == row["project_id"], ClassChange.kind == "rename", ClassChange.before == row["name"]
        )
        is_own = ClassChange.class_index == row["index"]
        return self.session.scalar(earlier.order_by(is_own.desc(), ClassChange.id.desc()).limit(1))

    def _change_class(self, row: Mapping[str, Any]) -> None:
        """Do again what was done to a class; the label events of a merge are lines of their own."""
        if self.session.scalar(select(ClassChange.id).where(ClassChange.key == row["key"])) is not None:
            return
        given = _values(ClassChange, row)
        taken = self.session.get(ClassChange, _id(given["id"])) is not None
        changed = self.session.get_one(Class, (given["project_id"], _index(given["class_index"])))
        change = ClassChange(**given | {"id": None if taken else given["id"]})
        self._flush(change)
        if given["kind"] == "undo":
            self._undo_change(changed, _id(given["undoes"]))
        else:
            self._do_change(changed, given["kind"], given["before"], _text(given["after"]))
        if given["kind"] == "merge":
            move_tests(self.session, change)
        self.changes += 1

    def _do_change(self, changed: Class, kind: str, before: str, after: str) -> None:
        if kind == "rename":
            changed.name = after
        elif kind == "describe":
            changed.description = after
        elif kind == "color":
            changed.color = after
        elif kind == "order":
            self._order(changed, after)
        else:
            changed.retired = kind in ("retire", "merge") or (kind == "split" and bool(json.loads(before)["retired"]))

    def _undo_change(self, changed: Class, undone_id: int) -> None:
        """A rename is taken back by a rename, which has a line of its own."""
        undone = self.session.get_one(ClassChange, undone_id)
        if undone.kind == "describe":
            changed.description = value_without(self.session, undone)
        elif undone.kind == "color":
            changed.color = value_without(self.session, undone)
        elif undone.kind == "order":
            self._order(changed, value_without(self.session, undone))
        elif undone.kind != "rename":
            changed.retired = is_retired_without(self.session, undone, changed.index)
        if undone.kind == "merge":
            take_tests_back(self.session, undone)
        for index in json.loads(undone.before)["added"] if undone.kind == "split" else ():
            added = self.session.get_one(Class, (changed.project_id, _index(index)))
            added.retired = is_retired_without(self.session, undone, added.index)

    def _order(self, changed: Class, indices: str) -> None:
        for position, index in enumerate(json.loads(indices)):
            self.session.get_one(Class, (changed.project_id, _index(index))).position = position

    def _flush(self, row: Base) -> None:
        self.session.add(row)
        self.session.flush()


def _id(value: object) -> int:
    if not isinstance(value, int) or not 0 < value < GREATEST_ID:
        raise ValueError(f"{value!r} is no row's number")
    return value


def _index(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < GREATEST_ID:
        raise ValueError(f"{value!r} is no class")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no name")
    return value


def _values(kind: type[Base], row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns this version knows, with times as times."""
    known = {column.key for column in kind.__table__.columns}
    values = {name: value for name, value in row.items() if name in known}
    return {**values, "created_at": datetime.fromisoformat(values["created_at"])}
