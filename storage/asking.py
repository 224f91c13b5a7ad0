"""Which queries of the open round still wait for an answer, for whom, and how far the round is.

A query is answered by one decision, by those of as many annotators as it wants, or by one on Review; a skip counts as
a decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, distinct, exists, func, or_, select

from storage.engine import Session
from storage.events import DECISIONS, is_adjudication, is_undone
from storage.models import Claim, CurrentDecision, LabelEvent, Query, Round, SampleError

Id = int | ColumnElement[int]  # a number, or a parameter of a statement that is built once
Page = str | ColumnElement[str]
Time = datetime | ColumnElement[datetime]

LEASE_S = 60.0  # an open page renews its claims more often; a closed one frees its samples within a minute


@dataclass(frozen=True)
class RoundProgress:
    """How far the open round is; all zero without one."""

    round_number: int | None
    answered_audit: int  # queries with a current label
    remaining: int  # queries that may still be asked


def round_progress(session: Session, *, project_id: int) -> RoundProgress:
    """Count the open round's queries; a skip leaves the ranking but answers nothing."""
    number = session.scalar(select(Round.number).where(Round.project_id == project_id, Round.state == "open"))
    if number is None:
        return RoundProgress(None, 0, 0)
    audited = session.scalar(
        select(func.count(Query.id))
        .join(CurrentDecision, CurrentDecision.sample_id == Query.sample_id)
        .where(in_open_round(project_id), Query.purpose == "audit", CurrentDecision.action == "label", _are_enough())
    )
    remaining = session.scalar(select(func.count(Query.id)).where(in_open_round(project_id), is_askable())) or 0
    return RoundProgress(number, audited or 0, remaining)


def in_open_round(project_id: Id) -> ColumnElement[bool]:
    """Say of a row of ``Query`` whether it belongs to the ranking in force."""
    opened = select(Round.id).where(Round.project_id == project_id, Round.state == "open").scalar_subquery()
    return Query.round_id == opened


def is_askable() -> ColumnElement[bool]:
    """Say of a row of ``Query`` whether it still waits for an answer and its sample can be shown."""
    answered = and_(exists().where(CurrentDecision.sample_id == Query.sample_id, _counts()), _are_enough())
    return and_(~answered, ~exists().where(SampleError.sample_id == Query.sample_id))


def is_askable_to(annotator_id: Id) -> ColumnElement[bool]:
    """Say it for one annotator: nobody decides twice about a query that wants several."""
    own = exists().where(_decides(), LabelEvent.annotator_id == annotator_id)
    return and_(is_askable(), or_(_wants_one(), ~own))


def has_room_for(annotator_id: Id, page: Page, *, now: Time, latest: Time) -> ColumnElement[bool]:
    """Say of a row of ``Query`` whether its sample is with fewer others than the query still wants decisions.

    Another page of the same annotator is no other opinion: what it holds is never given twice.
    """
    others = and_(Claim.sample_id == Query.sample_id, Claim.annotator_id != annotator_id, is_live(now, latest))
    held = select(func.count()).select_from(Claim).where(others).correlate(Query).scalar_subquery()
    free = or_(~exists().where(others), and_(~_wants_one(), held < Query.annotators - _deciders()))
    on_this_page_if_own = or_(Claim.annotator_id != annotator_id, Claim.page == page)
    elsewhere = and_(Claim.sample_id == Query.sample_id, ~on_this_page_if_own, is_live(now, latest))
    return and_(~exists().where(elsewhere), free)


def is_on_a_screen(*, now: datetime) -> ColumnElement[bool]:
    """Say of a row of ``Query`` whether somebody has its sample on screen; one only fetched ahead is not."""
    return exists().where(Claim.sample_id == Query.sample_id, Claim.seen, is_live(now, latest_claim(now)))


def is_live(now: Time, latest: Time) -> ColumnElement[bool]:
    """Say of a row of ``Claim`` whether it counts: not expired, and not from a future the clock came back from.

    Args:
        now: The time.
        latest: The latest time at which a claim can have been made, see `latest_claim`.
    """
    return and_(Claim.expires_at > now, Claim.claimed_at <= latest)


def latest_claim(now: datetime, *, lease_s: float = LEASE_S) -> datetime:
    """Return the time behind which a claim is one that the clock came back from."""
    return now + timedelta(seconds=lease_s)


def latest_query_id(session: Session, *, sample_id: int) -> int | None:
    """Return the latest query about a sample."""
    return session.scalar(select(func.max(Query.id)).where(Query.sample_id == sample_id))


def wants_opinion(session: Session, *, query_id: int, annotator_id: int) -> bool:
    """Whether a query waits for this annotator's decision beside those of others, be it their second thought."""
    others = select(func.count(distinct(LabelEvent.annotator_id))).where(_decides())
    others = others.where(LabelEvent.annotator_id != annotator_id).correlate(Query)
    vote = and_(~_wants_one(), others.scalar_subquery() < Query.annotators, ~_is_settled())
    recheck = and_(Query.purpose == "recheck", is_askable())
    return session.scalar(select(Query.id).where(Query.id == query_id, or_(vote, recheck))) is not None


def _is_settled() -> ColumnElement[bool]:
    return exists().where(_decides(), is_adjudication())


def _wants_one() -> ColumnElement[bool]:
    return or_(Query.annotators == 1, Query.purpose == "recheck")


def _are_enough() -> ColumnElement[bool]:
    """Say of a row of ``Query`` with a decision whether it wants no more; most want one, and no event is counted.

    After a decision on Review nobody is asked either: a late vote would stand above it.
    """
    return or_(_wants_one(), _deciders() >= Query.annotators, _is_settled())


def _counts() -> ColumnElement[bool]:
    """Say of a row of ``CurrentDecision`` whether it counts for the row of ``Query`` about its sample.

    A recheck is asked about a label that stands already: only a decision that the round did not know answers it.
    """
    known = select(Round.snapshot_event_id).where(Round.id == Query.round_id).correlate(Query).scalar_subquery()
    return or_(Query.purpose != "recheck", CurrentDecision.event_id > known)


def _deciders() -> ScalarSelect[Any]:
    """The number of annotators who have a decision on a query's sample, however old it is."""
    return select(func.count(distinct(LabelEvent.annotator_id))).where(_decides()).correlate(Query).scalar_subquery()


def _decides() -> ColumnElement[bool]:
    return and_(LabelEvent.sample_id == Query.sample_id, LabelEvent.action.in_(DECISIONS), ~is_undone())
