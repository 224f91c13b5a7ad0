"""What a round has scored and not asked: the queue goes on with it while the next round is in training."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.project.scores import RoundScores, read_scores, scores_path
from app.trainer.overlap import annotators_wanted
from app.trainer.workbench import Workbench
from storage.rounds import NewQuery, RoundInfo

LONGEST = 20  # times a ranking; nobody labels so many before the next one


@dataclass(frozen=True)
class Reserve:
    """Samples of the pool by falling score; the audit's are none of them."""

    bench: Workbench
    scores: RoundScores | None  # None: the round wrote none
    rows: NDArray[np.int64]  # of the scores

    def next(self, count: int, *, without: Collection[int]) -> list[NewQuery]:
        """The best that are not asked or decided yet."""
        if self.scores is None:
            return []
        free = self.rows[~np.isin(self.scores.sample_ids[self.rows], list(without))]
        return [self._query(self.scores, row, rank) for rank, row in enumerate(free[:count].tolist())]

    def _query(self, scores: RoundScores, row: int, rank: int) -> NewQuery:
        sample_id = int(scores.sample_ids[row])
        return NewQuery(
            sample_id=sample_id,
            rank=rank,
            purpose="train",
            score=float(scores.measures["score"][row]),
            acquisition_probability=1.0,
            suggestion=int(scores.predicted_N[row]),
            suggestion_probability=float(scores.confidence_N[row]),
            annotators=annotators_wanted(sample_id, self.bench.settings),
        )


def reserve_of(bench: Workbench, round_info: RoundInfo) -> Reserve:
    """Reads it from the scores that the round has written; empty if it wrote none.

    Raises:
        UnreadableScoresError: If the file is there and cannot be read.
    """
    path = scores_path(bench.project.rounds_dir, round_info.number)
    if not path.exists():
        return Reserve(bench, None, np.empty(0, np.int64))
    scores = read_scores(path)
    may_be_asked = bench.pool.ids[bench.pool.audit_keys >= bench.settings.audit_share]
    rows = np.flatnonzero(np.isin(scores.sample_ids, may_be_asked))
    falling = np.argsort(-scores.measures["score"][rows], kind="stable")
    return Reserve(bench, scores, rows[falling[: LONGEST * bench.loop_settings.ranking_size]])
