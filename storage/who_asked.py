"""Who asked about a sample: the predictor of its latest query, and how many labels it had seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from storage.engine import Session
from storage.models import Query, Round
from storage.samples import chunks


@dataclass(frozen=True)
class Asker:
    """What a query knows of who asked; None where an older version did not store it."""

    predictor: str | None
    labels: int | None


def who_answers(session: Session, *, project_id: int, round_number: int) -> Asker | None:
    """Return the predictor of a round; None where none asked, or an older version did not store it."""
    row = session.execute(
        select(Query.predictor, Query.predictor_labels)
        .join(Round, Round.id == Query.round_id)
        .where(Round.project_id == project_id, Round.number == round_number, Query.predictor.is_not(None))
        .limit(1)
    ).first()
    return None if row is None else Asker(*row)


def who_asked(
    session: Session, *, project_id: int, sample_ids: Sequence[int], round_number: int | None = None
) -> dict[int, Asker]:
    """Return who asked last about each sample; those nobody asked about are left out.

    Args:
        session: Reads.
        project_id: The project.
        sample_ids: The samples.
        round_number: Only queries of this round; None: of the latest that asked.
    """
    joined = select(Query.sample_id, Query.predictor, Query.predictor_labels).join(Round, Round.id == Query.round_id)
    of_project = joined.where(Round.project_id == project_id)
    if round_number is not None:
        of_project = of_project.where(Round.number == round_number)
    found: dict[int, Asker] = {}
    for chunk in chunks(sample_ids):
        rows = session.execute(of_project.where(Query.sample_id.in_(chunk)).order_by(Query.id))
        found |= {sample_id: Asker(predictor, labels) for sample_id, predictor, labels in rows}
    return found
