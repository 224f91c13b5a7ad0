"""What the model answered for the samples that are decided by now, when it asked for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from storage.engine import Session
from storage.models import CurrentDecision, Query, Round


@dataclass(frozen=True)
class SuggestionInfo:
    """A model's answer for one sample, given before anybody had labeled it or, for a recheck, without its label."""

    class_index: int
    probability: float  # of that class, 0 to 1
    round_number: int


def last_suggestions(session: Session, *, project_id: int, by: datetime | None = None) -> dict[int, SuggestionInfo]:
    """Return the answer of the newest ranking that holds one, by decided sample; samples without one are left out.

    Reads one row per decided sample and ranking that listed it, however large the pool is.

    Args:
        session: Reads.
        project_id: The project.
        by: Only rankings that were published by then.
    """
    asked = (
        select(Query.sample_id, Query.suggestion, Query.suggestion_probability, Round.number)
        .join(CurrentDecision, CurrentDecision.sample_id == Query.sample_id)
        .join(Round, Round.id == Query.round_id)
        .where(CurrentDecision.project_id == project_id)
        .order_by(Round.number)
    )
    rows = session.execute(asked if by is None else asked.where(Round.opened_at <= by))
    return {
        sample_id: SuggestionInfo(suggestion, probability or 0.0, number)
        for sample_id, suggestion, probability, number in rows
        if suggestion is not None
    }
