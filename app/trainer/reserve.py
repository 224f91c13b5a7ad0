"""What a round has scored and not asked: the queue goes on with it while the next round is in training."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.trainer.overlap import annotators_wanted
from app.trainer.workbench import Workbench
from storage.rounds import NewQuery, RoundInfo

LONGEST = 20  # times a ranking; nobody labels so many before the next one


@dataclass(frozen=True)
class Reserve:
    """Samples of the pool by falling score; the audit's are none of them."""

    bench: Workbench
    sample_ids: NDArray[np.int64]
    table: pa.Table  # of the same samples: score, predicted, probs

    def next(self, count: int, *, without: Collection[int]) -> list[NewQuery]:
        """The best that are not asked or decided yet."""
        places = np.flatnonzero(~np.isin(self.sample_ids, list(without)))[:count]
        lines = self.table.take(places).to_pylist()
        return [
            NewQuery(
                sample_id=line["sample_id"],
                rank=rank,
                purpose="train",
                score=line["score"],
                acquisition_probability=1.0,
                suggestion=line["predicted"],
                suggestion_probability=float(max(line["probs"])),
                annotators=annotators_wanted(line["sample_id"], self.bench.settings),
            )
            for rank, line in enumerate(lines)
        ]


def reserve_of(bench: Workbench, round_info: RoundInfo) -> Reserve:
    """Reads it from the scores that the round has written; empty if it wrote none."""
    path = bench.project.rounds_dir / f"{round_info.number:04d}" / "scores.parquet"
    if not path.exists():
        return Reserve(bench, np.empty(0, np.int64), pa.table({}))
    table = pq.read_table(path, columns=["sample_id", "score", "predicted", "probs"])
    may_be_asked = bench.pool.ids[bench.pool.audit_keys >= bench.settings.audit_share]
    places = np.flatnonzero(np.isin(table["sample_id"].to_numpy(), may_be_asked))
    falling = np.argsort(-table["score"].to_numpy()[places], kind="stable")
    chosen = table.take(places[falling[: LONGEST * bench.loop_settings.ranking_size]])
    return Reserve(bench, chosen["sample_id"].to_numpy().astype(np.int64), chosen)
