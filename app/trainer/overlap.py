"""Which samples several annotators decide on, and how those still waiting for somebody come back in the ranking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from app.project.settings import ProjectSettings
from loops.seeding import seed_of
from storage.overlap import PendingSample
from storage.rounds import NewQuery

_TOP = 2**63  # above every seed


def annotators_wanted(sample_id: int, settings: ProjectSettings) -> int:
    """How many annotators a sample is for: drawn from its id, so that it is the same in every round.

    Drawn apart from the audit's own draw, so that audit samples overlap as often as others.
    """
    overlaps = seed_of(settings.seed, "overlap", sample_id) / _TOP < settings.overlap_share
    return settings.overlap if overlaps else 1


def with_pending(
    ranking: Sequence[NewQuery], pending: Sequence[PendingSample], settings: ProjectSettings
) -> list[NewQuery]:
    """Put samples that wait for further annotators between the others, as often as samples overlap.

    Who decided on them already is not asked again; who did not meets them at the pace at which others make them. What
    is left comes last: when the pool is used up, it is all there is to ask.
    """
    if settings.overlap == 1 or settings.overlap_share == 0:
        return list(ranking)
    asked = {query.sample_id for query in ranking}
    waiting = iter([_asked_again(sample) for sample in pending if sample.sample_id not in asked])
    return [replace(query, rank=rank) for rank, query in enumerate(_mixed(ranking, waiting, settings.overlap_share))]


def _mixed(ranking: Iterable[NewQuery], waiting: Iterator[NewQuery], share: float) -> Iterator[NewQuery]:
    due = 0.0
    for query in ranking:
        due += share
        if due >= 1.0:
            due -= 1.0
            yield from _next_of(waiting)
        yield query
    yield from waiting


def _next_of(waiting: Iterator[NewQuery]) -> Iterator[NewQuery]:
    found = next(waiting, None)
    if found is not None:
        yield found


def _asked_again(sample: PendingSample) -> NewQuery:
    return NewQuery(
        sample.sample_id,
        0,  # given when it has found its place
        sample.purpose,
        sample.score,
        sample.acquisition_probability,
        annotators=sample.annotators,
    )
