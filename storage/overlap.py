"""Samples that wait for further annotators: decided by some, and wanted from more, each blind to the others."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from sqlalchemy import exists, func, select

from storage.engine import Session
from storage.events import DECISIONS, is_undone
from storage.models import LabelEvent, Query, Round, SampleError
from storage.votes import ADJUDICATION


@dataclass(frozen=True)
class PendingSample:
    """A sample with fewer decisions than its last query wants, and that query's values."""

    sample_id: int
    annotators: int  # wanted
    purpose: str
    score: float | None
    acquisition_probability: float | None


def list_pending(session: Session, *, project_id: int) -> list[PendingSample]:
    """List the samples that wait for further annotators, the longest waiting first.

    A decision on Review settles a sample: nobody is asked any more.
    """
    latest = (
        select(func.max(Query.id))
        .join(Round, Round.id == Query.round_id)
        .where(Round.project_id == project_id, Query.purpose != "recheck")
        .group_by(Query.sample_id)
    )
    broken = exists().where(SampleError.sample_id == Query.sample_id)
    wanted = select(Query).where(Query.id.in_(latest), Query.annotators > 1, ~broken).order_by(Query.id)
    queries = list(session.scalars(wanted))
    deciders, settled = _deciders(session, project_id) if queries else (Counter(), set())
    return [
        PendingSample(query.sample_id, query.annotators, query.purpose, query.score, query.acquisition_probability)
        for query in queries
        if query.sample_id not in settled and 0 < deciders[query.sample_id] < query.annotators
    ]


def _deciders(session: Session, project_id: int) -> tuple[Counter[int], set[int]]:
    """How many have a standing decision on each sample that wants several, and the samples settled on Review."""
    several = select(Query.sample_id).where(Query.annotators > 1)
    rows = session.execute(
        select(LabelEvent.sample_id, LabelEvent.annotator_id, LabelEvent.request_id).where(
            LabelEvent.project_id == project_id,
            LabelEvent.sample_id.in_(several),
            LabelEvent.action.in_(DECISIONS),
            ~is_undone(),
        )
    )
    deciders, settled = defaultdict[int, set[int]](set), set[int]()
    for sample_id, annotator_id, request_id in rows:
        deciders[sample_id].add(annotator_id)
        if request_id.startswith(ADJUDICATION):
            settled.add(sample_id)
    return Counter({sample_id: len(given) for sample_id, given in deciders.items()}), settled
