"""Everything the Progress screen shows, read in one transaction, and how it is put into rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from app.project.advice import accuracy_points
from app.project.simplest import GAIN, predictor_words
from app.screens.shared.enough_measured import FEWEST_DRAWN, is_enough
from loops.evaluation.learning_curve import AccuracyPoint
from storage.engine import Database
from storage.labels import CurrentLabel, current_labels
from storage.metrics import MetricInfo, list_metrics
from storage.projects import list_classes
from storage.rounds import RoundInfo, list_rounds
from storage.samples import SampleCounts, count_samples

PUBLISHED = ("open", "closed")
ACCURACIES = ("accuracy_audit", "accuracy_test")  # measured on samples nobody chose: these may be believed
MOST_BARS = 50  # classes; the names of more would not be written
CROSS_VALIDATED = "accuracy_cross_validated"  # measured on the samples the model chose
LURE_WEIGHTED = "accuracy_lure"  # the same, weighted by the chances with which samples were drawn
LABELS_RANDOM, EQUAL_LABELS = "labels_random", "gain_at_equal_labels"
MEANS = ("mean_bald", "mean_predictive_entropy")


@dataclass(frozen=True)
class ProgressFigures:
    """The project at one moment."""

    classes: list[str]
    counts: SampleCounts
    labels: list[CurrentLabel]
    rounds: list[RoundInfo]
    metrics: list[MetricInfo]
    colors: Mapping[str, str] = field(default_factory=dict)  # by class; only those that somebody has given

    @property
    def accuracies(self) -> list[MetricInfo]:
        """Accuracy points of all rounds, audit and test."""
        return [metric for metric in self.metrics if metric.name in ACCURACIES]

    @property
    def cross_validated(self) -> list[MetricInfo]:
        """Out-of-fold accuracy on the labeled samples, by round; never a stand-in for the ones above."""
        return [metric for metric in self.metrics if metric.name == CROSS_VALIDATED]

    @property
    def lure_weighted(self) -> list[MetricInfo]:
        """Out-of-fold accuracy, weighted so that it speaks for the pool; where samples were drawn at random."""
        return [metric for metric in self.metrics if metric.name == LURE_WEIGHTED]

    @property
    def drawn(self) -> list[MetricInfo]:
        """The accuracies of the chart: all but those measured on next to nothing."""
        measured = [*self.accuracies, *self.cross_validated, *self.lure_weighted]
        return [metric for metric in measured if is_enough(metric)]

    def latest(self, name: str) -> MetricInfo | None:
        """A metric of the newest round that has it."""
        return next((metric for metric in reversed(self.metrics) if metric.name == name), None)

    @property
    def published(self) -> list[RoundInfo]:
        """Rounds whose ranking was opened, oldest first."""
        return [info for info in self.rounds if info.state in PUBLISHED]

    def curve_points(self) -> list[AccuracyPoint]:
        """The points a forecast stands on."""
        return accuracy_points(self.accuracies)

    @property
    def labeled_classes(self) -> set[int]:
        """Indices of the classes that a label has."""
        return {label.class_index for label in self.labels if label.class_index is not None}

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
        classes = list_classes(session, project_id=project_id)
        return ProgressFigures(
            classes=[info.name for info in classes],
            colors={info.name: info.color for info in classes if info.color},
            counts=count_samples(session, project_id=project_id),
            labels=current_labels(session, project_id=project_id),
            rounds=list_rounds(session, project_id=project_id),
            metrics=[
                metric
                for name in (*ACCURACIES, CROSS_VALIDATED, LURE_WEIGHTED, LABELS_RANDOM, EQUAL_LABELS, GAIN, *MEANS)
                for metric in list_metrics(session, project_id=project_id, name=name)
            ],
        )


@dataclass(frozen=True)
class Headline:
    """The few figures that are read again every two seconds; their cost does not grow with the labels."""

    counts: SampleCounts
    rounds: list[RoundInfo]
    accuracies: list[MetricInfo]  # the latest one of the audit and of the test set, as far as they were measured

    @property
    def published(self) -> int:
        """Number of rounds whose ranking was opened."""
        return sum(info.state in PUBLISHED for info in self.rounds)


def read_headline(database: Database, project_id: int) -> Headline:
    """Read counts, rounds and the latest accuracies."""
    with database.read() as session:
        measured = [list_metrics(session, project_id=project_id, name=name) for name in ACCURACIES]
        return Headline(
            counts=count_samples(session, project_id=project_id),
            rounds=list_rounds(session, project_id=project_id),
            accuracies=[metrics[-1] for metrics in measured if metrics],
        )


def labels_of_round(database: Database, project_id: int, figures: ProgressFigures, number: int) -> Counter[int]:
    """Labels by class index, audit labels too, as they stood when a round was trained and measured."""
    snapshot = next(info.snapshot_event_id for info in figures.rounds if info.number == number)
    with database.read() as session:
        then = current_labels(session, project_id=project_id, through_event_id=snapshot)
    return Counter(label.class_index for label in then if label.class_index is not None)


def labeled_most(figures: ProgressFigures) -> list[str]:
    """The classes of the bar chart in their order: all, or of many those with the most labels."""
    counted = figures.labels_per_class(audit=False) + figures.labels_per_class(audit=True)
    most = range(len(figures.classes)) if len(figures.classes) <= MOST_BARS else dict(counted.most_common(MOST_BARS))
    return [name for index, name in enumerate(figures.classes) if index in most]


def balance_rows(figures: ProgressFigures) -> pd.DataFrame:
    """Labels per class and purpose, zeros included: an empty class must be seen."""
    counted = {"trained on": figures.labels_per_class(audit=False), "audit": figures.labels_per_class(audit=True)}
    rows = [
        (name, purpose, labels[index])
        for purpose, labels in counted.items()
        for index, name in enumerate(figures.classes)
    ]
    return pd.DataFrame(rows, columns=["class", "purpose", "labels"])


def accuracy_words(figures: ProgressFigures) -> str:
    """What each drawn accuracy may be believed for."""
    sentences = []
    if figures.accuracies:
        sentences.append(
            "The audit accuracy is the honest one: it is measured on samples drawn uniformly at random and never "
            "trained on, while the samples the model asks for are the hard ones."
        )
    if figures.cross_validated:
        sentences.append(
            "The cross-validated accuracy (dashed) is measured on samples the model chose, so it is no estimate for "
            "the pool: it says how well the labels agree with one another."
        )
    if figures.lure_weighted:
        sentences.append(
            "The LURE-weighted accuracy counts each sample by the chance with which it was drawn, so that it speaks "
            "for the pool; it judges models that had four fifths of the labels."
        )
    if not all(map(is_enough, figures.accuracies)):
        sentences.append(f"An accuracy is drawn from {FEWEST_DRAWN} measured samples on.")
    return " ".join([*sentences, "Bands and bars are 95 % intervals."])


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
                "Predictor": predictor_words(info.predictor),
            }
            for info in reversed(rounds)
        ]
    )


def percent(share: float) -> str:
    """A share as a person reads it: 0.913 -> 91.3 %."""
    return f"{100 * share:.1f} %"


def interval(metric: MetricInfo) -> str:
    """The 95 % interval of a metric and what it was measured on."""
    measured = f"{metric.n:,} {'sample' if metric.n == 1 else 'samples'}" if metric.n else "its samples"
    if metric.low is None or metric.high is None:
        return f"on {measured}"
    return f"{100 * metric.low:.0f} to {100 * metric.high:.0f} %, {measured}"
