"""How much a round changed the model's mind: do its predictions of the pool agree with those of the round before?"""

from __future__ import annotations

import numpy as np

from app.project.scores import read_predictions, scores_path
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
        if (
            info.state in PUBLISHED
            and info.number not in done
            and scores_path(bench.project.rounds_dir, info.number - 1).exists()
        ):
            _measure(bench, info)


def _measure(bench: Workbench, info: RoundInfo) -> None:
    now, before = (read_predictions(scores_path(bench.project.rounds_dir, info.number - back)) for back in (0, 1))
    if now is None or before is None:
        return
    _, in_now, in_before = np.intersect1d(now.sample_ids, before.sample_ids, assume_unique=True, return_indices=True)
    kappa = cohens_kappa(now.predicted_N[in_now], before.predicted_N[in_before])
    if kappa is not None:
        with bench.database.write() as session:
            metric = NewMetric(METRIC, kappa, n=len(in_now))
            add_metrics(session, round_id=info.id, generation=bench.generation, metrics=[metric])
