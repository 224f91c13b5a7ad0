"""Grid mode's claims: many samples on one screen, to be confirmed together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, exists, func, or_, select

from storage.asking import LEASE_S, is_live, latest_claim
from storage.claims import ClaimedSample, describe, take
from storage.engine import Session
from storage.models import Claim, CurrentDecision, Query, Sample, SampleError
from storage.plain import pairs, utc_now
from storage.samples import chunks


def claim_grid(
    session: Session,
    *,
    project_id: int,
    annotator_id: int,
    page: str = "",
    sample_ids: Sequence[int],
    count: int,
    audit_share: float,
    lease_s: float = LEASE_S,
    now: datetime | None = None,
) -> list[ClaimedSample]:
    """Give an annotator the first of some samples that are undecided and with nobody else, as one screen.

    Audit samples and rechecks are left out: what is seen beside its like is no blind answer. What the annotator has
    already keeps its token; nothing is let go here, `release_claims` does that.

    Args:
        session: A writing session.
        project_id: The project.
        annotator_id: The annotator.
        page: The annotator's page.
        sample_ids: Samples of the pool, those wanted most first.
        count: How many at most.
        audit_share: Share of the pool that is kept for the audit, 0 to 1.
        lease_s: How long the samples stay with a page that says nothing more, in seconds.
        now: The time at which claims are live.
    """
    now = now or utc_now()
    chosen: list[tuple[int, int | None]] = []
    for chunk in chunks(list(dict.fromkeys(sample_ids))):
        chosen += _free(session, project_id, annotator_id, page, chunk, audit_share, lease_s, now)
        if len(chosen) >= count:
            break
    chosen = chosen[:count]
    claims = take(
        session,
        chosen,
        project_id=project_id,
        annotator_id=annotator_id,
        page=page,
        seen=True,
        in_grid=True,
        lease_s=lease_s,
        now=now,
    )
    return describe(session, claims)


def free_samples(
    session: Session,
    *,
    project_id: int,
    annotator_id: int,
    page: str = "",
    sample_ids: Sequence[int],
    audit_share: float,
) -> list[int]:
    """Those of some samples that an annotator may label together, in the order given; nothing is claimed.

    Left out is the same as in `claim_grid`.
    """
    now = utc_now()
    given = chunks(list(dict.fromkeys(sample_ids)))
    found = (_free(session, project_id, annotator_id, page, chunk, audit_share, LEASE_S, now) for chunk in given)
    return [sample_id for chunk in found for sample_id, _ in chunk]


def _free(
    session: Session,
    project_id: int,
    annotator_id: int,
    page: str,
    sample_ids: Sequence[int],
    audit_share: float,
    lease_s: float,
    now: datetime,
) -> list[tuple[int, int | None]]:
    """Those of the samples that may be shown together, with their latest queries, in the order given."""
    held = and_(
        Claim.sample_id == Sample.id,
        or_(Claim.annotator_id != annotator_id, Claim.page != page),
        is_live(now, latest_claim(now, lease_s=lease_s)),
    )
    latest = select(func.max(Query.id)).where(Query.sample_id == Sample.id).correlate(Sample).scalar_subquery()
    rows = session.execute(
        select(Sample.id, latest).where(
            Sample.id.in_([int(sample_id) for sample_id in sample_ids]),
            Sample.project_id == project_id,
            Sample.split == "pool",
            Sample.audit_key >= audit_share,
            ~exists().where(CurrentDecision.sample_id == Sample.id),
            ~exists().where(SampleError.sample_id == Sample.id),
            ~exists().where(Query.sample_id == Sample.id, Query.purpose != "train"),
            ~exists().where(held),
        )
    )
    found = pairs(rows)
    return [(sample_id, found[sample_id]) for sample_id in sample_ids if sample_id in found]
