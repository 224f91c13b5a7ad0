"""Cross-validated predictions, weighted so that they speak for the pool, where samples were drawn at random."""

from __future__ import annotations

import numpy as np

from app.trainer.workbench import Workbench
from loops.cross_validation import CrossValidation
from loops.evaluation.estimates import lure_weighted_accuracy
from storage.labels import LabelEventInfo, list_events
from storage.metrics import NewMetric
from storage.sample_columns import read_columns

METRIC = "accuracy_lure"


def lure_weighted_metric(bench: Workbench, result: CrossValidation) -> NewMetric | None:
    """The LURE estimate of a round; None where no label was drawn at random.

    Out-of-fold predictions, because LURE removes the bias of the choice alone: a model that was fitted on these labels
    knows them by heart.
    """
    with bench.database.read() as session:
        events = list_events(session, project_id=bench.project_id)
        pool = read_columns(session, project_id=bench.project_id, split="pool")
    drawn = {event.sample_id: event for event in reversed(events) if event.action == "label"}  # the first of each
    right_N = (result.probs_N_C.argmax(axis=1) == result.labels_N).tolist()
    draws = sorted(
        (drawn[sample_id].id, right, _probability(drawn[sample_id]))
        for sample_id, right in zip(result.sample_ids.tolist(), right_N, strict=True)
    )
    estimate = lure_weighted_accuracy(
        [right for _, right, _ in draws],
        np.array([probability for _, _, probability in draws]),
        pool=int((pool.audit_keys >= bench.settings.audit_share).sum()),
    )
    return None if estimate is None else NewMetric(METRIC, estimate.accuracy, estimate.low, estimate.high, estimate.n)


def _probability(event: LabelEventInfo) -> float:
    """Of the draw; labels given outside the queue, and old ones, were chosen."""
    return 1.0 if event.acquisition_probability is None else event.acquisition_probability
