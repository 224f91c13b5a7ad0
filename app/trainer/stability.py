"""How much a round changed the model's mind: do its predictions of the pool agree with those of the round before?"""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.trainer.workbench import Workbench
from loops.evaluation.stop_adviser import cohens_kappa
from storage.metrics import NewMetric, list_metrics
from storage.rounds import add_metrics, open_round

METRIC = "prediction_kappa"


def measure_stability(bench: Workbench) -> None:
    """Stores Cohen's kappa of the open round and the one before, once; over the samples that both have scored."""
    with bench.database.read() as session:
        latest = open_round(session, project_id=bench.project_id)
        done = {metric.round_number for metric in list_metrics(session, project_id=bench.project_id, name=METRIC)}
    if latest is None or latest.number in done:
        return
    now, before = _predictions(bench, latest.number), _predictions(bench, latest.number - 1)
    if now is None or before is None:
        return
    _, in_now, in_before = np.intersect1d(now[0], before[0], assume_unique=True, return_indices=True)
    kappa = cohens_kappa(now[1][in_now], before[1][in_before])
    if kappa is not None:
        with bench.database.write() as session:
            metric = NewMetric(METRIC, kappa, n=len(in_now))
            add_metrics(session, round_id=latest.id, generation=bench.generation, metrics=[metric])


def _predictions(bench: Workbench, round_number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Sample ids and predicted classes of a round that has scored the pool."""
    path = bench.project.rounds_dir / f"{round_number:04d}" / "scores.parquet"
    if not path.exists():
        return None
    table = pq.read_table(path, columns=["sample_id", "predicted"])
    return table["sample_id"].to_numpy().astype(np.int64), table["predicted"].to_numpy().astype(np.int64)
