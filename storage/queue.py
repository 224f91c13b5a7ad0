"""Who is asked what: the samples on an annotator's screen, and those fetched ahead of it.

An annotator's own page keeps its place; the rest follows the ranking in force.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, Integer, String, and_, bindparam, case, exists, select

from storage.asking import (
    LEASE_S,
    RoundProgress,
    has_room_for,
    in_open_round,
    is_askable_to,
    is_live,
    latest_claim,
    latest_query_id,
    round_progress,
)
from storage.claims import ClaimedSample, describe, is_own, release_claims, renew, take
from storage.engine import Session
from storage.models import Claim, CurrentDecision, Query, Sample, SampleError
from storage.models.base import UtcDateTime
from storage.plain import utc_now
from storage.remainder import RANDOM, Remainder, free_of

__all__ = [
    "LEASE_S",
    "ClaimedSample",
    "RoundProgress",
    "claim_batch",
    "put_on_screen",
    "release_claims",
    "return_to",
    "round_progress",
]

NOTHING_LEFT = Remainder()

# The statements of every key press are built once: building one takes several times as long as running it.
_PROJECT, _ANNOTATOR = bindparam("project_id", type_=Integer), bindparam("annotator_id", type_=Integer)
_PAGE = bindparam("page", type_=String)
_NOW, _LATEST = bindparam("now", type_=UtcDateTime), bindparam("latest", type_=UtcDateTime)


def claim_batch(
    session: Session,
    *,
    project_id: int,
    annotator_id: int,
    page: str = "",
    count: int,
    keep: Sequence[str] = (),
    rest: Remainder = NOTHING_LEFT,
    lease_s: float = LEASE_S,
    now: datetime | None = None,
) -> list[ClaimedSample]:
    """Give an annotator's page its queue: what is on screen, then the best free samples of the open round.

    What the page had and is neither on screen nor among the best any more is let go. An open page asks again every
    quarter of a lease: that renews its claims; a closed page's samples come free with the lease.

    Args:
        session: A writing session.
        project_id: The project.
        annotator_id: The annotator.
        page: The annotator's page; another page under the same name never gets what this one has.
        count: How many samples the page wants in all.
        keep: Tokens of the samples on screen and decoded next, in this order; they are marked as seen.
        rest: What follows where the round has no more.
        lease_s: How long the samples stay with a page that says nothing more, in seconds.
        now: The time at which claims are live.

    Returns:
        Those of ``keep`` that still wait for this annotator's decision, then others the annotator saw and did not
        decide (after a reload the page knows no tokens), then unseen ones by rank. Fewer than ``count`` when the round
        has no more.
    """
    now = now or utc_now()
    own = _own_and_due(session, project_id, annotator_id, page)
    kept = _kept(own, keep)
    renew(kept, lease_s=lease_s, now=now)
    fresh = _best_free(session, project_id, annotator_id, page, count - len(kept), kept, lease_s, now)
    held = {claim.sample_id for claim in kept} | {sample_id for sample_id, _ in fresh}
    others = [sample_id for sample_id in rest.sample_ids if sample_id not in held]
    drawn = free_of(session, others, page=page, annotator_id=annotator_id, lease_s=lease_s, now=now)
    drawn = drawn[: max(0, count - len(held))]
    for claim, _ in own:
        if claim.sample_id not in held.union(drawn):
            session.delete(claim)
    taken = take(
        session,
        [*fresh, *((sample_id, None) for sample_id in drawn)],
        project_id=project_id,
        annotator_id=annotator_id,
        page=page,
        seen=False,
        lease_s=lease_s,
        now=now,
        own={claim.sample_id: claim for claim, _ in own},
    )
    chances = rest.chances()
    for claim in taken:
        if claim.query_id is None:
            claim.acquisition, claim.acquisition_probability = RANDOM, chances[claim.sample_id]
    return describe(session, [*kept, *taken])


def _own_and_due(session: Session, project_id: int, annotator_id: int, page: str) -> list[tuple[Claim, bool]]:
    """The page's claims by place in the ranking, and whether each still waits for their decision."""
    rows = session.execute(_select_own(), {"project_id": project_id, "annotator_id": annotator_id, "page": page})
    return [(claim, bool(is_due)) for claim, is_due in rows]


@cache
def _select_own() -> Executable:
    undecided = ~exists().where(CurrentDecision.sample_id == Claim.sample_id)
    whole = ~exists().where(SampleError.sample_id == Claim.sample_id)
    due = case((Claim.query_id.is_(None), and_(undecided, whole)), else_=is_askable_to(_ANNOTATOR))
    return (
        select(Claim, due)
        .outerjoin(Query, Query.id == Claim.query_id)
        .where(is_own(_PROJECT, _ANNOTATOR, _PAGE))
        .order_by(Query.round_id.asc().nulls_first(), Query.rank)  # of an earlier round first: it was shown before
    )


def _kept(own: Sequence[tuple[Claim, bool]], keep: Sequence[str]) -> list[Claim]:
    """The claims that stay, marked as seen: those of the page first."""
    place = {token: number for number, token in enumerate(keep)}
    kept = [claim for claim, due in own if due and not claim.in_grid and (claim.seen or claim.token in place)]
    for claim in kept:
        if not claim.seen:  # what is told again that it is seen is looked at whole at the next flush
            claim.seen = True
    return sorted(kept, key=lambda claim: place.get(claim.token, len(place)))


def _best_free(
    session: Session,
    project_id: int,
    annotator_id: int,
    page: str,
    count: int,
    kept: Sequence[Claim],
    lease_s: float,
    now: datetime,
) -> list[tuple[int, int | None]]:
    """Sample and query ids of the best the annotator may have besides, by rank."""
    values = {
        "project_id": project_id,
        "annotator_id": annotator_id,
        "page": page,
        "now": now,
        "latest": latest_claim(now, lease_s=lease_s),
        "count": len(kept) + max(0, count),
    }
    own = {claim.sample_id for claim in kept}  # left out here: a list in the statement is written out at every call
    free = [(sample_id, query_id) for sample_id, query_id in session.execute(_select_free(), values)]
    return [line for line in free if line[0] not in own][: max(0, count)]


@cache
def _select_free() -> Executable:
    return (
        select(Query.sample_id, Query.id)
        .where(in_open_round(_PROJECT))
        .where(is_askable_to(_ANNOTATOR), has_room_for(_ANNOTATOR, _PAGE, now=_NOW, latest=_LATEST))
        .order_by(Query.rank)
        .limit(bindparam("count", type_=Integer))
    )


def put_on_screen(
    session: Session,
    *,
    project_id: int,
    annotator_id: int,
    sample_id: int,
    page: str = "",
    now: datetime | None = None,
) -> bool:
    """Claim one sample besides what the page has; False when as many others have it as decisions are wanted."""
    now = now or utc_now()
    query_id = latest_query_id(session, sample_id=sample_id)
    latest = latest_claim(now)
    is_this_page = and_(Claim.annotator_id == annotator_id, Claim.page == page)
    others = (Claim.sample_id == sample_id, ~is_this_page, is_live(now, latest))
    if session.scalar(select(Claim.id).where(*others).limit(1)) is not None:
        room = select(Query.id).where(Query.id == query_id, has_room_for(annotator_id, page, now=now, latest=latest))
        if session.scalar(room) is None:
            return False
    whose: dict[str, Any] = {"project_id": project_id, "annotator_id": annotator_id, "page": page}
    take(session, [(sample_id, query_id)], **whose, seen=True, lease_s=LEASE_S, now=now)
    return True


def return_to(session: Session, *, project_id: int, annotator_id: int, sample_id: int, page: str = "") -> list[str]:
    """Put back on screen what a page showed before it was loaded anew, if it still waits for this annotator.

    Its claim may be gone: a request from before the page showed it asked for the best of that moment, and no more.

    Returns:
        The claim's token, for `claim_batch` to keep it first; nothing if the sample is not to be had.
    """
    waits = (Query.id == latest_query_id(session, sample_id=sample_id), is_askable_to(annotator_id))
    of_project = select(Query.id).join(Sample, Sample.id == Query.sample_id).where(Sample.project_id == project_id)
    if session.scalar(of_project.where(*waits)) is None:
        return []
    whose: dict[str, Any] = {"project_id": project_id, "annotator_id": annotator_id, "page": page}
    put_on_screen(session, **whose, sample_id=sample_id)
    own = select(Claim.token).where(Claim.sample_id == sample_id, is_own(project_id, annotator_id, page))
    return list(session.scalars(own))
