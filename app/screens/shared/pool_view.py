"""One round's pool as the Uncertainty screen draws it: scores beside labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.project.scores import RoundScores
from app.screens.shared.blind import hidden_samples
from app.screens.shared.charts import NO_LABEL
from app.screens.shared.gallery import Card
from app.screens.shared.plain_text import whole_percent
from loops.acquisition.catalog import UNITS
from storage.engine import Database
from storage.labels import current_labels

SKIPPED = "skipped"


@dataclass(frozen=True)
class PoolView:
    """Scores of a round, with today's labels by sample id ("skipped" for skips)."""

    scores: RoundScores
    classes: Sequence[str]
    labels: Mapping[int, str]

    def predicted(self, row: int) -> str:
        """The class the model answers."""
        return self.classes[int(self.scores.predicted_N[row])]

    def label_of(self, sample_id: int) -> str:
        """Today's decision on a sample, in words."""
        label = self.labels.get(sample_id)
        if label is None or label == SKIPPED:
            return label or NO_LABEL
        return f"labeled {label}"

    def card(self, row: int, measure: str) -> Card:
        """The words beneath a sample."""
        sample_id = int(self.scores.sample_ids[row])
        label = f", label {self.labels[sample_id]}" if sample_id in self.labels else ""
        words = f"model: {self.predicted(row)} ({whole_percent(self.scores.confidence_N[row])}){label}"
        return Card(sample_id, f"{self.scores.measures[measure][row]:.3f} {UNITS[measure]}", words)


def label_words(database: Database, project_id: int, classes: Sequence[str]) -> dict[int, str]:
    """The current decision of every decided sample, in words; none where others are still to decide, blind."""
    hidden = hidden_samples()
    with database.read() as session:
        labels = current_labels(session, project_id=project_id)
    return {
        label.sample_id: SKIPPED if label.class_index is None else classes[label.class_index]
        for label in labels
        if label.sample_id not in hidden
    }


def descending(view: PoolView, rows_N: NDArray[np.int64], measure: str) -> NDArray[np.int64]:
    """Rows by a measure, highest first; equal ones by sample id, so that a page never reshuffles."""
    values_N, ids_N = view.scores.measures[measure][rows_N], view.scores.sample_ids[rows_N]
    return np.asarray(rows_N[np.lexsort((ids_N, -values_N))])
