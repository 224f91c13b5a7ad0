"""Rounds: ``training -> scoring -> open -> closed``, or ``failed``. Written by the trainer only.

Each step is one transaction guarded by the round's state and the trainer's generation, so that a step repeated after a
crash changes nothing and a trainer that was replaced cannot write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select

from storage.engine import Session
from storage.errors import InvalidQueryError, RoundStateError, StaleGenerationError, UnknownRoundError
from storage.metrics import NewConfusion, NewMetric, merge_metrics, replace_metrics
from storage.models import LabelEvent, Query, Round
from storage.plain import finite, to_info, utc_now
from storage.trainer import refuse_stale_generation

PUBLISHED = ("open", "closed")
PURPOSES = ("train", "audit", "recheck")


@dataclass(frozen=True)
class RoundInfo:
    """One turn of the loop."""

    id: int
    number: int  # 0 is the cold start
    state: str  # training | scoring | open | closed | failed
    generation: int  # of the trainer that works on it
    trigger: str  # why it began
    reason: str | None  # why it failed
    snapshot_event_id: int  # it knows the label events up to this one
    labels: int  # it trains on
    predictor: str
    acquisition: str
    model_version: str
    started_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    fit_seconds: float | None
    score_seconds: float | None
    checkpoint: str | None
    checkpoint_sha256: str | None
    checkpoint_bytes: int | None


@dataclass(frozen=True)
class NewQuery:
    """One line of a ranking; rank 0 is asked first."""

    sample_id: int
    rank: int
    purpose: str  # one of PURPOSES; a recheck is a blind second look at a labeled sample
    score: float | None  # higher is asked first; a cold start has none
    acquisition_probability: float | None
    suggestion: int | None = None  # class index
    suggestion_probability: float | None = None
    annotators: int = 1  # how many should decide, each blind to the others
    predictor: str | None = None  # who asks, such as "network" or "graph"
    predictor_version: str | None = None  # its round or checkpoint
    predictor_labels: int | None = None  # it had seen


@dataclass(frozen=True)
class QueryInfo(NewQuery):
    """A stored line of a ranking."""

    id: int = 0


def latest_round(session: Session, *, project_id: int) -> RoundInfo | None:
    """Return the round with the highest number."""
    row = session.scalar(select(Round).where(Round.project_id == project_id).order_by(Round.number.desc()).limit(1))
    return to_info(RoundInfo, row) if row else None


def list_rounds(session: Session, *, project_id: int) -> list[RoundInfo]:
    """List all rounds by number."""
    rows = session.scalars(select(Round).where(Round.project_id == project_id).order_by(Round.number))
    return [to_info(RoundInfo, row) for row in rows]


def open_round(session: Session, *, project_id: int) -> RoundInfo | None:
    """Return the round whose ranking is in force."""
    row = session.scalar(select(Round).where(Round.project_id == project_id, Round.state == "open"))
    return to_info(RoundInfo, row) if row else None


def begin_round(
    session: Session,
    *,
    project_id: int,
    generation: int,
    trigger: str,
    labels: int,
    predictor: str,
    acquisition: str,
    snapshot_event_id: int,
) -> RoundInfo:
    """Begin the next round; the first is number 0.

    Raises:
        RoundStateError: When the latest round is not open or closed: resume it instead.
        StaleGenerationError: When a newer trainer has taken over.
    """
    refuse_stale_generation(session, project_id=project_id, generation=generation)
    latest = latest_round(session, project_id=project_id)
    if latest is not None and latest.state not in ("open", "closed"):
        raise RoundStateError(wanted="begin another round", number=latest.number, state=latest.state)
    number = 0 if latest is None else latest.number + 1
    begun = Round(
        project_id=project_id,
        number=number,
        state="training",
        generation=generation,
        trigger=trigger,
        snapshot_event_id=snapshot_event_id,
        labels=labels,
        predictor=predictor,
        acquisition=acquisition,
        model_version=f"round-{number}",
        started_at=utc_now(),
    )
    session.add(begun)
    session.flush()
    return to_info(RoundInfo, begun)


def mark_scoring(
    session: Session, *, round_id: int, generation: int, checkpoint: str | None, sha256: str | None, size: int | None
) -> None:
    """Note that the model is trained and its checkpoint is on disk; repeated, it lists the newer checkpoint.

    Args:
        session: A writing session.
        round_id: The round.
        generation: The trainer's.
        checkpoint: The file as the trainer names it; None for a cold start, which has no model.
        sha256: Of the file, hexadecimal.
        size: Of the file, in bytes.

    Raises:
        RoundStateError: When the round is neither training nor scoring.
        StaleGenerationError: When a newer trainer has taken over.
    """
    row = _own_round(session, round_id, generation, wanted="score", states=("training", "scoring"))
    row.state = "scoring"
    row.checkpoint, row.checkpoint_sha256, row.checkpoint_bytes = checkpoint, sha256, size
    session.flush()


def publish_round(
    session: Session,
    *,
    round_id: int,
    generation: int,
    queries: Sequence[NewQuery],
    metrics: Sequence[NewMetric],
    confusion: Sequence[NewConfusion] = (),
    fit_seconds: float,
    score_seconds: float,
) -> bool:
    """Put a ranking in force: this round opens and the one before closes, in one transaction.

    Returns:
        False, and nothing is changed, when the round was published before.

    Raises:
        InvalidQueryError: When a purpose is unknown, or an audit sample is to be rechecked: it would be trained on.
        RoundStateError: When the round is not scoring.
        StaleGenerationError: When a newer trainer has taken over.
    """
    row = _round(session, round_id)
    if row.state in PUBLISHED:
        return False
    row = _own_round(session, round_id, generation, wanted="publish", states=("scoring",))
    _check_queries(session, queries)
    insert_queries(session, round_id=round_id, queries=queries)
    replace_metrics(session, round_id=round_id, metrics=metrics, confusion=confusion)
    now = utc_now()
    for previous in session.scalars(select(Round).where(Round.project_id == row.project_id, Round.state == "open")):
        previous.state, previous.closed_at = "closed", now
    session.flush()  # first: the database allows one open round
    row.state, row.opened_at = "open", now
    row.fit_seconds, row.score_seconds = fit_seconds, score_seconds
    session.flush()
    return True


def add_metrics(session: Session, *, round_id: int, generation: int, metrics: Sequence[NewMetric]) -> None:
    """Add numbers that were measured after the round was published; one of the same name and class is replaced.

    Raises:
        RoundStateError: When the round is not published yet: hand them to `publish_round`.
        StaleGenerationError: When a newer trainer has taken over.
    """
    row = fenced_round(session, round_id=round_id, generation=generation)
    if row.state not in PUBLISHED:
        raise RoundStateError(wanted="add metrics", number=row.number, state=row.state)
    merge_metrics(session, round_id=round_id, metrics=metrics)


def fail_round(session: Session, *, round_id: int, generation: int, reason: str) -> None:
    """Note why a round failed; the ranking before it stays in force.

    Raises:
        RoundStateError: When the round was published before.
        StaleGenerationError: When a newer trainer has taken over.
    """
    row = _own_round(session, round_id, generation, wanted="fail", states=("training", "scoring", "failed"))
    row.state, row.reason = "failed", reason
    session.flush()


def resume_round(session: Session, *, round_id: int, generation: int) -> RoundInfo:
    """Take over a failed or unfinished round: back to scoring where its checkpoint is listed, else to training.

    Raises:
        RoundStateError: When the round was published before.
        StaleGenerationError: When a newer trainer has taken over.
    """
    row = _round(session, round_id)
    if row.state in PUBLISHED:
        raise RoundStateError(wanted="resume", number=row.number, state=row.state)
    _refuse_stale(session, row, generation)
    row.generation, row.reason = generation, None
    row.state = "scoring" if row.checkpoint else "training"
    session.flush()
    return to_info(RoundInfo, row)


def list_queries(session: Session, *, round_id: int) -> list[QueryInfo]:
    """List a round's ranking, first asked first."""
    rows = session.scalars(select(Query).where(Query.round_id == round_id).order_by(Query.rank))
    return [to_info(QueryInfo, row) for row in rows]


def insert_queries(session: Session, *, round_id: int, queries: Sequence[NewQuery]) -> None:
    """Add lines to a round's ranking."""
    rows = [{**vars(query), "round_id": round_id, "score": finite(query.score)} for query in queries]
    if rows:
        session.connection().execute(insert(Query), rows)  # not the ORM's insert: a third of the time


def fenced_round(session: Session, *, round_id: int, generation: int) -> Round:
    """Return a round to the trainer in charge, which need not be the one that published it.

    Raises:
        UnknownRoundError: When there is no such round.
        StaleGenerationError: When a newer trainer has taken over.
    """
    row = _round(session, round_id)
    _refuse_stale(session, row, generation)
    return row


def _round(session: Session, round_id: int) -> Round:
    row = session.get(Round, round_id)
    if row is None:
        raise UnknownRoundError(round_id)
    return row


def _own_round(session: Session, round_id: int, generation: int, *, wanted: str, states: Sequence[str]) -> Round:
    row = fenced_round(session, round_id=round_id, generation=generation)
    if row.generation != generation:
        raise RoundStateError(wanted=f"{wanted} without resuming it", number=row.number, state=row.state)
    if row.state not in states:
        raise RoundStateError(wanted=wanted, number=row.number, state=row.state)
    return row


def _refuse_stale(session: Session, row: Round, generation: int) -> None:
    if generation < row.generation:
        raise StaleGenerationError(generation=generation, current=row.generation)
    refuse_stale_generation(session, project_id=row.project_id, generation=generation)


def _check_queries(session: Session, queries: Sequence[NewQuery]) -> None:
    for query in queries:
        if query.purpose not in PURPOSES:
            raise InvalidQueryError(query.sample_id, f"its purpose {query.purpose!r} is none of {', '.join(PURPOSES)}")
        if query.annotators < 1:
            raise InvalidQueryError(query.sample_id, f"it wants {query.annotators} annotators")
        if query.purpose == "recheck" and _is_audited(session, query.sample_id):
            raise InvalidQueryError(query.sample_id, "it belongs to the audit, whose labels must stay as they came")


def _is_audited(session: Session, sample_id: int) -> bool:
    """The latest event tells, even of a label that was undone: corrections and undos keep the purpose."""
    latest = select(func.max(LabelEvent.id)).where(LabelEvent.sample_id == sample_id).scalar_subquery()
    return session.scalar(select(LabelEvent.purpose).where(LabelEvent.id == latest)) == "audit"
