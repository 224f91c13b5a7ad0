"""Changes of classes in words: what one would do, what it did, and which of them can be taken back.

The command `labelloop classes` and the Setup page both do them here, with the same sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.errors import UsageError
from app.project.project import check_name
from storage.classes import (
    ClassChangeInfo,
    ClassCount,
    add_class,
    count_per_class,
    describe_class,
    list_class_changes,
    merge_class,
    rename_class,
    retire_class,
    undo_class_change,
)
from storage.engine import Session
from storage.names import one_name
from storage.projects import ClassInfo, list_classes

Kind = Literal["rename", "merge", "retire", "add", "describe"]


def change_class(session: Session, *, project_id: int, kind: Kind, name: str, value: str = "", who: str) -> str:
    """Do one thing to one class.

    Args:
        session: a writing session.
        project_id: of the project.
        kind: what is done.
        name: of the class.
        value: the new name, the class that takes the labels, or the description.
        who: who does it, for the history.

    Returns:
        What was done, as a sentence with the number of the change.

    Raises:
        InvalidClassError: When it cannot be done.
        ProjectError: When a new name cannot be one.
    """
    if kind == "rename":
        done = rename_class(session, project_id=project_id, name=name, new_name=check_name(value), who=who)
        return f"Change {done.id}: {done.before} is called {done.after} from now on."
    if kind == "merge":
        done, moved = merge_class(session, project_id=project_id, name=name, into=value, who=who)
        return f"Change {done.id}: {labels(moved)} of {name} are labels of {done.after} now; it is retired."
    if kind == "retire":
        done = retire_class(session, project_id=project_id, name=name, who=who)
        return f"Change {done.id}: nobody is asked for {done.before} any more; its labels stay (merge moves them)."
    if kind == "add":
        done = add_class(session, project_id=project_id, name=check_name(name), who=who)
        return f"Change {done.id}: {done.after} is a class now."
    done = describe_class(session, project_id=project_id, name=name, text=value, who=who)
    return f"Change {done.id}: {name} is described."


def take_back(session: Session, *, project_id: int, number: str, who: str) -> str:
    """Take a change back; return that as a sentence.

    Raises:
        UsageError: When the change is not given by its number.
        InvalidClassError: When it cannot be taken back.
    """
    if not number.isdecimal():
        raise UsageError(f"A change has a number, found {number!r}; 'labelloop classes PROJECT history' lists them.")
    undo_class_change(session, project_id=project_id, change_id=int(number), who=who)
    return f"Change {number} was taken back."


def what_will_happen(session: Session, *, project_id: int, kind: Kind, name: str, value: str = "") -> str:
    """Say what a change would do, in the numbers of now; empty while it is not yet said what is wanted.

    What cannot be done is refused when it is tried.
    """
    classes = list_classes(session, project_id=project_id)
    found = next((one for one in classes if one_name(one.name) == one_name(name.strip())), None)
    count = count_per_class(session, project_id=project_id).get(found.index if found else -1, ClassCount())
    if kind == "add":
        return _adding(found, count)
    if found is None or (kind in ("rename", "merge") and not value.strip()):
        return ""
    this, other, has = f'"{found.name}"', f'"{value.strip()}"', _of_both(count)
    return {
        "rename": f"{has} of {this} stay, under the name {other}. Nothing is trained anew; what was exported or said "
        "before keeps the old name.",
        "merge": f"{has} of {this} become {other}, and {this} is retired. The model follows at the next round, "
        "and undo brings all of it back.",
        "retire": f"Nobody is asked for {this} any more. Its {labels(count.labels)} stay, and the model goes on to "
        "learn from them; to move them, merge it into another class.",
        "describe": f"It is kept with {this}, for those who label. No label changes.",
    }[kind]


def _adding(found: ClassInfo | None, count: ClassCount) -> str:
    if found is not None and found.retired:
        return f'"{found.name}" is asked for again, with the {labels(count.labels)} that it still has.'
    return "It is asked for at once. The model knows it once it has labels, from the next round on."


def labels(count: int) -> str:
    """So many labels, as words."""
    return "1 label" if count == 1 else f"{count:,} labels"


def _of_both(count: ClassCount) -> str:
    tests = f" and {count.tests:,} of the test set" if count.tests else ""
    return f"{labels(count.labels)}{tests}"


@dataclass(frozen=True)
class PastChange:
    """A change as a person reads it."""

    info: ClassChangeInfo
    said: str
    taken_back: bool


def past_changes(session: Session, *, project_id: int) -> list[PastChange]:
    """List what was done to the classes, newest first, each with whether it was taken back.

    An undo is no line of its own, and neither is the rename with which a rename was taken back.
    """
    names = [entry.name for entry in list_classes(session, project_id=project_id)]
    changes = list_class_changes(session, project_id=project_id)
    undone = {change.undoes for change in changes if change.undoes is not None}
    own = _renames_of_undos(changes)
    return [
        PastChange(change, change_said(change, names), change.id in undone)
        for change in reversed(changes)
        if change.kind != "undo" and change.id not in own
    ]


def change_said(change: ClassChangeInfo, names: Sequence[str]) -> str:
    """Say what a change did, with the names of its time where it holds them."""
    name = names[change.class_index]
    return {
        "rename": f"{change.before} renamed to {change.after}",
        "merge": f"{name} merged into {change.after}",
        "retire": f"{change.before} retired",
        "add": f"{change.after} added",
        "describe": f"{name} described: {change.after}" if change.after else f"{name}: description taken away",
        "undo": f"change {change.undoes} taken back",
    }[change.kind]


def _renames_of_undos(changes: Sequence[ClassChangeInfo]) -> set[int]:
    found = set[int]()
    by_id = {change.id: change for change in changes}
    for undo in (change for change in changes if change.undoes is not None):
        if by_id[undo.undoes or 0].kind == "rename":
            before = [one.id for one in changes if one.kind == "rename" and one.id < undo.id]
            found.add(max(one for one in before if by_id[one].class_index == undo.class_index))
    return found
