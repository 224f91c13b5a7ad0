"""Claims: which samples a page has on screen or fetched ahead, as leases that end when the page is closed.

A page is one tab of one annotator: two tabs, or two browsers under one name, never have the same sample. A claim is
dead when it has expired, or when it begins further in the future than a lease: the clock went back. Its own page keeps
even a dead one as long as nobody took the sample, so a clock jump moves nobody's screen. Whoever takes a sample deletes
the dead claims on it; one that is still there can therefore always be renewed.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, select, update

from storage.asking import Id, Page, is_live, latest_claim
from storage.engine import Session
from storage.models import Claim, Query, Round, Sample
from storage.plain import utc_now
from storage.samples import SAMPLE_COLUMNS, SampleInfo

# Built once: they are run at every key press. Columns, for rows of tables cost SQLAlchemy several times as much.
_DESCRIBED = (
    select(
        Claim.id,
        Query.rank,
        Query.score,
        Query.purpose,
        Query.annotators,
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
    """A sample an annotator's page has, and why."""

    sample: SampleInfo
    token: str  # the lease: names the sample on this screen; no decision's request id
    query_id: int | None
    rank: int | None
    score: float | None
    purpose: str
    annotators: int  # who are to decide on it
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


def release_claims(
    session: Session, *, project_id: int, annotator_id: int, page: str = "", keep: Sequence[str] = ()
) -> None:
    """Free what an annotator's page has, but for the claims of these tokens."""
    session.execute(delete(Claim).where(is_own(project_id, annotator_id, page), Claim.token.not_in(keep)))


def adopt_claims(session: Session, *, project_id: int, annotator_id: int, pages: Collection[str], page: str) -> None:
    """Give a page what closed pages of the same annotator had: whoever opens a tab anew goes on where they were."""
    own = (Claim.project_id == project_id, Claim.annotator_id == annotator_id)
    session.execute(update(Claim).where(*own, Claim.page.in_(list(pages))).values(page=page))


def has_other_page(
    session: Session, *, project_id: int, annotator_id: int, page: str, now: datetime | None = None
) -> bool:
    """Say whether the same name labels on another page too, here or in another browser."""
    now = now or utc_now()
    elsewhere = (Claim.project_id == project_id, Claim.annotator_id == annotator_id, Claim.page != page)
    return session.scalar(select(Claim.id).where(*elsewhere, is_live(now, latest_claim(now))).limit(1)) is not None


def is_own(project_id: Id, annotator_id: Id, page: Page) -> ColumnElement[bool]:
    """Say of a row of ``Claim`` whether it is this page's of this annotator."""
    return and_(Claim.project_id == project_id, Claim.annotator_id == annotator_id, Claim.page == page)


def take(
    session: Session,
    samples: Sequence[tuple[int, int | None]],
    *,
    project_id: int,
    annotator_id: int,
    page: str,
    seen: bool,
    in_grid: bool = False,
    lease_s: float,
    now: datetime,
    own: Mapping[int, Claim] | None = None,
) -> list[Claim]:
    """Give free samples to an annotator's page; one it has already keeps its token.

    Args:
        session: A writing session.
        samples: As ``(sample id, query id)``.
        project_id: The project.
        annotator_id: The annotator.
        page: The annotator's page.
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
        _set(claim, query_id=query_id, page=page, seen=seen, in_grid=in_grid)
        if query_id is not None:  # drawn at random before, and asked by a round since
            _set(claim, acquisition=None, acquisition_probability=None)
        claims.append(claim)
    session.add_all(claim for claim in claims if claim.sample_id not in held)
    session.flush()
    return claims


def _own_of_the_others(
    session: Session, sample_ids: list[int], annotator_id: int, lease_s: float, now: datetime
) -> dict[int, Claim]:
    """The annotator's claims on these samples, of whatever page; dead ones of other annotators are deleted."""
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
    annotators: int | None,
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
        annotators=annotators or 1,
        round_number=round_number,
        acquisition=acquisition,
        suggestion=suggestion,
        suggestion_probability=suggestion_probability,
        claimed_at=claim.claimed_at,
        seen=claim.seen,
    )
