"""Classes that change: renamed, merged, retired, added, described; each change can be taken back.

An index never changes its class, so events of any age stay readable. A merge is a label event more for each label of
the class that goes: the old ones stay, and what stands is what the latest say, as after any correction.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from storage.current import fold_decision
from storage.engine import Session
from storage.entries import is_journaled, note_event
from storage.errors import InvalidClassError
from storage.events import is_undone
from storage.journal import note, values_of
from storage.models import Class, ClassChange, CurrentDecision, LabelEvent, Sample
from storage.names import one_name
from storage.plain import pairs, to_info, utc_now
from storage.projects import add_classes, list_classes

MERGED = "merge"  # how the label events of a merge came to be, and how their request ids begin
_KEPT = (
    "project_id", "sample_id", "annotator_id", "purpose", "round_number", "score", "acquisition_probability", "rank",
    "model_version", "predictor", "predictor_version", "predictor_labels",
)  # fmt: skip


@dataclass(frozen=True)
class ClassChangeInfo:
    """What was done to a class."""

    id: int
    kind: str  # rename | merge | retire | add | describe | undo
    class_index: int
    into_index: int | None
    before: str
    after: str
    who: str
    undoes: int | None
    created_at: datetime


@dataclass(frozen=True)
class ClassCount:
    """How much has a class."""

    labels: int = 0  # samples whose label it is
    tests: int = 0  # samples of the test set


def count_per_class(session: Session, *, project_id: int) -> dict[int, ClassCount]:
    """Count what each class has, by its index; one that has nothing is left out."""
    standing = select(LabelEvent.class_index, func.count()).join(
        CurrentDecision, CurrentDecision.event_id == LabelEvent.id
    )
    of_labels = (CurrentDecision.project_id == project_id, CurrentDecision.action == "label")
    labels = pairs(session.execute(standing.where(*of_labels).group_by(LabelEvent.class_index)))
    of_tests = (Sample.project_id == project_id, Sample.split == "test", Sample.class_index.is_not(None))
    counted = select(Sample.class_index, func.count()).where(*of_tests).group_by(Sample.class_index)
    tests = pairs(session.execute(counted))
    return {index: ClassCount(labels.get(index, 0), tests.get(index, 0)) for index in labels.keys() | tests.keys()}


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
    of_class = (Sample.project_id == project_id, Sample.split == "test", Sample.class_index == gone.index)
    tests = session.scalars(select(Sample.id).where(*of_class)).all()
    change = _change(
        project_id, "merge", gone.index, who, into=stays.index, before=json.dumps(list(tests)), after=stays.name
    )
    session.execute(update(Sample).where(Sample.id.in_(tests)).values(class_index=stays.index))
    gone.retired = True
    moved = _move_labels(session, project_id, gone.index, stays.index, change.key)
    return _note(session, change), moved


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


def undo_class_change(session: Session, *, project_id: int, change_id: int, who: str) -> ClassChangeInfo:
    """Take a change back; of a merge all its label events, but for what somebody has corrected since.

    Raises:
        InvalidClassError: When there is no such change, it is an undo or undone, the name is another class's by now,
            or too few classes would be left.
    """
    change = session.get(ClassChange, change_id)
    if change is None or change.project_id != project_id or change.kind == "undo":
        raise InvalidClassError(f"There is no change {change_id} of classes that could be taken back.")
    if session.scalar(select(ClassChange.id).where(ClassChange.undoes == change_id)) is not None:
        raise InvalidClassError(f"Change {change_id} was taken back already.")
    found = _get(session, project_id, change.class_index)
    if change.kind == "rename":
        rename_class(session, project_id=project_id, name=found.name, new_name=change.before, who=who)
    elif change.kind == "describe":
        found.description = change.before
    else:
        if change.kind == "add" and not found.retired:
            _refuse_too_few(session, found)
        found.retired = change.kind == "add"
    if change.kind == "merge":
        tests = json.loads(change.before)
        session.execute(update(Sample).where(Sample.id.in_(tests)).values(class_index=change.class_index))
        _take_back(session, change)
    return _note(session, _change(project_id, "undo", change.class_index, who, undoes=change_id))


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


def _move_labels(session: Session, project_id: int, gone: int, stays: int, key: str) -> int:
    """One label event more for each person's label that stands, in the order in which they were given."""
    standing = select(CurrentDecision.sample_id).join(LabelEvent, LabelEvent.id == CurrentDecision.event_id)
    samples = standing.where(CurrentDecision.project_id == project_id, LabelEvent.class_index == gone)
    votes = session.scalars(
        select(LabelEvent)
        .where(LabelEvent.sample_id.in_(samples), LabelEvent.action != "flag", LabelEvent.action != "undo")
        .where(~is_undone())
        .order_by(LabelEvent.id)
    ).all()
    latest = {(vote.sample_id, vote.annotator_id, vote.aside): vote for vote in votes}
    moved = sorted((vote for vote in latest.values() if vote.class_index == gone), key=lambda vote: vote.id)
    events = [_moved(vote, stays, f"{MERGED}:{key}:{number}") for number, vote in enumerate(moved)]
    _store(session, events)
    return len({event.sample_id for event in events})


def _moved(vote: LabelEvent, stays: int, request_id: str) -> LabelEvent:
    kept = {name: getattr(vote, name) for name in _KEPT}
    return LabelEvent(
        **kept, action="label", class_index=stays, acquisition=vote.acquisition, aside=vote.aside,
        suggestion_shown=False, why_shown=False, shown_together=1, lead_time_s=None, request_id=request_id,
        supersedes=vote.id, created_at=utc_now(),
    )  # fmt: skip


def _take_back(session: Session, change: ClassChange) -> None:
    mine = LabelEvent.request_id.startswith(f"{MERGED}:{change.key}:", autoescape=True)
    events = session.scalars(select(LabelEvent).where(mine, ~is_undone()).order_by(LabelEvent.id)).all()
    undone = [
        LabelEvent(
            **{name: getattr(event, name) for name in _KEPT}, action="undo", acquisition=event.acquisition,
            suggestion_shown=False, why_shown=False, shown_together=1, request_id=f"undo:{event.id}",
            supersedes=event.id, created_at=utc_now(),
        )
        for event in events
    ]  # fmt: skip
    _store(session, undone)


def _store(session: Session, events: Sequence[LabelEvent]) -> None:
    session.add_all(events)
    session.flush()
    for sample_id in sorted({event.sample_id for event in events}):
        fold_decision(session, sample_id=sample_id)
    if is_journaled(session):
        for event in events:
            note_event(session, event)
