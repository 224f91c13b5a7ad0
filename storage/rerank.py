"""Re-ranking: what nobody has seen yet of the open round is put in a new order. Done by the trainer, between rounds.

The samples change places among themselves: what is decided or on a screen keeps its rank, and the audit and the
rechecks keep theirs, or the audit would no longer be drawn uniformly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from storage.engine import Session
from storage.models import Query
from storage.plain import utc_now
from storage.queue import LEASE_S, is_askable, is_held
from storage.rounds import fenced_round


def rerank(
    session: Session, *, round_id: int, generation: int, scores: Mapping[int, float], now: datetime | None = None
) -> int:
    """Give the highest score the first of the free places, and so on; equal scores keep their order.

    Args:
        session: A writing session.
        round_id: The round; nothing happens unless it is open.
        generation: The trainer's.
        scores: New scores by sample id; those that are not finite, and samples that were not asked about, are ignored.
        now: The time at which claims are live.

    Returns:
        How many samples changed their place.

    Raises:
        UnknownRoundError: When there is no such round.
        StaleGenerationError: When a newer trainer has taken over.
    """
    row = fenced_round(session, round_id=round_id, generation=generation)
    if row.state != "open":
        return 0
    free = [line for line in _free_queries(session, round_id, now or utc_now()) if _known(scores, line.sample_id)]
    best_first = sorted(free, key=lambda line: -scores[line.sample_id])  # stable
    moves = [
        {"of_query": line.id, "new_rank": place.rank, "new_score": float(scores[line.sample_id])}
        for place, line in zip(free, best_first, strict=True)
    ]
    _store(session, round_id, moves)
    return sum(place.id != line.id for place, line in zip(free, best_first, strict=True))


def _known(scores: Mapping[int, float], sample_id: int) -> bool:
    return sample_id in scores and math.isfinite(scores[sample_id])


def _free_queries(session: Session, round_id: int, now: datetime) -> list[Any]:
    """Id, sample and rank of the training queries that nobody decided on or has on screen, by rank."""
    lines = select(Query.id, Query.sample_id, Query.rank).where(Query.round_id == round_id, Query.purpose == "train")
    return list(session.execute(lines.where(is_askable(), ~is_held(LEASE_S, now)).order_by(Query.rank)))


def _store(session: Session, round_id: int, moves: list[dict[str, Any]]) -> None:
    """Ranks are unique at every moment, so all of them go below zero first and are turned over together."""
    if not moves:
        return
    connection = session.connection()  # not the ORM's update: a fifth of the time
    below = update(Query).where(Query.id == bindparam("of_query"))
    connection.execute(below.values(rank=-1 - bindparam("new_rank"), score=bindparam("new_score")), moves)
    connection.execute(update(Query).where(Query.round_id == round_id, Query.rank < 0).values(rank=-1 - Query.rank))
    session.expire_all()  # queries loaded before would show their old places
