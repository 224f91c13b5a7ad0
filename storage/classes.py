"""Classes that change: renamed, merged, split, retired, added, described, ordered, colored; each can be taken back.

An index never changes its class, so events of any age stay readable.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import select

from storage.class_labels import give_labels_back, move_labels, split_since, take_moves_back, withdraw_labels
from storage.engine import Session
from storage.entries import is_journaled
from storage.errors import InvalidClassError
from storage.journal import note, values_of
from storage.merged_tests import move_tests, take_tests_back, tests_of_class
from storage.models import Class, ClassChange
from storage.names import one_name
from storage.plain import LARGEST_ID, to_info, utc_now
from storage.projects import ClassInfo, add_classes, list_classes
from storage.standing_changes import ClassChangeInfo, is_of_undo, is_retired_without, value_without

_COLOR = re.compile("#[0-9a-f]{6}")


def rename_class(session: Session, *, project_id: int, name: str, new_name: str, who: str) -> ClassChangeInfo:
    """Give a class another name; its labels are those of the new name from now on.

    Raises:
        InvalidClassError: When there is no such class, or the new name is blank or another class's.
    """
    found, new_name = _find(session, project_id, name), new_name.strip()
    if not new_name:
        raise InvalidClassError("A class name is blank; every class needs a name.")
    others = [entry for entry in list_classes(session, project_id=project_id) if entry.index != found.index]
    if any(one_name(entry.name) == one_name(new_name) for entry in others):
        raise InvalidClassError(f"The class {new_name!r} is already there; to make one of two classes, merge them.")
    before, found.name = found.name, new_name
    return _note(session, _change(project_id, "rename", found.index, who, before=before, after=new_name))


def merge_class(session: Session, *, project_id: int, name: str, into: str, who: str) -> tuple[ClassChangeInfo, int]:
    """Make all labels of a class those of another one, and retire it.

    Returns:
        The change, and how many samples have another label now.

    Raises:
        InvalidClassError: When there is no such class, or both are one, or the other is retired, or too few are left.
    """
    gone, stays = _find(session, project_id, name), _find(session, project_id, into)
    if gone.index == stays.index or stays.retired:
        raise InvalidClassError(f"{name!r} cannot be merged into {into!r}: it needs another class that is in use.")
    if not gone.retired:
        _refuse_too_few(session, gone)
    tests = json.dumps(tests_of_class(session, project_id=project_id, class_index=gone.index))
    change = _change(project_id, "merge", gone.index, who, into=stays.index, before=tests, after=stays.name)
    move_tests(session, change)
    gone.retired = True
    moved = move_labels(session, project_id=project_id, gone=gone.index, stays=stays.index, key=change.key)
    return _note(session, change), moved


def split_class(
    session: Session, *, project_id: int, name: str, into: Sequence[str], who: str
) -> tuple[ClassChangeInfo, int]:
    """Take the labels of a class back, to be given anew as one of several, and ask for those samples first.

    Classes of these names that are not there are added. The class itself is retired, unless it is one of them.

    Returns:
        The change, and how many samples are asked about again.

    Raises:
        InvalidClassError: When there is no such class, or it is retired, or fewer than two different ones are named.
    """
    gone = _find(session, project_id, name)
    parts = list({one_name(part): part.strip() for part in into if part.strip()}.values())
    if gone.retired or len(parts) < 2:
        raise InvalidClassError(f"{gone.name!r} cannot be split: name a class in use, and two or more that follow it.")
    in_use = {one_name(one.name) for one in list_classes(session, project_id=project_id) if not one.retired}
    new = [part for part in parts if one_name(part) not in in_use]
    added = [add_class(session, project_id=project_id, name=part, who=who).class_index for part in new]
    gone.retired = one_name(gone.name) not in {one_name(part) for part in parts}
    before = json.dumps({"added": added, "retired": gone.retired})
    change = _change(project_id, "split", gone.index, who, before=before, after=", ".join(parts))
    asked = withdraw_labels(session, project_id=project_id, gone=gone.index, key=change.key)
    return _note(session, change), asked


def retire_class(session: Session, *, project_id: int, name: str, who: str) -> ClassChangeInfo:
    """Ask nobody for a class any more; its labels stay.

    Raises:
        InvalidClassError: When there is no such class, it is retired, or too few would be left.
    """
    found = _find(session, project_id, name)
    if found.retired:
        raise InvalidClassError(f"The class {found.name!r} is retired already.")
    _refuse_too_few(session, found)
    found.retired = True
    return _note(session, _change(project_id, "retire", found.index, who, before=found.name))


def add_class(session: Session, *, project_id: int, name: str, who: str) -> ClassChangeInfo:
    """Add a class; one that was retired is in use again.

    Raises:
        InvalidClassError: When the name is blank, or a class in use has it.
    """
    classes = list_classes(session, project_id=project_id)
    retired = next((one for one in classes if one.retired and one_name(one.name) == one_name(name.strip())), None)
    if retired is not None:
        _get(session, project_id, retired.index).retired = False
        return _note(session, _change(project_id, "add", retired.index, who, after=retired.name))
    add_classes(session, project_id=project_id, names=[name])
    return _note(session, _change(project_id, "add", len(classes), who, after=name.strip()))


def describe_class(session: Session, *, project_id: int, name: str, text: str, who: str) -> ClassChangeInfo:
    """Say what belongs to a class.

    Raises:
        InvalidClassError: When there is no such class.
    """
    found = _find(session, project_id, name)
    before, found.description = found.description, text.strip()
    return _note(session, _change(project_id, "describe", found.index, who, before=before, after=found.description))


def order_classes(session: Session, *, project_id: int, names: Sequence[str], who: str) -> ClassChangeInfo:
    """Put classes first on the screens, in this order; the others follow as they stood. Keys go by that order.

    Raises:
        InvalidClassError: When there is no class of a name, or one is given twice, or none is given.
    """
    first = [_find(session, project_id, name) for name in names]
    if not first or len({one.index for one in first}) < len(first):
        raise InvalidClassError("Give the classes in the order that you want, each of them once.")
    before = [one.index for one in by_place(list_classes(session, project_id=project_id))]
    named = [one.index for one in first]
    after = [*named, *(index for index in before if index not in named)]
    _place(session, project_id, after)
    change = _change(project_id, "order", named[0], who, before=json.dumps(before), after=json.dumps(after))
    return _note(session, change)


def color_class(session: Session, *, project_id: int, name: str, color: str, who: str) -> ClassChangeInfo:
    """Give a class a color on charts and buttons; an empty one: by its place.

    Raises:
        InvalidClassError: When there is no such class, or the color is not written as ``#rrggbb``.
    """
    found, color = _find(session, project_id, name), color.strip().lower()
    if color and not _COLOR.fullmatch(color):
        raise InvalidClassError(f"A color is written like #e69f00, six signs 0-9 or a-f; found {color!r}.")
    before, found.color = found.color, color
    return _note(session, _change(project_id, "color", found.index, who, before=before, after=color))


def by_place(classes: Iterable[ClassInfo]) -> list[ClassInfo]:
    """Return classes in the order of the screens."""
    return sorted(classes, key=lambda one: (one.position, one.index))


def _place(session: Session, project_id: int, indices: Sequence[int]) -> None:
    for position, index in enumerate(indices):
        _get(session, project_id, index).position = position
    session.flush()


def undo_class_change(session: Session, *, project_id: int, change_id: int, who: str) -> ClassChangeInfo:
    """Take a change back; of a merge all its label events, but for what somebody has corrected since.

    What a later change of the class says stays: of two renames the older one may go.

    Raises:
        InvalidClassError: When there is no such change, it is an undo or undone, the name is another class's by now,
            or too few classes would be left.
    """
    change = session.get(ClassChange, change_id) if change_id <= LARGEST_ID else None
    if change is None or change.project_id != project_id or is_of_undo(session, change):
        raise InvalidClassError(f"There is no change {change_id} of classes that could be taken back.")
    if session.scalar(select(ClassChange.id).where(ClassChange.undoes == change_id)) is not None:
        raise InvalidClassError(f"Change {change_id} was taken back already.")
    found = _get(session, project_id, change.class_index)
    undo = _change(project_id, "undo", change.class_index, who, undoes=change_id)
    _UNDO[change.kind](session, found, change, undo)
    return _note(session, undo)


def _undo_rename(session: Session, found: Class, change: ClassChange, undo: ClassChange) -> None:
    undo.before, undo.after = found.name, value_without(session, change)
    if undo.after != undo.before:
        rename_class(session, project_id=change.project_id, name=undo.before, new_name=undo.after, who=undo.who)


def _undo_describe(session: Session, found: Class, change: ClassChange, _undo: ClassChange) -> None:
    found.description = value_without(session, change)


def _undo_color(session: Session, found: Class, change: ClassChange, _undo: ClassChange) -> None:
    found.color = value_without(session, change)


def _undo_order(session: Session, _found: Class, change: ClassChange, _undo: ClassChange) -> None:
    """A class that was added since keeps its place behind them."""
    _place(session, change.project_id, json.loads(value_without(session, change)))


def _undo_use(session: Session, found: Class, change: ClassChange, _undo: ClassChange) -> None:
    """Retire a class or put it in use again, as the changes of it say that still stand."""
    retired = is_retired_without(session, change, found.index)
    if retired and not found.retired:
        _refuse_too_few(session, found)
    found.retired = retired
    session.flush()


def _undo_merge(session: Session, found: Class, change: ClassChange, undo: ClassChange) -> None:
    split = split_since(session, key=change.key)
    if split is not None:
        raise InvalidClassError(f"Take change {split} back first: it split the class that labels were merged into.")
    _undo_use(session, found, change, undo)
    take_tests_back(session, change)
    take_moves_back(session, key=change.key)


def _undo_split(session: Session, found: Class, change: ClassChange, undo: ClassChange) -> None:
    """What somebody has labeled since keeps its new class, though nobody is asked for it any more."""
    _undo_use(session, found, change, undo)
    for index in json.loads(change.before)["added"]:
        _undo_use(session, _get(session, change.project_id, index), change, undo)
    give_labels_back(session, key=change.key)


_UNDO = {
    "rename": _undo_rename, "describe": _undo_describe, "add": _undo_use, "retire": _undo_use, "merge": _undo_merge,
    "split": _undo_split, "order": _undo_order, "color": _undo_color,
}  # fmt: skip


def list_class_changes(session: Session, *, project_id: int) -> list[ClassChangeInfo]:
    """List what was done to the classes, oldest first."""
    rows = session.scalars(select(ClassChange).where(ClassChange.project_id == project_id).order_by(ClassChange.id))
    return [to_info(ClassChangeInfo, row) for row in rows]


def _refuse_too_few(session: Session, going: Class) -> None:
    classes = list_classes(session, project_id=going.project_id)
    if sum(not entry.retired for entry in classes) <= 2:
        raise InvalidClassError(f"A project needs two classes; without {going.name!r} there would be one.")


def _find(session: Session, project_id: int, name: str) -> Class:
    known = list_classes(session, project_id=project_id)
    found = next((entry for entry in known if one_name(entry.name) == one_name(name.strip())), None)
    if found is None:
        names = ", ".join(entry.name for entry in known if not entry.retired)
        raise InvalidClassError(f"There is no class {name!r}; the classes are {names}.")
    return _get(session, project_id, found.index)


def _get(session: Session, project_id: int, index: int) -> Class:
    return session.get_one(Class, (project_id, index))


def _change(
    project_id: int,
    kind: str,
    index: int,
    who: str,
    *,
    into: int | None = None,
    before: str = "",
    after: str = "",
    undoes: int | None = None,
) -> ClassChange:
    return ClassChange(
        project_id=project_id, key=uuid.uuid4().hex, kind=kind, class_index=index, into_index=into, before=before,
        after=after, who=who, undoes=undoes, created_at=utc_now(),
    )  # fmt: skip


def _note(session: Session, change: ClassChange) -> ClassChangeInfo:
    session.add(change)
    session.flush()
    if is_journaled(session):
        note(session.info, {"class_change": values_of(change)})
    return to_info(ClassChangeInfo, change)
