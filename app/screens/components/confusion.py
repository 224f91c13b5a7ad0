"""Confusion matrix and per-class figures of one round on one dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from app.screens.components.charts import CLASS_COLORS
from storage.metrics import MetricInfo, NewConfusion

_CELL = 44  # pixels
_FEWEST_WRITTEN = 25  # classes; past this the numbers in the cells overlap


def confusion_rows(counts: Sequence[NewConfusion], names: Sequence[str]) -> pd.DataFrame:
    """Every cell of the matrix, the empty ones too, with its share of the true class."""
    found = {(cell.true_index, cell.predicted_index): cell.count for cell in counts}
    totals = {true: sum(found.get((true, other), 0) for other in range(len(names))) for true in range(len(names))}
    rows = [
        (names[true], names[predicted], count, count / totals[true] if totals[true] else 0.0)
        for true in range(len(names))
        for predicted in range(len(names))
        for count in [found.get((true, predicted), 0)]
    ]
    return pd.DataFrame(rows, columns=["true", "predicted", "count", "share"])


def confusion_chart(rows: pd.DataFrame, names: Sequence[str], *, dark: bool) -> alt.LayerChart | alt.FacetChart:
    """Heat map: row = label, column = prediction, shade = share of the row, number = samples.

    Args:
        rows: as `confusion_rows` gives them.
        names: the classes in their order.
        dark: whether the page is dark, so that numbers in pale cells are light.
    """
    side = max(240, min(560, _CELL * len(names)))
    base = alt.Chart(rows).encode(
        x=alt.X("predicted:N", title="Prediction (class)", sort=list(names), axis=alt.Axis(labelAngle=0)),
        y=alt.Y("true:N", title="Label (class)", sort=list(names)),
        tooltip=[
            alt.Tooltip("true:N", title="Label"),
            alt.Tooltip("predicted:N", title="Prediction"),
            alt.Tooltip("count:Q", title="Samples"),
            alt.Tooltip("share:Q", title="Share of this class", format=".1%"),
        ],
    )
    # Opacity over one hue: an empty cell is the page itself, so the map reads the same on a dark page.
    shade = base.mark_rect(color=CLASS_COLORS[0]).encode(
        opacity=alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.04, 1]), legend=None)
    )
    layers: list[alt.Chart] = [shade]
    if len(names) <= _FEWEST_WRITTEN:
        written = base.transform_filter("datum.count > 0").mark_text(fontSize=12, fontWeight="bold")
        on_page, on_shade = ("#E8EFF1" if dark else "#17252A"), "#0B1418"
        color = alt.when("datum.share > 0.6").then(alt.value(on_shade)).otherwise(alt.value(on_page))
        layers.append(written.encode(text="count:Q", color=color))
    return alt.layer(*layers).properties(height=side)


def per_class_rows(
    metrics: Sequence[MetricInfo], counts: Sequence[NewConfusion], names: Sequence[str], labels: Mapping[int, int]
) -> pd.DataFrame:
    """One row per class: labels, recall, precision; the interval where the round published one.

    Args:
        metrics: recall_* and precision_* of one round and dataset, class_index set.
        counts: the confusion matrix, which serves where no metric was published.
        names: the classes in their order.
        labels: number of labels by class index.
    """
    published = {(m.name.split("_")[0], m.class_index): m for m in metrics}
    return pd.DataFrame(
        [
            {
                "Class": name,
                "Labels": labels.get(index, 0),
                "Recall": _value(published.get(("recall", index)), _share(counts, index, of="true_index")),
                "Recall, 95 %": _interval(published.get(("recall", index))),
                "Precision": _value(published.get(("precision", index)), _share(counts, index, of="predicted_index")),
                "Precision, 95 %": _interval(published.get(("precision", index))),
            }
            for index, name in enumerate(names)
        ]
    )


def _share(counts: Sequence[NewConfusion], index: int, *, of: str) -> float | None:
    total = sum(cell.count for cell in counts if getattr(cell, of) == index)
    right = sum(cell.count for cell in counts if cell.true_index == cell.predicted_index == index)
    return right / total if total else None


def _value(metric: MetricInfo | None, otherwise: float | None) -> float | None:
    return otherwise if metric is None else metric.value


def _interval(metric: MetricInfo | None) -> str:
    if metric is None or metric.low is None or metric.high is None:
        return "not known"
    return f"{100 * metric.low:.0f} to {100 * metric.high:.0f} %"
