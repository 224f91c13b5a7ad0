"""Dealing grids to a page: which samples it keeps, which it gets, and why it gets none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from app.project.pool_map import PoolMap, map_path
from app.project.project import Project
from app.project.scores import RoundScores, scores_path
from app.screens.grid_page.choice import (
    LEAST,
    Candidates,
    class_to_offer,
    open_pool,
    sure_enough,
    sure_per_class,
    surest,
    tightest_group,
    without_classes,
)
from app.screens.grid_page.message import GridMessage
from app.screens.shared.round_scores import read_pool_map, read_round_scores
from storage.engine import Database
from storage.grid import claim_grid
from storage.queue import ClaimedSample, release_claims

_LEAST = f"a grid holds those it gives at least {100 * LEAST:.0f}\u00a0%."
_SPARE = 200  # candidates beyond a grid's size: some are on other people's screens, or audit samples


@dataclass(frozen=True)
class Source:
    """Where grids come from: the newest model's answers for the pool, or before a model the map of its samples."""

    classes: Sequence[str]
    scores: RoundScores | None
    placed: PoolMap | None
    retired: AbstractSet[int] = frozenset()  # classes that nobody is asked for; the model may still answer with them

    def candidates(self, message: GridMessage, taken: Iterable[int]) -> Candidates | None:
        """Samples for one more grid, best first; None when none is left."""
        at_most = message.size + _SPARE
        if self.scores is None:
            return self._group(message.size, set(taken), at_most)
        pool = sure_enough(without_classes(open_pool(self.scores, leave_out=set(taken)), self.retired))
        chosen = message.class_index if message.class_index is not None else class_to_offer(pool, len(self.classes))
        found = None if chosen is None else surest(pool, chosen, at_most=at_most)
        return found if found is not None and len(found.sample_ids) else None

    def sure(self, taken: Iterable[int]) -> list[int]:
        """How many confident samples each class has left."""
        if self.scores is None:
            return [0] * len(self.classes)
        pool = without_classes(open_pool(self.scores, leave_out=set(taken)), self.retired)
        return sure_per_class(pool, len(self.classes))

    def takes(self, class_index: int, taken: Iterable[int]) -> bool:
        """Whether the model takes any sample that is left for a class, however unsure."""
        return self.scores is not None and class_index in open_pool(self.scores, leave_out=set(taken)).predicted_N

    def _group(self, size: int, taken: set[int], at_most: int) -> Candidates | None:
        if self.placed is None:
            return None
        free = ~np.isin(self.placed.sample_ids, np.fromiter(taken, np.int64, len(taken)))
        return tightest_group(self.placed.sample_ids[free], self.placed.points_N_2[free], size=size, at_most=at_most)


@dataclass(frozen=True)
class DealtGrid:
    """One grid's samples, those in doubt first."""

    class_index: int | None
    samples: Sequence[ClaimedSample]
    doubt: Sequence[float]


def find_source(
    project: Project, *, round_number: int | None, classes: Sequence[str], retired: AbstractSet[int] = frozenset()
) -> Source:
    """Read the newest round's scores, or the map while there are none.

    Raises:
        UnreadableScoresError, UnreadableMapError: When a file is there and cannot be read.
    """
    path = None if round_number is None else scores_path(project.rounds_dir, round_number)
    if path is not None and path.exists():
        return Source(classes, read_round_scores(path), None, retired)
    return Source(classes, None, read_pool_map(map_path(project.features_dir)), retired)


def deal(
    database: Database,
    source: Source,
    message: GridMessage,
    *,
    project_id: int,
    annotator_id: int,
    audit_share: float,
    decided: set[int],
) -> list[DealtGrid]:
    """Keep what a page holds and give it the grids it wants; what it holds no longer goes back to the others.

    Each grid is claimed in a transaction of its own, and what it could hold is found before that begins: in a pool of
    a million it took 40 ms, during which nobody's label could be stored.

    Args:
        database: Of the project.
        source: Where grids come from.
        message: What the page holds and wants.
        project_id: The project.
        annotator_id: Whose page it is.
        audit_share: Share of the pool that is kept for the audit, 0 to 1.
        decided: Ids of the samples that have a decision.
    """
    whose: dict[str, Any] = {"project_id": project_id, "annotator_id": annotator_id, "page": message.page}
    claim = partial(
        claim_grid, project_id=project_id, annotator_id=annotator_id, page=message.page, audit_share=audit_share
    )
    with database.write() as session:
        kept = claim(session, sample_ids=message.held, count=len(message.held))
        release_claims(session, **whose, keep=[one.token for one in kept])
    taken = {*decided, *message.passed, *message.held}
    dealt: list[DealtGrid] = []
    for _ in range(message.want):
        found = source.candidates(message, taken)
        if found is None:
            break
        with database.write() as session:
            claimed = claim(session, sample_ids=found.sample_ids.tolist(), count=message.size)
        if not claimed:
            break
        dealt.append(_in_doubt_first(found, claimed))
        taken |= {one.sample.id for one in claimed}
    return dealt


def _in_doubt_first(found: Candidates, claimed: Sequence[ClaimedSample]) -> DealtGrid:
    doubt = dict(zip(found.sample_ids.tolist(), found.doubt_N.tolist(), strict=True))
    ordered = sorted(claimed, key=lambda one: (-doubt[one.sample.id], one.sample.id))
    return DealtGrid(found.class_index, ordered, [doubt[one.sample.id] for one in ordered])


def why_nothing(source: Source, message: GridMessage, *, round_number: int | None, taken: Iterable[int]) -> str:
    """Say why a page that wants a grid gets none."""
    if round_number is None:
        return "The first samples are not chosen yet: the trainer is looking at them. Grids appear by themselves."
    if source.scores is None and source.placed is None:
        return "The map of the samples is not drawn yet, and there is no model. Grids appear by themselves."
    if source.candidates(message, taken) is not None:
        return "All samples for this grid are on other people's screens, or kept for the audit."
    if source.scores is not None and message.class_index is not None:
        name = source.classes[message.class_index]
        if not source.takes(message.class_index, taken):
            return f"The model takes no further sample for {name}. Show another class."
        return f"The model is not sure enough of any further sample to be {name}: {_LEAST} Show another class."
    if source.scores is not None and len(open_pool(source.scores, leave_out=set(taken)).sample_ids):
        return f"The model is not sure enough of any further sample: {_LEAST} Label more on the Label page."
    return "No sample is left to be shown in a grid: the rest is asked one by one on the Label page."
