"""What stands of a class once a change of it is taken back: what the latest change says that still stands.

Changes may be taken back in any order: of two renames the older one may go, and the newer one's name stays.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from storage.engine import Session
from storage.models import ClassChange

ABOUT_ALL = "order"  # the kind of change that all classes of a project share
_RETIRING = ("retire", "add", "merge", "split")


@dataclass(frozen=True)
class ClassChangeInfo:
    """What was done to a class."""

    id: int
    kind: str  # rename | merge | split | retire | add | describe | order | color | undo
    class_index: int
    into_index: int | None
    before: str
    after: str
    who: str
    undoes: int | None
    created_at: datetime


def is_of_undo(session: Session, change: ClassChange) -> bool:
    """Say whether a change is an undo, or the rename of one."""
    renames = renames_of_undos(_changes_of(session, change.project_id)) if change.kind == "rename" else ()
    return change.kind == "undo" or change.id in renames


def value_without(session: Session, change: ClassChange) -> str:
    """Return the name, description, color or order, as the changes hold it, that stands without a change."""
    changes = _changes_of(session, change.project_id)
    gone = _gone(changes) | {change.id}
    mine = [one for one in changes if one.kind == change.kind and _shares(one, change)]
    standing = [one for one in mine if one.id not in gone]
    return standing[-1].after if standing else mine[0].before


def is_retired_without(session: Session, change: ClassChange, index: int) -> bool:
    """Say whether a class is retired once a change is taken back that retired it or put it in use."""
    changes = _changes_of(session, change.project_id)
    gone = _gone(changes) | {change.id} | _added_by(changes, {change.id})
    mine = [one for one in changes if one.class_index == index and _retires(one) is not None]
    standing = [one for one in mine if one.id not in gone]
    return bool(_retires(standing[-1])) if standing else bool(mine) and mine[0].kind == "add"


def renames_of_undos(changes: Sequence[ClassChange] | Sequence[ClassChangeInfo]) -> set[int]:
    """Return the renames with which a rename was taken back: they are part of that undo.

    An undo notes the name before and after it; those of earlier versions note none, and always have a rename.
    """
    found, by_id = set[int](), {one.id: one for one in changes}
    for undo in (one for one in changes if one.undoes is not None):
        undone = by_id.get(undo.undoes or 0)
        if undone is not None and undone.kind == "rename" and (undo.before != undo.after or not undo.after):
            before = [one.id for one in changes if one.kind == "rename" and one.id < undo.id]
            found.add(max((one for one in before if by_id[one].class_index == undo.class_index), default=0))
    return found


def _changes_of(session: Session, project_id: int) -> Sequence[ClassChange]:
    of_project = select(ClassChange).where(ClassChange.project_id == project_id)
    return session.scalars(of_project.order_by(ClassChange.id)).all()


def _gone(changes: Sequence[ClassChange]) -> set[int]:
    """Those that do not stand: taken back, or part of an undo, or of a split that was taken back."""
    undone = {one.undoes for one in changes if one.undoes is not None}
    return undone | renames_of_undos(changes) | _added_by(changes, undone)


def _added_by(changes: Sequence[ClassChange], splits: Collection[int]) -> set[int]:
    """The changes with which splits added their classes: they stand right before them."""
    found = set[int]()
    for split in (one for one in changes if one.kind == "split" and one.id in splits):
        for index in json.loads(split.before)["added"]:
            adds = [one.id for one in changes if (one.kind, one.class_index) == ("add", index) and one.id < split.id]
            found.update(adds[-1:])
    return found


def _shares(one: ClassChange, other: ClassChange) -> bool:
    return other.kind == ABOUT_ALL or one.class_index == other.class_index


def _retires(change: ClassChange) -> bool | None:
    """Whether a class is retired after a change of it; None where the change says nothing of that."""
    if change.kind == "split":
        return True if json.loads(change.before)["retired"] else None
    return change.kind != "add" if change.kind in _RETIRING else None
