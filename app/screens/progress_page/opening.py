"""From a figure of the Progress screen to the samples behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.project.measured import Measured, measured_path, read_measured
from app.screens.shared.charts import DATASET_NAMES
from app.screens.shared.gallery import Card
from app.screens.shared.opened import opened_samples
from app.screens.shared.plain_text import whole_percent
from app.screens.shared.round_choice import MeasuredRound
from app.screens.shared.session import current_project
from storage.labels import CurrentLabel

_NOT_KEPT = (
    "Which samples these were is not known of this round: it was measured by a version that did not keep it. The next "
    "round keeps it."
)


def open_measured(
    chosen: MeasuredRound, names: Sequence[str], *, label: str | None, predicted: str | None, key: str
) -> None:
    """Draw the measured samples of one label, of one answer, or of both; the least sure first.

    Args:
        chosen: round and data set.
        names: class names in their order.
        label: what a person said; None: anything.
        predicted: what the model answered; None: anything.
        key: prefix of the widgets' keys.
    """
    measured = read_measured(measured_path(current_project().rounds_dir, chosen.round_number))
    if measured is None:
        st.caption(_NOT_KEPT)
        return
    indices = {name: index for index, name in enumerate(names)}
    rows = measured.rows(
        chosen.dataset,
        label=None if label is None else indices[label],
        predicted=None if predicted is None else indices[predicted],
    )
    parts = [f"label {label}"] if label is not None else []
    parts += [f"answer {predicted}"] if predicted is not None else []
    where = f"{DATASET_NAMES[chosen.dataset]}, round {chosen.round_number}"
    cards = [_card(measured, row, names) for row in rows.tolist()]
    opened_samples(cards, title=f"{where}: {', '.join(parts)}", classes=names, key=key)


def open_labeled(labels: Sequence[CurrentLabel], names: Sequence[str], *, label: str, purpose: str, key: str) -> None:
    """Draw the samples that have a label now.

    Args:
        labels: all that stand.
        names: class names in their order.
        label: the class.
        purpose: "audit", or "trained on".
        key: prefix of the widgets' keys.
    """
    cards = [
        Card(one.sample_id, f"{one.sample_id}", f"label {label}, {one.annotator}")
        for one in labels
        if one.class_index == list(names).index(label) and (one.purpose == "audit") is (purpose == "audit")
    ]
    opened_samples(cards, title=f"Label {label}, {purpose}", classes=names, key=key)


def picked(event: Any, name: str) -> dict[str, Any] | None:  # noqa: ANN401 - Streamlit does not name the type
    """The values of the mark of a chart that was pressed last; None where none is."""
    points = event["selection"].get(name) or []
    return dict(points[-1]) if points else None


def _card(measured: Measured, row: int, names: Sequence[str]) -> Card:
    label, predicted = names[measured.labels_N[row]], names[measured.predicted_N[row]]
    sure = whole_percent(float(measured.confidence_N[row]))
    sample_id = int(measured.sample_ids[row])
    return Card(sample_id, f"{sample_id}", f"label {label}, model: {predicted} ({sure})")
