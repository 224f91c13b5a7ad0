"""Claims: which samples an annotator has on screen or fetched ahead, as leases that end when the page is closed.

A claim is dead when it has expired, or when it begins further in the future than a lease: the clock went back. Its own
annotator keeps even a dead one as long as nobody took the sample, so a clock jump moves nobody's screen. Whoever takes
a sample deletes the dead claims on it; one that is still there can therefore always be renewed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, select

from storage.asking import Id
from storage.engine import Session
from storage.models import Claim, Query, Round, Sample
from storage.samples import SAMPLE_COLUMNS, SampleInfo

# Built once: they are run at every key press. Columns, for rows of tables cost SQLAlchemy several times as much.
_DESCRIBED = (
    select(
        Claim.id,
        Query.rank,
        Query.score,
        Query.purpose,
        Query.suggestion,
        Query.suggestion_probability,
        Round.number,
        Round.acquisition,
        *SAMPLE_COLUMNS,
    )
    .join(Sample, Sample.id == Claim.sample_id)
    .outerjoin(Query, Query.id == Claim.query_id)
    .outerjoin(Round, Round.id == Query.round_id)
    .where(Claim.id.in_(bindparam("ids", expanding=True)))
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
    own: Mapping[int, Claim] | None = None,
) -> list[Claim]:
    """Give free samples to an annotator; one they have already keeps its token.

    Args:
        session: A writing session.
        samples: As ``(sample id, query id)``.
        project_id: The project.
        annotator_id: The annotator.
        seen: Whether they are on screen, not only fetched ahead.
        in_grid: Whether they are shown together.
        lease_s: How long they stay with a page that says nothing more, in seconds.
        now: The time at which claims are live.
        own: Claims of the annotator by sample id that the caller has read already; those are not looked up.
    """
    held = dict(own or {})
    held |= _own_of_the_others(session, [i for i, _ in samples if i not in held], annotator_id, lease_s, now)
    renew([held[sample_id] for sample_id, _ in samples if sample_id in held], lease_s=lease_s, now=now)
    claims = []
    for sample_id, query_id in samples:
        claim = held.get(sample_id) or _new_claim(project_id, annotator_id, sample_id, lease_s, now)
        _set(claim, query_id=query_id, seen=seen, in_grid=in_grid)
        claims.append(claim)
    session.add_all(claim for claim in claims if claim.sample_id not in held)
    session.flush()
    return claims


def _own_of_the_others(
    session: Session, sample_ids: list[int], annotator_id: int, lease_s: float, now: datetime
) -> dict[int, Claim]:
    """The annotator's claims on these samples; dead ones of other annotators are deleted."""
    own = dict[int, Claim]()
    if not sample_ids:
        return own
    for claim in session.scalars(_HELD, {"ids": sample_ids}):
        if claim.annotator_id == annotator_id:
            own[claim.sample_id] = claim
        elif not _is_live(claim, lease_s, now):
            session.delete(claim)
    return own


def _set(claim: Claim, **values: object) -> None:
    """Changes what is different: SQLAlchemy looks at the whole of a row that was told what it knows."""
    for name, value in values.items():
        if getattr(claim, name) != value:
            setattr(claim, name, value)


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
    rows = session.execute(_DESCRIBED, {"ids": [claim.id for claim in claims]})
    found = {claim_id: known for claim_id, *known in rows}
    return [_described(claim, *found[claim.id]) for claim in claims]


def _described(  # the columns of `_DESCRIBED` in their order
    claim: Claim,
    rank: int | None,
    score: float | None,
    purpose: str | None,
    suggestion: int | None,
    suggestion_probability: float | None,
    round_number: int | None,
    acquisition: str | None,
    *of_sample: Any,  # noqa: ANN401
) -> ClaimedSample:
    return ClaimedSample(
        sample=SampleInfo(*of_sample),
        token=claim.token,
        query_id=claim.query_id,
        rank=rank,
        score=score,
        purpose=purpose or "train",
        round_number=round_number,
        acquisition=acquisition,
        suggestion=suggestion,
        suggestion_probability=suggestion_probability,
        claimed_at=claim.claimed_at,
        seen=claim.seen,
    )
