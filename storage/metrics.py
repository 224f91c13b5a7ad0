"""What a round measured: numbers with their intervals, and confusion matrices."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from storage.engine import Session
from storage.models import Confusion, Metric, Round
from storage.plain import finite, to_info

UNBIASED = ("accuracy_test", "accuracy_audit")  # measured on samples nobody chose; the narrower interval first
PROVEN = "proven"  # metric of a round: the estimate of what is right of the rest; low: the share that is proven
STOPPED = "stopping_criterion_met"  # metric of a round: whether the project's stopping criterion was


@dataclass(frozen=True)
class NewMetric:
    """One number; ``low`` and ``high`` bound it, ``n`` is what it was counted on."""

    name: str  # such as "accuracy_audit", "accuracy_cross_validated", "mean_bald", "recall_test" (with a class)
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    class_index: int | None = None


@dataclass(frozen=True)
class MetricInfo:
    """A stored number and the round it belongs to."""

    round_number: int
    labels: int  # the round trained on
    name: str
    value: float
    low: float | None
    high: float | None
    n: int | None
    class_index: int | None


@dataclass(frozen=True)
class NewConfusion:
    """How many samples of one class were predicted as another."""

    dataset: str  # test | audit | validation
    true_index: int
    predicted_index: int
    count: int


def list_metrics(
    session: Session, *, project_id: int, name: str | None = None, by: datetime | None = None
) -> list[MetricInfo]:
    """List the metrics of published rounds by round: all, those of one name, or of the rounds published by a time."""
    query = (
        select(Metric, Round.number, Round.labels)
        .join(Round, Round.id == Metric.round_id)
        .where(Round.project_id == project_id)
        .order_by(Round.number, Metric.id)
    )
    if name is not None:
        query = query.where(Metric.name == name)
    if by is not None:
        query = query.where(Round.opened_at <= by)
    rows = session.execute(query)
    return [to_info(MetricInfo, metric, round_number=number, labels=labels) for metric, number, labels in rows]


def list_confusion(session: Session, *, project_id: int, round_number: int, dataset: str) -> list[NewConfusion]:
    """List the filled cells of one round's confusion matrix."""
    rows = session.scalars(
        select(Confusion)
        .join(Round, Round.id == Confusion.round_id)
        .where(Round.project_id == project_id, Round.number == round_number, Confusion.dataset == dataset)
        .order_by(Confusion.true_index, Confusion.predicted_index)
    )
    return [to_info(NewConfusion, row) for row in rows]


def replace_metrics(
    session: Session, *, round_id: int, metrics: Sequence[NewMetric], confusion: Sequence[NewConfusion]
) -> None:
    """Store a round's numbers; one that is not defined (the recall of a class without samples: NaN) is left out."""
    for table in (Metric, Confusion):
        session.execute(delete(table).where(table.round_id == round_id))
    _insert(session, round_id, metrics)
    cells = [{**vars(cell), "round_id": round_id} for cell in confusion if cell.count]
    if cells:
        session.execute(insert(Confusion), cells)


def merge_metrics(session: Session, *, round_id: int, metrics: Sequence[NewMetric]) -> None:
    """Add numbers to a round's; the latest of a name and class stays, and one that is not defined leaves none."""
    latest = {(metric.name, metric.class_index): metric for metric in metrics}
    for name, class_index in latest:
        same = (Metric.round_id == round_id, Metric.name == name, Metric.class_index == class_index)  # None: IS NULL
        session.execute(delete(Metric).where(*same))
    _insert(session, round_id, latest.values())


def _insert(session: Session, round_id: int, metrics: Iterable[NewMetric]) -> None:
    rows = [_metric_row(round_id, metric) for metric in metrics if math.isfinite(metric.value)]
    if rows:
        session.execute(insert(Metric), rows)


def _metric_row(round_id: int, metric: NewMetric) -> dict[str, object]:
    bounds = {"low": finite(metric.low), "high": finite(metric.high)}
    return {**vars(metric), **bounds, "value": float(metric.value), "round_id": round_id}
