"""What the model answered for the samples that are decided by now, when it asked for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from storage.engine import Session
from storage.events import DECISIONS
from storage.models import Annotator, CurrentDecision, LabelEvent, Query, Round


@dataclass(frozen=True)
class SuggestionInfo:
    """A model's answer for one sample, given before anybody had labeled it or, for a recheck, without its label."""

    class_index: int
    probability: float  # of that class, 0 to 1
    round_number: int


@dataclass(frozen=True)
class Acceptance:
    """What a person did with the wrong suggestions that were seeded among those shown to them."""

    annotator: str
    shown: int  # that they decided on
    accepted: int  # of those, labeled with the wrong class

    @property
    def words(self) -> str:
        """The figures as part of a sentence that begins with the annotator's name."""
        noun = "suggestion" if self.shown == 1 else "suggestions"
        return f"accepted {self.accepted:,} of {self.shown:,} wrong {noun}"


def seeded_acceptances(session: Session, *, project_id: int, annotator_id: int | None = None) -> list[Acceptance]:
    """What became of the seeded suggestions, by annotator, whether or not it was undone; who has seen none is left out.

    Args:
        session: Reads.
        project_id: The project.
        annotator_id: Only this person's.
    """
    accepted = func.sum(case((LabelEvent.class_index == LabelEvent.seeded_suggestion, 1), else_=0))
    asked = (
        select(Annotator.name, func.count(), accepted)
        .join(Annotator, Annotator.id == LabelEvent.annotator_id)
        .where(
            LabelEvent.project_id == project_id,
            LabelEvent.seeded_suggestion.is_not(None),
            LabelEvent.action.in_(DECISIONS),
        )
        .group_by(Annotator.name)
        .order_by(Annotator.name)
    )
    rows = session.execute(asked if annotator_id is None else asked.where(LabelEvent.annotator_id == annotator_id))
    return [Acceptance(*row) for row in rows]


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
