"""Claims: which samples an annotator has on screen or fetched ahead, as leases that end when the page is closed.

A claim is dead when it has expired, or when it begins further in the future than a lease: the clock went back. Its own
annotator keeps even a dead one as long as nobody took the sample, so a clock jump moves nobody's screen. Whoever takes
a sample deletes the dead claims on it; one that is still there can therefore always be renewed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, delete, select

from storage.asking import Id
from storage.engine import Session
from storage.models import Claim, Query, Round
from storage.samples import SampleInfo, get_samples

# Built once: they are run at every key press.
_ASKED = (
    select(Query, Round).join(Round, Round.id == Query.round_id).where(Query.id.in_(bindparam("ids", expanding=True)))
)
_HELD = select(Claim).where(Claim.sample_id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True)
class ClaimedSample:
    """A sample an annotator has, and why."""

    sample: SampleInfo
    token: str  # the request id of the first decision to come
    query_id: int | None
    rank: int | None
    score: float | None
    purpose: str
    round_number: int | None
    acquisition: str | None
    suggestion: int | None  # class index
    suggestion_probability: float | None
    claimed_at: datetime
    seen: bool  # False: fetched ahead, never on screen


def renew(claims: Iterable[Claim], *, lease_s: float, now: datetime) -> None:
    """Prolong leases that are half used up or dead; not at every call: each one would be a disk write."""
    lease = timedelta(seconds=lease_s)
    for claim in claims:
        if claim.claimed_at > now:  # the clock went back
            claim.claimed_at = now
            claim.expires_at = now + lease
        if claim.expires_at < now + lease / 2:
            claim.expires_at = now + lease


def release_claims(session: Session, *, project_id: int, annotator_id: int, keep: Sequence[str] = ()) -> None:
    """Free what an annotator has, but for the claims of these tokens."""
    session.execute(delete(Claim).where(is_own(project_id, annotator_id), Claim.token.not_in(keep)))


def is_own(project_id: Id, annotator_id: Id) -> ColumnElement[bool]:
    """Say of a row of ``Claim`` whether it is this annotator's."""
    return and_(Claim.project_id == project_id, Claim.annotator_id == annotator_id)


def take(
    session: Session,
    samples: Sequence[tuple[int, int | None]],
    *,
    project_id: int,
    annotator_id: int,
    seen: bool,
    in_grid: bool = False,
    lease_s: float,
    now: datetime,
) -> list[Claim]:
    """Give free samples, as ``(sample id, query id)``, to an annotator; one they have already keeps its token."""
    own = dict[int, Claim]()
    for claim in session.scalars(_HELD, {"ids": [sample_id for sample_id, _ in samples]}):
        if claim.annotator_id == annotator_id:
            own[claim.sample_id] = claim
        elif not _is_live(claim, lease_s, now):
            session.delete(claim)
    renew(own.values(), lease_s=lease_s, now=now)
    claims = []
    for sample_id, query_id in samples:
        claim = own.get(sample_id) or _new_claim(project_id, annotator_id, sample_id, lease_s, now)
        claim.query_id, claim.seen, claim.in_grid = query_id, seen, in_grid
        claims.append(claim)
    session.add_all(claims)
    session.flush()
    return claims


def _is_live(claim: Claim, lease_s: float, now: datetime) -> bool:
    """The same as `storage.asking.is_live`, of a row in hand."""
    return claim.expires_at > now and claim.claimed_at <= now + timedelta(seconds=lease_s)


def _new_claim(project_id: int, annotator_id: int, sample_id: int, lease_s: float, now: datetime) -> Claim:
    return Claim(
        project_id=project_id,
        sample_id=sample_id,
        annotator_id=annotator_id,
        token=uuid.uuid4().hex,
        claimed_at=now,
        expires_at=now + timedelta(seconds=lease_s),
    )


def describe(session: Session, claims: Sequence[Claim]) -> list[ClaimedSample]:
    """Say what is known about claimed samples, in the order given."""
    session.flush()
    samples = get_samples(session, sample_ids=[claim.sample_id for claim in claims])
    asked = _asked(session, [claim.query_id for claim in claims if claim.query_id is not None])
    return [_described(claim, samples[claim.sample_id], *asked.get(claim.query_id, (None, None))) for claim in claims]


def _asked(session: Session, query_ids: Sequence[int]) -> dict[int | None, tuple[Query, Round]]:
    rows = session.execute(_ASKED, {"ids": list(query_ids)})
    return {query.id: (query, asked) for query, asked in rows}


def _described(claim: Claim, sample: SampleInfo, query: Query | None, asked: Round | None) -> ClaimedSample:
    return ClaimedSample(
        sample=sample,
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
        seen=claim.seen,
    )
