"""Labeled samples that show what a class is."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from storage.current import flagged_ids
from storage.engine import Session
from storage.models import CurrentDecision, LabelEvent
from storage.suspects import list_suspects


def newest_examples(
    session: Session, *, project_id: int, classes: Collection[int], per_class: int, without: Collection[int] = ()
) -> dict[int, list[int]]:
    """List the samples labeled last of each class, newest first, that nobody and nothing doubts.

    Left out are flagged and suspected labels, those of a group's rest, which nobody has looked at, and those of the
    audit, which only measure.

    Args:
        session: Reads.
        project_id: The project.
        classes: Indices of the classes.
        per_class: How many at most.
        without: Samples that must not be shown with their label.

    Returns:
        Sample ids by class index, an empty list where there is no example.
    """
    doubted = {suspect.sample_id for suspect in list_suspects(session, project_id=project_id)}
    doubted |= flagged_ids(session, project_id) | set(without)
    found: dict[int, list[int]] = {index: [] for index in classes}
    newest = (
        select(LabelEvent.class_index, LabelEvent.sample_id)
        .join(CurrentDecision, CurrentDecision.event_id == LabelEvent.id)
        .where(CurrentDecision.project_id == project_id, LabelEvent.class_index.is_not(None))
        .where(LabelEvent.purpose != "audit", LabelEvent.group_bound.is_(None))
        .order_by(LabelEvent.id.desc())
    )
    for class_index, sample_id in session.execute(newest.execution_options(yield_per=1000)):
        examples = [] if class_index is None else found.get(class_index, [])
        if len(examples) < per_class and sample_id not in doubted:
            examples.append(sample_id)
        if all(len(ids) == per_class for ids in found.values()):
            break
    return found
