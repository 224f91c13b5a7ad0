"""Changes of classes in words: what one would do, what it did, and which of them can be taken back.

The command `labelloop classes` and the Setup page both do them here, with the same sentences.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.errors import ProjectError, UsageError
from app.project.class_names import check_name
from storage.class_labels import ClassCount, count_per_class
from storage.classes import (
    add_class,
    color_class,
    describe_class,
    list_class_changes,
    merge_class,
    order_classes,
    rename_class,
    retire_class,
    split_class,
    undo_class_change,
)
from storage.engine import Session
from storage.names import one_name
from storage.projects import ClassInfo, list_classes
from storage.standing_changes import ClassChangeInfo, renames_of_undos

Kind = Literal["rename", "merge", "split", "retire", "add", "describe", "order", "color"]


def change_class(session: Session, *, project_id: int, kind: Kind, name: str, value: str = "", who: str) -> str:
    """Do one thing to one class.

    Args:
        session: a writing session.
        project_id: of the project.
        kind: what is done.
        name: of the class; of an order, several as `names_in` reads them.
        value: the new name, the class that takes the labels, those that a class is split into, as `names_in` reads
            them, the description, or the color.
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
    if kind == "split":
        parts = [check_name(part) for part in names_in(value)]
        done, asked = split_class(session, project_id=project_id, name=name, into=parts, who=who)
        return f"Change {done.id}: {name} is {done.after} from now on; {_asked_again(asked)}"
    if kind == "order":
        done = order_classes(session, project_id=project_id, names=names_in(name), who=who)
        return f"Change {done.id}: the classes have another order, and their keys go by it."
    if kind == "color":
        done = color_class(session, project_id=project_id, name=name, color=value, who=who)
        return f"Change {done.id}: {name} has {f'the color {done.after}' if done.after else 'no color of its own'}."
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
    if kind == "order":
        return "Buttons and keys follow this order; a key that somebody chose for themselves stays."
    if found is None or (kind in ("rename", "merge", "split") and not value.strip()):
        return ""
    this, other, has = f'"{found.name}"', f'"{value.strip()}"', _of_both(count)
    return {
        "rename": f"{has} of {this} stay, under the name {other}. Nothing is trained anew; what was exported or said "
        "before keeps the old name.",
        "merge": f"{has} of {this} become {other}, and {this} is retired. The model follows at the next round, "
        "and undo brings all of it back.",
        "retire": f"Nobody is asked for {this} any more. Its {labels(count.labels)} stay, and the model goes on to "
        "learn from them; to move them, merge it into another class.",
        "split": f"The {labels(count.labels)} of {this} are taken back, and those samples are asked about first. "
        f"{_of_tests(count)}Undo brings back what nobody has labeled anew by then.",
        "describe": f"It is kept with {this}, for those who label. No label changes.",
        "color": f"{this} has it on buttons and charts. No label changes.",
    }[kind]


def _adding(found: ClassInfo | None, count: ClassCount) -> str:
    if found is not None and found.retired:
        return f'"{found.name}" is asked for again, with the {labels(count.labels)} that it still has.'
    return "It is asked for at once. The model knows it once it has labels, from the next round on."


def labels(count: int) -> str:
    """A number of labels in words, such as "1 label"."""
    return "1 label" if count == 1 else f"{count:,} labels"


def _asked_again(count: int) -> str:
    if not count:
        return "it had no label."
    return f"{'1 sample that was' if count == 1 else f'{count:,} samples that were'} labeled so will be asked first."


def _of_tests(count: ClassCount) -> str:
    """A test set is given by a file, and nobody is asked about it."""
    if not count.tests:
        return ""
    has = "1 sample of the test set keeps" if count.tests == 1 else f"{count.tests:,} samples of the test set keep"
    return f"{has} its label: import the test set with the new classes. "


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
    own = renames_of_undos(changes)
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
        "split": f"{name} split into {change.after}",
        "retire": f"{change.before} retired",
        "add": f"{change.after} added",
        "describe": f"{name} described: {change.after}" if change.after else f"{name}: description taken away",
        "order": f"order of the classes: {', '.join(names[index] for index in _indices(change))}",
        "color": f"{name} colored {change.after}" if change.after else f"{name}: color taken away",
        "undo": f"change {change.undoes} taken back",
    }[change.kind]


def _indices(change: ClassChangeInfo) -> list[int]:
    return list(json.loads(change.after)) if change.kind == "order" else []


def names_in(text: str) -> list[str]:
    """Class names in a text: one per line, or with commas between; a name with a comma stands in quotes.

    Raises:
        ProjectError: a quote is not closed.
    """
    try:
        lines = list(csv.reader(text.splitlines(), skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise ProjectError(f"The classes cannot be read, {error}: is a quote missing?") from error
    return [name.strip() for line in lines for name in line if name.strip()]
