"""Suspected labels: those that models which never saw them contradict, likeliest wrong first. Written by the trainer.

A suspicion is about one label event: once the label is corrected, undone or rechecked it counts no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, delete, func, insert, select

from storage.engine import Session
from storage.errors import InvalidSuspectError
from storage.models import CurrentDecision, Round, Suspect
from storage.plain import to_info
from storage.rounds import fenced_round


@dataclass(frozen=True)
class NewSuspect:
    """A label that is likely wrong."""

    sample_id: int
    event_id: int  # the label event it is about
    given_index: int  # class index a person gave
    suggested_index: int  # class index the models say
    suspicion: float  # 0 to 1, higher is likelier wrong


@dataclass(frozen=True)
class SuspectInfo(NewSuspect):
    """A suspected label that still stands."""

    round_number: int = 0


def replace_suspects(session: Session, *, round_id: int, generation: int, suspects: Sequence[NewSuspect]) -> None:
    """Store what a round suspects in the place of what it, and the rounds before it, suspected so far.

    Earlier suspicions go even when there are no new ones: models that know more have found nothing wrong.

    Raises:
        InvalidSuspectError: When a suspicion lies outside 0 to 1, contradicts nothing, or a sample comes twice.
        UnknownRoundError: When there is no such round.
        StaleGenerationError: When a newer trainer has taken over.
    """
    row = fenced_round(session, round_id=round_id, generation=generation)
    _check(suspects)
    so_far = select(Round.id).where(Round.project_id == row.project_id, Round.number <= row.number)
    session.execute(
        delete(Suspect).where(Suspect.round_id.in_(so_far)), execution_options={"synchronize_session": False}
    )
    if suspects:
        rows = [{**vars(suspect), "round_id": round_id} for suspect in suspects]
        session.connection().execute(insert(Suspect), rows)


def list_suspects(session: Session, *, project_id: int) -> list[SuspectInfo]:
    """List the suspected labels of the newest round that has any, as far as they still stand, most suspect first."""
    newest = (
        select(func.max(Round.number))
        .where(Round.project_id == project_id, Round.id.in_(select(Suspect.round_id)))
        .scalar_subquery()
    )
    stands = and_(CurrentDecision.sample_id == Suspect.sample_id, CurrentDecision.event_id == Suspect.event_id)
    rows = session.execute(
        select(Suspect, Round.number)
        .join(Round, Round.id == Suspect.round_id)
        .join(CurrentDecision, stands)
        .where(Round.project_id == project_id, Round.number == newest)
        .order_by(Suspect.suspicion.desc(), Suspect.sample_id)
    )
    return [to_info(SuspectInfo, suspect, round_number=number) for suspect, number in rows]


def _check(suspects: Sequence[NewSuspect]) -> None:
    seen = set[int]()
    for suspect in suspects:
        if not 0 <= suspect.suspicion <= 1:  # NaN too
            raise InvalidSuspectError(suspect.sample_id, f"its suspicion {suspect.suspicion} is not from 0 to 1")
        if suspect.given_index == suspect.suggested_index:
            raise InvalidSuspectError(suspect.sample_id, f"class {suspect.given_index} contradicts itself")
        if suspect.sample_id in seen:
            raise InvalidSuspectError(suspect.sample_id, "it comes twice")
        seen.add(suspect.sample_id)
