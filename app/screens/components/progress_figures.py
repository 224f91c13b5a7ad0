"""Everything the Progress screen shows, read in one transaction, and how it is put into rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from app.screens.components.forecast import AccuracyPoint
from storage.engine import Database
from storage.labels import CurrentLabel, current_labels
from storage.metrics import MetricInfo, list_metrics
from storage.projects import list_classes
from storage.rounds import RoundInfo, list_rounds
from storage.samples import SampleCounts, count_samples

PUBLISHED = ("open", "closed")
ACCURACIES = ("accuracy_audit", "accuracy_test")
MEANS = ("mean_bald", "mean_predictive_entropy")


@dataclass(frozen=True)
class ProgressFigures:
    """The project at one moment."""

    classes: list[str]
    counts: SampleCounts
    labels: list[CurrentLabel]
    rounds: list[RoundInfo]
    metrics: list[MetricInfo]

    @property
    def accuracies(self) -> list[MetricInfo]:
        """Accuracy points of all rounds, audit and test."""
        return [metric for metric in self.metrics if metric.name in ACCURACIES]

    @property
    def published(self) -> list[RoundInfo]:
        """Rounds whose ranking was opened, oldest first."""
        return [info for info in self.rounds if info.state in PUBLISHED]

    def latest(self, name: str) -> MetricInfo | None:
        """The newest value of a metric of the whole project."""
        found = [metric for metric in self.metrics if metric.name == name and metric.class_index is None]
        return max(found, key=lambda metric: metric.round_number, default=None)

    def accuracy_now(self) -> MetricInfo | None:
        """The accuracy to show first: the audit's, or the test set's while nothing was audited."""
        return self.latest("accuracy_audit") or self.latest("accuracy_test")

    def curve_points(self) -> tuple[str, list[AccuracyPoint]]:
        """The points a forecast stands on: the test set's where there is one, it has the narrower interval."""
        names = {metric.name for metric in self.accuracies}
        name = "accuracy_test" if "accuracy_test" in names else "accuracy_audit"
        points = [AccuracyPoint(m.labels, m.value, m.low, m.high) for m in self.accuracies if m.name == name]
        return name.removeprefix("accuracy_"), points

    def labels_per_class(self, *, audit: bool) -> Counter[int]:
        """Current labels by class index: those measured with, or those trained on."""
        return Counter(
            label.class_index
            for label in self.labels
            if label.class_index is not None and (label.purpose == "audit") is audit
        )


def read_figures(database: Database, project_id: int) -> ProgressFigures:
    """Read the project in one transaction, so that no figure contradicts another."""
    with database.read() as session:
        return ProgressFigures(
            classes=[info.name for info in list_classes(session, project_id=project_id)],
            counts=count_samples(session, project_id=project_id),
            labels=current_labels(session, project_id=project_id),
            rounds=list_rounds(session, project_id=project_id),
            metrics=list_metrics(session, project_id=project_id),
        )


def balance_rows(figures: ProgressFigures) -> pd.DataFrame:
    """Labels per class and purpose, zeros included: an empty class must be seen."""
    rows = [
        (name, purpose, figures.labels_per_class(audit=audit)[index])
        for purpose, audit in (("trained on", False), ("audit", True))
        for index, name in enumerate(figures.classes)
    ]
    return pd.DataFrame(rows, columns=["class", "purpose", "labels"])


def round_rows(rounds: Sequence[RoundInfo]) -> pd.DataFrame:
    """The rounds, newest first, in the words of the table."""
    return pd.DataFrame(
        [
            {
                "Round": info.number,
                "State": info.state,
                "Labels": info.labels,
                "Started by": info.trigger,
                "Reason": info.reason or "",
                "Started": info.started_at,
                "Training (s)": info.fit_seconds,
                "Scoring (s)": info.score_seconds,
                "Acquisition": info.acquisition,
                "Learner": info.learner,
            }
            for info in reversed(rounds)
        ]
    )


def percent(share: float) -> str:
    """A share as a person reads it: 0.913 -> 91.3 %."""
    return f"{100 * share:.1f} %"


def interval(metric: MetricInfo) -> str:
    """The 95 % interval of a metric and what it was measured on."""
    measured = f"{metric.n:,} samples" if metric.n else "its samples"
    if metric.low is None or metric.high is None:
        return f"on {measured}"
    return f"{100 * metric.low:.0f} to {100 * metric.high:.0f} %, {measured}"
