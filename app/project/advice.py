"""Whether to go on labeling: the stop adviser over what the rounds of a project have measured."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from loops.evaluation.learning_curve import AccuracyPoint
from loops.evaluation.stop_adviser import Advice, advise
from storage.current import labeled_classes
from storage.engine import Session
from storage.metrics import UNBIASED, MetricInfo, list_metrics
from storage.pace import seconds_per_decision
from storage.projects import list_classes

KAPPA = "prediction_kappa"
QUEUES = 5  # rounds that the forecast looks ahead, as many as a published ranking holds


def read_advice(session: Session, *, project_id: int, query_size: int) -> Advice:
    """Advise on a project as it is now."""
    kappas = list_metrics(session, project_id=project_id, name=KAPPA)
    names = [entry.name for entry in list_classes(session, project_id=project_id)]
    return advise(
        accuracy_points([m for name in UNBIASED for m in list_metrics(session, project_id=project_id, name=name)]),
        [kappa.value for kappa in kappas],
        next_labels=QUEUES * query_size,
        seconds_per_label=seconds_per_decision(session, project_id=project_id),
        classes=len(names),
        without_label=without_label(names, labeled_classes(session, project_id=project_id)),
    )


def without_label(names: Sequence[str], labeled: Collection[int]) -> list[str]:
    """The classes that no label has; none while there is no label at all, for then it goes without saying."""
    return [name for index, name in enumerate(names) if index not in labeled] if labeled else []


def accuracy_points(metrics: Sequence[MetricInfo]) -> list[AccuracyPoint]:
    """The points a forecast stands on: the test set's where there is one, else the audit's."""
    names = {metric.name for metric in metrics}
    name = next((name for name in UNBIASED if name in names), None)
    return [AccuracyPoint(m.labels, m.value, m.low, m.high) for m in metrics if m.name == name]
