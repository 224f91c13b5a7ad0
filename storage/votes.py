"""Votes: what several annotators said about the same sample, and the samples on which they disagree.

A vote is blind: given on the Label screen, where nobody sees what another one said. A decision on Review is no vote
but settles the disagreement, whoever makes it; it is told by its request id.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from storage.engine import Session
from storage.events import ADJUDICATION, DECISIONS, is_adjudication, is_undone
from storage.models import Annotator, LabelEvent
from storage.plain import pairs

__all__ = ["ADJUDICATION", "Disagreement", "Vote", "list_disagreements", "list_votes"]


@dataclass(frozen=True)
class Vote:
    """One annotator's standing label on a sample that others labeled too."""

    sample_id: int
    annotator_id: int
    annotator: str
    class_index: int
    event_id: int
    adjudicated: bool  # somebody settled the sample on Review after all its votes were there


@dataclass(frozen=True)
class Disagreement:
    """A sample whose votes differ and that nobody has settled yet."""

    sample_id: int
    votes: tuple[Vote, ...]


def list_votes(session: Session, *, project_id: int) -> list[Vote]:
    """List the votes on all samples with two or more, by sample and annotator; who took theirs back has none."""
    settled = _settled(session, project_id)
    voted = defaultdict[int, list[Any]](list)
    for row in _standing_votes(session, project_id):
        voted[row.sample_id].append(row)
    votes = list[Vote]()
    for sample_id, rows in voted.items():
        adjudicated = settled.get(sample_id, 0) > max(row.id for row in rows)
        if len(rows) > 1:
            votes += [Vote(sample_id, row.annotator_id, row.name, row.class_index, row.id, adjudicated) for row in rows]
    return votes


def list_disagreements(session: Session, *, project_id: int) -> list[Disagreement]:
    """List the samples that wait for somebody to settle them on Review, by sample id."""
    votes = defaultdict[int, list[Vote]](list)
    for vote in list_votes(session, project_id=project_id):
        if not vote.adjudicated:
            votes[vote.sample_id].append(vote)
    return [
        Disagreement(sample_id, tuple(given))
        for sample_id, given in votes.items()
        if len({vote.class_index for vote in given}) > 1
    ]


def _standing_votes(session: Session, project_id: int) -> list[Any]:
    """Each annotator's newest blind decision per sample, where it is a label."""
    newest = (
        select(func.max(LabelEvent.id))
        .where(LabelEvent.project_id == project_id, LabelEvent.action.in_(DECISIONS), ~is_undone())
        .where(~is_adjudication())
        .group_by(LabelEvent.sample_id, LabelEvent.annotator_id)
    )
    columns = (LabelEvent.sample_id, LabelEvent.annotator_id, Annotator.name, LabelEvent.class_index, LabelEvent.id)
    labels = select(*columns).join(Annotator, Annotator.id == LabelEvent.annotator_id)
    standing = labels.where(LabelEvent.id.in_(newest), LabelEvent.action == "label")
    return list(session.execute(standing.order_by(LabelEvent.sample_id, LabelEvent.annotator_id)))


def _settled(session: Session, project_id: int) -> dict[int, int]:
    """The newest standing decision on Review, as event id by sample."""
    rows = session.execute(
        select(LabelEvent.sample_id, func.max(LabelEvent.id))
        .where(LabelEvent.project_id == project_id, LabelEvent.action.in_(DECISIONS), ~is_undone())
        .where(is_adjudication())
        .group_by(LabelEvent.sample_id)
    )
    return pairs(rows)
