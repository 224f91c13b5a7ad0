"""Re-ranking: what nobody has seen yet of the open round gives way to a new ranking of the whole pool.

Done by the trainer, between rounds. What is decided or on a screen keeps its rank, and the audit and the rechecks keep
theirs, or the audit would no longer be drawn uniformly.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, exists, select, update
from sqlalchemy.orm import InstrumentedAttribute

from storage.asking import is_askable, is_live, is_on_a_screen, latest_claim
from storage.engine import Session
from storage.errors import InvalidQueryError
from storage.models import Claim, CurrentDecision, Query, Sample, SampleError
from storage.plain import finite, utc_now
from storage.rounds import NewQuery, fenced_round, insert_queries
from storage.samples import chunks

_VALUES = (
    "score", "acquisition_probability", "suggestion", "suggestion_probability", "annotators",
    "predictor", "predictor_version", "predictor_labels",
)  # fmt: skip


def replace_tail(
    session: Session, *, round_id: int, generation: int, ranking: Sequence[NewQuery], now: datetime | None = None
) -> int:
    """Let a new ranking of the whole pool take the places of the training queries that nobody decided on or sees.

    The new queries fill the lowest free places in the order of their own ranks. Samples that are decided, broken, on a
    screen, or in the round with a place that stays, are passed over. A replaced query that is only fetched ahead by a
    page goes behind the new ones instead of away, so that a late decision still finds what it was asked under.

    Args:
        session: A writing session.
        round_id: The round; nothing happens unless it is open.
        generation: The trainer's.
        ranking: The new training queries; of their ranks only the order counts.
        now: The time at which claims are live.

    Returns:
        How many of the new queries came in or changed their place.

    Raises:
        InvalidQueryError: When a query's purpose is not ``train``.
        UnknownRoundError: When there is no such round.
        StaleGenerationError: When a newer trainer has taken over.
    """
    _refuse_other_purposes(ranking)
    row = fenced_round(session, round_id=round_id, generation=generation)
    if row.state != "open":
        return 0
    now = now or utc_now()
    free = {line.sample_id: line for line in _free_queries(session, round_id, now)}
    fixed = _fixed_ranks(session, round_id, free.keys())
    wanted = _may_be_asked(session, row.project_id, ranking, free.keys(), fixed.keys(), now)
    behind = _fetched_ahead(session, round_id, free.keys() - wanted.keys())
    ranks = dict(zip([*wanted, *behind], _unused(set(fixed.values())), strict=False))
    _delete(session, [line.id for line in free.values() if line.sample_id not in ranks])
    kept = [line for line in free.values() if line.sample_id in ranks]
    _move(session, round_id, [_new_values(line, wanted, ranks[line.sample_id]) for line in kept])
    new = [replace(query, rank=ranks[sample_id]) for sample_id, query in wanted.items() if sample_id not in free]
    insert_queries(session, round_id=round_id, queries=new)
    return sum(sample_id not in free or free[sample_id].rank != ranks[sample_id] for sample_id in wanted)


def _refuse_other_purposes(ranking: Sequence[NewQuery]) -> None:
    for query in ranking:
        if query.purpose != "train":
            raise InvalidQueryError(query.sample_id, f"only training queries are replaced, not {query.purpose!r} ones")


def _free_queries(session: Session, round_id: int, now: datetime) -> list[Any]:
    """The training queries that nobody decided on or has on screen, by rank."""
    lines = select(Query.id, Query.sample_id, Query.rank, *(getattr(Query, name) for name in _VALUES)).where(
        Query.round_id == round_id, Query.purpose == "train", ~_is_decided(Query.sample_id), is_askable()
    )
    return list(session.execute(lines.where(~is_on_a_screen(now=now)).order_by(Query.rank)))


def _fixed_ranks(session: Session, round_id: int, free: Collection[int]) -> dict[int, int]:
    """The ranks of the other queries, by sample."""
    rows = session.execute(select(Query.sample_id, Query.rank).where(Query.round_id == round_id))
    return {sample_id: rank for sample_id, rank in rows if sample_id not in free}


def _may_be_asked(
    session: Session,
    project_id: int,
    ranking: Sequence[NewQuery],
    free: Collection[int],
    fixed: Collection[int],
    now: datetime,
) -> dict[int, NewQuery]:
    """The queries of a new ranking that can be asked, by sample, best first."""
    ordered = {query.sample_id: query for query in sorted(ranking, key=lambda query: query.rank)}
    others = [sample_id for sample_id in ordered if sample_id not in free and sample_id not in fixed]
    on_screen = exists().where(Claim.sample_id == Sample.id, Claim.seen, is_live(now, latest_claim(now)))
    broken = exists().where(SampleError.sample_id == Sample.id)
    addable = set[int]()
    for piece in chunks(others):
        in_pool = (Sample.id.in_(piece), Sample.project_id == project_id, Sample.split == "pool")
        addable |= set(session.scalars(select(Sample.id).where(*in_pool, ~_is_decided(Sample.id), ~broken, ~on_screen)))
    return {sample_id: query for sample_id, query in ordered.items() if sample_id in free or sample_id in addable}


def _is_decided(sample_id: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    return exists().where(CurrentDecision.sample_id == sample_id)


def _fetched_ahead(session: Session, round_id: int, sample_ids: Collection[int]) -> list[int]:
    """Those of the samples that a claim, dead or not, was handed out for by this round, by rank."""
    claimed = select(Query.sample_id).join(Claim, Claim.query_id == Query.id).where(Query.round_id == round_id)
    rows = session.scalars(claimed.group_by(Query.id).order_by(Query.rank))
    return [sample_id for sample_id in rows if sample_id in sample_ids]


def _unused(ranks: Collection[int]) -> Iterator[int]:
    return (rank for rank in itertools.count() if rank not in ranks)


def _delete(session: Session, query_ids: Sequence[int]) -> None:
    for piece in chunks(query_ids):
        session.execute(delete(Query).where(Query.id.in_(piece)), execution_options={"synchronize_session": False})


def _new_values(line: Any, wanted: Mapping[int, NewQuery], rank: int) -> dict[str, Any]:  # noqa: ANN401
    """What a query that stays becomes; one behind the new ones changes its rank only."""
    source = wanted.get(line.sample_id, line)
    values = {f"new_{name}": getattr(source, name) for name in _VALUES}
    return {"of_query": line.id, "new_rank": rank, **values, "new_score": finite(source.score)}


def _move(session: Session, round_id: int, moves: list[dict[str, Any]]) -> None:
    """Ranks are unique at every moment, so all of them go below zero first and are turned over together."""
    if not moves:
        return
    connection = session.connection()  # not the ORM's update: a fifth of the time
    values: dict[str, Any] = {name.removeprefix("new_"): bindparam(name) for name in moves[0] if name != "of_query"}
    values["rank"] = -1 - bindparam("new_rank")
    below = update(Query).where(Query.id == bindparam("of_query")).values(values)
    connection.execute(below, moves)
    connection.execute(update(Query).where(Query.round_id == round_id, Query.rank < 0).values(rank=-1 - Query.rank))
    session.expire_all()  # queries loaded before would show their old places
