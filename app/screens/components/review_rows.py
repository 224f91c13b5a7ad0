"""The rows of the Review screen: what stands for each sample, beside what the model said."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from app.screens.components.filters import ReviewRow
from app.screens.components.gallery import Card
from app.screens.components.predictions import last_predictions
from app.screens.components.progress_figures import ProgressFigures
from app.screens.components.sample_image import thumbnail
from storage.engine import Database
from storage.samples import SampleInfo


def review_rows(figures: ProgressFigures, database: Database, rounds_dir: Path) -> list[ReviewRow]:
    """Every decided sample with the model's last word on it."""
    sample_ids = [label.sample_id for label in figures.labels]
    predictions = last_predictions(database, rounds_dir, figures.published, sample_ids)
    return [ReviewRow(label, predictions.get(label.sample_id)) for label in figures.labels]


def decision_words(row: ReviewRow, classes: Sequence[str]) -> str:
    """The decision in a word: the class, or "skipped"."""
    return "skipped" if row.label.class_index is None else classes[row.label.class_index]


def prediction_words(row: ReviewRow, classes: Sequence[str]) -> str:
    """The model's answer with its confidence, or that there is none."""
    if row.prediction is None:
        return "no prediction"
    return f"{classes[row.prediction.class_index]} ({row.prediction.confidence:.0%})"


def card(row: ReviewRow, classes: Sequence[str]) -> Card:
    """The words beneath a thumbnail."""
    marks = [row.label.purpose] if row.label.purpose != "train" else []
    marks += ["flagged"] if row.label.flagged else []
    model = f"model: {prediction_words(row, classes)}" if row.disagrees else row.label.annotator
    return Card(row.label.sample_id, decision_words(row, classes), ", ".join([model, *marks]))


def table(rows: Sequence[ReviewRow], samples: Mapping[int, SampleInfo], classes: Sequence[str]) -> pd.DataFrame:
    """One page of rows as a table, thumbnails included."""
    return pd.DataFrame(
        [
            {
                "Image": _data_url(thumbnail(samples[row.label.sample_id])),
                "Sample": row.label.sample_id,
                "Label": decision_words(row, classes),
                "Prediction": prediction_words(row, classes),
                "Disagree": row.disagrees,
                "Purpose": row.label.purpose,
                "Annotator": row.label.annotator,
                "Round": row.label.round_number,
                "Flagged": row.label.flagged,
                "Labeled": row.label.created_at,
                "File": samples[row.label.sample_id].uri,
            }
            for row in rows
        ]
    )


def _data_url(image: bytes) -> str:
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
