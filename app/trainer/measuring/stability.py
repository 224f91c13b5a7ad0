"""How much a round changed the model's mind: do its predictions of the pool agree with those of the round before?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.trainer.workbench import Workbench
from loops.evaluation.stop_adviser import cohens_kappa
from storage.metrics import NewMetric, list_metrics
from storage.rounds import PUBLISHED, RoundInfo, add_metrics, list_rounds

METRIC = "prediction_kappa"


def measure_stability(bench: Workbench) -> None:
    """Stores Cohen's kappa of each round and the one before, once; over the samples that both have scored.

    Of closed rounds too: who labels quickly closes a round before anything was measured between it and the next.
    """
    with bench.database.read() as session:
        rounds = list_rounds(session, project_id=bench.project_id)
        done = {metric.round_number for metric in list_metrics(session, project_id=bench.project_id, name=METRIC)}
    for info in rounds:
        if info.state in PUBLISHED and info.number not in done and _scores(bench, info.number - 1).exists():
            _measure(bench, info)


def _measure(bench: Workbench, info: RoundInfo) -> None:
    now, before = _predictions(bench, info.number), _predictions(bench, info.number - 1)
    if now is None or before is None:
        return
    _, in_now, in_before = np.intersect1d(now[0], before[0], assume_unique=True, return_indices=True)
    kappa = cohens_kappa(now[1][in_now], before[1][in_before])
    if kappa is not None:
        with bench.database.write() as session:
            metric = NewMetric(METRIC, kappa, n=len(in_now))
            add_metrics(session, round_id=info.id, generation=bench.generation, metrics=[metric])


def _scores(bench: Workbench, round_number: int) -> Path:
    return bench.project.rounds_dir / f"{round_number:04d}" / "scores.parquet"


def _predictions(bench: Workbench, round_number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Sample ids and predicted classes of a round that has scored the pool."""
    path = _scores(bench, round_number)
    if not path.exists():
        return None
    table = pq.read_table(path, columns=["sample_id", "predicted"])
    return table["sample_id"].to_numpy().astype(np.int64), table["predicted"].to_numpy().astype(np.int64)
