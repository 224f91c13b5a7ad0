"""What the label events say of each round, beside what the round itself noted.

Labels, questions and where each decision came from are worked out anew; models are not fitted again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storage.current import current_labels
from storage.engine import Database
from storage.labels import LabelEventInfo, list_events
from storage.rounds import QueryInfo, RoundInfo, list_queries, list_rounds

_COPIED = ("rank", "score", "purpose", "acquisition_probability")  # from a question to the decision on it


@dataclass(frozen=True)
class ReplayedRound:
    """One round, worked out anew."""

    number: int
    labels: int  # to train on, when it began
    decisions: int  # on its questions
    differences: tuple[str, ...]  # sentences; empty: the record agrees with itself


def replayed_rounds(database: Database, project_id: int) -> list[ReplayedRound]:
    """Work every round out from the events."""
    with database.read() as session:
        events = list_events(session, project_id=project_id)
        found = []
        for info in list_rounds(session, project_id=project_id):
            standing = current_labels(session, project_id=project_id, through_event_id=info.snapshot_event_id)
            labels = sum(one.action == "label" and one.purpose != "audit" for one in standing)
            queries = list_queries(session, round_id=info.id)
            asked = [event for event in events if event.round_number == info.number and event.action != "undo"]
            differences = (*_of_labels(info, labels), *_of_ranking(queries), *_of_decisions(asked, queries))
            found.append(ReplayedRound(info.number, labels, len(asked), differences))
    return found


def _of_labels(info: RoundInfo, labels: int) -> Iterator[str]:
    if labels != info.labels:
        yield f"{info.labels:,} labels were noted, the events say {labels:,}"


def _of_ranking(queries: Sequence[QueryInfo]) -> Iterator[str]:
    ranks = sorted(query.rank for query in queries)
    if len(set(ranks)) != len(ranks):
        yield "two questions have one rank"


def _of_decisions(asked: Sequence[LabelEventInfo], queries: Sequence[QueryInfo]) -> Iterator[str]:
    """A decision tells of its question what the ranking had; ranks below zero came after a label."""
    by_sample = {query.sample_id: query for query in queries}
    for event in asked:
        query = by_sample.get(event.sample_id)
        if query is None or event.rank is None or event.rank != query.rank:
            continue  # it was ranked anew since, or drawn at random when the round had no more
        for name in _COPIED:
            noted, said = getattr(query, name), getattr(event, name)
            if noted != said:
                yield f"decision {event.id}: {name} {said}, and {noted} in the ranking"
