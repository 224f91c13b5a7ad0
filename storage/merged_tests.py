"""What a merge of classes does to the test set: its labels are no events, so a merge notes the samples it moved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from storage.engine import Session
from storage.models import ClassChange, Sample
from storage.plain import pairs

AT_ONCE = 1_000  # ids of one statement


def tests_of_class(session: Session, *, project_id: int, class_index: int) -> list[int]:
    """List the test samples of a class by id."""
    found = select(Sample.id).where(*_tests_of(project_id, class_index)).order_by(Sample.id)
    return list(session.scalars(found))


def move_tests(session: Session, merge: ClassChange) -> None:
    """Make the test samples that a merge names those of the class that stays."""
    for part in _parts(json.loads(merge.before)):
        _give(session, merge, part, from_index=merge.class_index, to_index=merge.into_index)


def take_tests_back(session: Session, merge: ClassChange) -> None:
    """Give the test samples of a merge their class back, but for those that a later merge moved on and still has.

    Merges may be taken back in any order: of small into mid and then mid into big, the one that is taken back last
    brings small's samples back to small.
    """
    of_project = select(ClassChange).where(ClassChange.project_id == merge.project_id, ClassChange.kind == "merge")
    merges = session.scalars(of_project.order_by(ClassChange.id)).all()
    undos = select(ClassChange.undoes, ClassChange.id).where(ClassChange.undoes.is_not(None))
    undone_by = pairs(session.execute(undos))
    moved_on = {i for one in merges if one.id > merge.id and one.id not in undone_by for i in json.loads(one.before)}
    earlier = [(one, set(json.loads(one.before))) for one in reversed(merges) if one.id < merge.id]
    homes: dict[int, list[int]] = {}
    for sample_id in json.loads(merge.before):
        if sample_id not in moved_on:
            homes.setdefault(_home(sample_id, merge, earlier, undone_by), []).append(sample_id)
    for index, sample_ids in homes.items():
        for part in _parts(sample_ids):
            _give(session, merge, part, from_index=merge.into_index, to_index=index)


def _home(
    sample_id: int, merge: ClassChange, earlier: Sequence[tuple[ClassChange, set[int]]], undone_by: dict[Any, Any]
) -> int:
    """The class of a sample without a merge, and without those before it that were taken back while it stood."""
    index, later = merge.class_index, merge.id
    for one, moved in earlier:
        if one.into_index == index and sample_id in moved and undone_by.get(one.id, 0) > later:
            index, later = one.class_index, one.id
    return index


def _parts(sample_ids: Sequence[int]) -> list[Sequence[int]]:
    return [sample_ids[start : start + AT_ONCE] for start in range(0, len(sample_ids), AT_ONCE)]


def _give(
    session: Session, merge: ClassChange, sample_ids: Sequence[int], *, from_index: int | None, to_index: int | None
) -> None:
    mine = (*_tests_of(merge.project_id, from_index), Sample.id.in_(sample_ids))
    session.execute(update(Sample).where(*mine).values(class_index=to_index))


def _tests_of(project_id: int, class_index: int | None) -> tuple[Any, ...]:
    return (Sample.project_id == project_id, Sample.split == "test", Sample.class_index == class_index)
