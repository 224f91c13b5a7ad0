"""Who has which sample on screen: claims are leases, and a sample has at most one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlalchemy.exc import IntegrityError

from storage.engine import Session
from storage.errors import SampleTakenError, UnknownSampleError
from storage.models import Annotator, Claim, CurrentDecision, Query, Round, Sample, SampleError
from storage.plain import pairs, utc_now
from storage.samples import SampleInfo, get_sample

LEASE_S = 600.0
MAX_RACES = 50  # on PostgreSQL, where two claims may find the same sample at the same moment


@dataclass(frozen=True)
class ClaimedSample:
    """A sample on an annotator's screen, and why it is there."""

    sample: SampleInfo
    token: str  # the request id of the decision to come
    query_id: int | None
    rank: int | None
    score: float | None
    purpose: str
    round_number: int | None
    acquisition: str | None
    suggestion: int | None  # class index
    suggestion_probability: float | None
    claimed_at: datetime


@dataclass(frozen=True)
class RoundProgress:
    """How far the open round is; all zero without one."""

    round_number: int | None
    answered_train: int  # queries with a current label; a recheck counts once somebody looked again
    answered_audit: int
    remaining: int  # queries that may still be asked


def claim_next(
    session: Session, *, project_id: int, annotator_id: int, lease_s: float = LEASE_S, now: datetime | None = None
) -> ClaimedSample | None:
    """Give the annotator a sample: the one they have, else the first of the open round's that is free; None when out.

    A claim is dead when it has expired, or when it begins further in the future than a lease: the clock went back.
    Its own annotator keeps even a dead one as long as nobody took the sample, so a clock jump moves nobody's screen.
    """
    now = now or utc_now()
    own = _own_claim(session, project_id, annotator_id, lease_s, now)
    if own is not None:
        return _describe(session, own)
    if not _await_order(session, project_id):
        return None
    for _ in range(MAX_RACES):
        query = _next_query(session, project_id, lease_s, now)
        if query is None:
            return None
        query_id, sample_id = query
        claim = _take(session, project_id, annotator_id, sample_id, query_id, lease_s, now)
        if claim is not None:
            return _describe(session, claim)
    return None


def claim_sample(
    session: Session,
    *,
    project_id: int,
    annotator_id: int,
    sample_id: int,
    lease_s: float = LEASE_S,
    now: datetime | None = None,
) -> ClaimedSample:
    """Put one sample on the annotator's screen, in the place of what they had there.

    Raises:
        UnknownSampleError: When it is none of the project's pool.
        SampleTakenError: When another annotator is looking at it.
    """
    now = now or utc_now()
    if session.scalar(select(Sample.project_id).where(Sample.id == sample_id, Sample.split == "pool")) != project_id:
        raise UnknownSampleError(sample_id)
    held = session.scalar(select(Claim).where(Claim.sample_id == sample_id))
    if held is not None and held.annotator_id == annotator_id:
        _renew(held, lease_s, now)
        return _describe(session, held)
    if held is not None and _is_live(held, lease_s, now):
        raise _taken(session, held)
    release_claims(session, project_id=project_id, annotator_id=annotator_id)
    query_id = latest_query_id(session, sample_id=sample_id)
    claim = _take(session, project_id, annotator_id, sample_id, query_id, lease_s, now)
    if claim is None:
        raise _taken(session, session.scalars(select(Claim).where(Claim.sample_id == sample_id)).one())
    return _describe(session, claim)


def release_claims(session: Session, *, project_id: int, annotator_id: int) -> None:
    """Free what an annotator has on screen."""
    session.execute(delete(Claim).where(Claim.project_id == project_id, Claim.annotator_id == annotator_id))


def round_progress(session: Session, *, project_id: int) -> RoundProgress:
    """Count the open round's queries; a skip leaves the ranking but answers nothing."""
    number = session.scalar(select(Round.number).where(Round.project_id == project_id, Round.state == "open"))
    if number is None:
        return RoundProgress(None, 0, 0, 0)
    answered = pairs(
        session.execute(
            select(Query.purpose, func.count())
            .join(CurrentDecision, CurrentDecision.sample_id == Query.sample_id)
            .where(_in_open_round(project_id), CurrentDecision.action == "label", _answers())
            .group_by(Query.purpose)
        )
    )
    remaining = session.scalar(select(func.count(Query.id)).where(_in_open_round(project_id), is_askable())) or 0
    audit = answered.pop("audit", 0)
    return RoundProgress(number, sum(answered.values()), audit, remaining)


def latest_query_id(session: Session, *, sample_id: int) -> int | None:
    """Return the latest query about a sample."""
    return session.scalar(select(func.max(Query.id)).where(Query.sample_id == sample_id))


def is_askable() -> ColumnElement[bool]:
    """Say of a row of ``Query`` whether it still waits for an answer and its sample can be shown."""
    decided = exists().where(CurrentDecision.sample_id == Query.sample_id, _answers())
    broken = exists().where(SampleError.sample_id == Query.sample_id)
    return and_(~decided, ~broken)


def is_held(lease_s: float, now: datetime) -> ColumnElement[bool]:
    """Say of a row of ``Query`` whether its sample is on somebody's screen."""
    return exists().where(Claim.sample_id == Query.sample_id, _live(lease_s, now))


def _own_claim(session: Session, project_id: int, annotator_id: int, lease_s: float, now: datetime) -> Claim | None:
    own = select(Claim).where(Claim.project_id == project_id, Claim.annotator_id == annotator_id)
    claim = session.scalar(own.order_by(Claim.id.desc()).limit(1))
    if claim is None:
        return None
    decided = _is_answered(session, claim)
    broken = session.get(SampleError, claim.sample_id) is not None
    if broken or (decided and not _is_live(claim, lease_s, now)):
        session.delete(claim)
        session.flush()
        return None
    _renew(claim, lease_s, now)
    return claim


def _await_order(session: Session, project_id: int) -> bool:
    """Find the open round, and on PostgreSQL wait for a re-ranking: it locks all queries, and all would be skipped."""
    opened = select(Round.id).where(Round.project_id == project_id, Round.state == "open")
    return session.scalar(opened.with_for_update(read=True, key_share=True)) is not None


def _next_query(session: Session, project_id: int, lease_s: float, now: datetime) -> tuple[int, int] | None:
    """The first askable query that no live claim holds; PostgreSQL passes over those another claim is just taking."""
    free = select(Query.id, Query.sample_id).where(_in_open_round(project_id), is_askable(), ~is_held(lease_s, now))
    locked = free.order_by(Query.rank).limit(1).with_for_update(of=Query, skip_locked=True)
    row = session.execute(locked).one_or_none()
    return (row[0], row[1]) if row else None


def _in_open_round(project_id: int) -> ColumnElement[bool]:
    opened = select(Round.id).where(Round.project_id == project_id, Round.state == "open").scalar_subquery()
    return Query.round_id == opened


def _answers() -> ColumnElement[bool]:
    """Say of a row of ``CurrentDecision`` whether it answers the row of ``Query`` about its sample.

    A recheck is asked about a label that stands already: only a decision that the round did not know answers it.
    """
    known = select(Round.snapshot_event_id).where(Round.id == Query.round_id).correlate(Query).scalar_subquery()
    return or_(Query.purpose != "recheck", CurrentDecision.event_id > known)


def _is_answered(session: Session, claim: Claim) -> bool:
    """Say whether what an annotator has on screen was decided meanwhile."""
    decision = session.get(CurrentDecision, claim.sample_id)
    query = session.get(Query, claim.query_id) if claim.query_id else None
    if decision is None or query is None or query.purpose != "recheck":
        return decision is not None
    return decision.event_id > session.get_one(Round, query.round_id).snapshot_event_id


def _live(lease_s: float, now: datetime) -> ColumnElement[bool]:
    return and_(Claim.expires_at > now, Claim.claimed_at <= now + timedelta(seconds=lease_s))


def _is_live(claim: Claim, lease_s: float, now: datetime) -> bool:
    return claim.expires_at > now and claim.claimed_at <= now + timedelta(seconds=lease_s)


def _take(
    session: Session,
    project_id: int,
    annotator_id: int,
    sample_id: int,
    query_id: int | None,
    lease_s: float,
    now: datetime,
) -> Claim | None:
    """Insert the claim over a dead one; None when another transaction was faster (PostgreSQL only)."""
    dead = and_(Claim.sample_id == sample_id, ~_live(lease_s, now))
    claim = Claim(
        project_id=project_id,
        sample_id=sample_id,
        annotator_id=annotator_id,
        query_id=query_id,
        token=uuid.uuid4().hex,
        claimed_at=now,
        expires_at=now + timedelta(seconds=lease_s),
    )
    try:
        with session.begin_nested():
            session.execute(delete(Claim).where(dead))
            session.add(claim)
    except IntegrityError:
        return None
    return claim


def _renew(claim: Claim, lease_s: float, now: datetime) -> None:
    """Prolong a lease that is half used up or dead, not at every refresh: each one would be a disk write."""
    lease = timedelta(seconds=lease_s)
    if claim.claimed_at > now:  # the clock went back
        claim.claimed_at = now
        claim.expires_at = now + lease
    if claim.expires_at < now + lease / 2:
        claim.expires_at = now + lease


def _taken(session: Session, claim: Claim) -> SampleTakenError:
    holder = session.get_one(Annotator, claim.annotator_id)
    return SampleTakenError(claim.sample_id, annotator=holder.name)


def _describe(session: Session, claim: Claim) -> ClaimedSample:
    session.flush()
    query = session.get(Query, claim.query_id) if claim.query_id else None
    asked = session.get(Round, query.round_id) if query else None
    return ClaimedSample(
        sample=get_sample(session, sample_id=claim.sample_id),
        token=claim.token,
        query_id=claim.query_id,
        rank=query.rank if query else None,
        score=query.score if query else None,
        purpose=query.purpose if query else "train",
        round_number=asked.number if asked else None,
        acquisition=asked.acquisition if asked else None,
        suggestion=query.suggestion if query else None,
        suggestion_probability=query.suggestion_probability if query else None,
        claimed_at=claim.claimed_at,
    )
