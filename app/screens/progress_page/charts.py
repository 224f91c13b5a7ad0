"""The charts of the Progress screen; each takes plain rows and returns an Altair chart."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from app.screens.shared.charts import DATASET_COLORS, DATASET_NAMES, MEASURE_COLORS, label_angle, share_axis
from loops.acquisition.catalog import MEASURES
from loops.evaluation.learning_curve import Forecast
from storage.metrics import MetricInfo

HEIGHT = 320  # pixels
BAR = "bar"  # name of the selection the browser reports
_MOST_BARS = 20  # rounds
CHOSEN_SAMPLES, LURE_WEIGHTED, FORECAST = "Cross-validated", "LURE-weighted", "Forecast"
# By name of the series: color, shape of its dots, dashes of its line. Eyes that see few colors have the other two.
_SERIES = {
    DATASET_NAMES["audit"]: (DATASET_COLORS["audit"], "circle", [1, 0]),
    DATASET_NAMES["test"]: (DATASET_COLORS["test"], "square", [1, 0]),
    CHOSEN_SAMPLES: ("#CC79A7", "diamond", [2, 3]),
    LURE_WEIGHTED: ("#2BA884", "cross", [4, 2]),
    FORECAST: ("#8A8F98", "triangle-right", [6, 4]),
}
_LABELS = alt.X(
    "labels:Q", title="Labels (number)", scale=alt.Scale(nice=True), axis=alt.Axis(tickMinStep=1, format=",d")
)


def accuracy_chart(metrics: Sequence[MetricInfo], prediction: Forecast | None) -> alt.LayerChart | alt.FacetChart:
    """Accuracy against labels with its 95 % interval, one line per dataset, and the forecast as a dashed line."""
    rows = accuracy_rows(metrics)
    drawn = drawn_series(rows, forecast=prediction is not None)
    # The band's own opacity would fade the legend until nobody can tell the colors.
    columns = 2 if len(drawn) > 3 else 0  # four side by side are wider than a phone
    legend = alt.Legend(orient="top", symbolOpacity=1, symbolStrokeWidth=0, columns=columns)
    color = alt.Color("dataset:N", title=None, scale=_scale(drawn, 0), legend=legend)
    shape = alt.Shape("dataset:N", title=None, scale=_scale(drawn, 1), legend=legend)
    dash = alt.StrokeDash("dataset:N", scale=_scale(drawn, 2), legend=None)
    base = alt.Chart(rows).encode(x=_LABELS, color=color)
    accuracy = alt.Y("accuracy:Q", axis=share_axis("Accuracy (%)"), scale=alt.Scale(zero=False))
    tooltip = [
        alt.Tooltip("dataset:N", title="Measured on"),
        alt.Tooltip("round:Q", title="Round"),
        alt.Tooltip("labels:Q", title="Labels"),
        alt.Tooltip("accuracy:Q", title="Accuracy", format=".1%"),
        alt.Tooltip("low:Q", title="95 % low", format=".1%"),
        alt.Tooltip("high:Q", title="95 % high", format=".1%"),
        alt.Tooltip("n:Q", title="Samples measured"),
    ]
    # No band for samples the model chose: it would look like an interval for the pool.
    band = base.transform_filter(~alt.FieldOneOfPredicate("dataset", [CHOSEN_SAMPLES, LURE_WEIGHTED])).mark_area(
        opacity=0.18
    )
    barred = alt.FieldOneOfPredicate("dataset", barred_series(rows))
    bars = base.transform_filter(barred).mark_rule(strokeWidth=1.5, opacity=0.7).encode(y=alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line(strokeWidth=2).encode(y=accuracy, strokeDash=dash)
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(y=accuracy, shape=shape, tooltip=tooltip)
    layers = [band.encode(y=alt.Y("low:Q", title="Accuracy (%)"), y2="high:Q"), bars, line, dots]
    if prediction is not None:
        layers = [*_forecast_layers(prediction, color), *layers]
    return alt.layer(*layers).properties(height=HEIGHT)


def accuracy_rows(metrics: Sequence[MetricInfo]) -> pd.DataFrame:
    """One row per measured accuracy, in the words of the chart."""
    columns = ["dataset", "round", "labels", "accuracy", "low", "high", "n"]
    rows = [(_series_of(m.name), m.round_number, m.labels, m.value, m.low, m.high, m.n) for m in metrics]
    return pd.DataFrame(rows, columns=columns)


def barred_series(rows: pd.DataFrame) -> list[str]:
    """The series that get a bar per round: those without a band, and those whose bars do not make a fence."""
    points = rows["dataset"].value_counts().to_dict()
    return [name for name in _SERIES if name in (CHOSEN_SAMPLES, LURE_WEIGHTED) or points.get(name, 0) <= _MOST_BARS]


def _series_of(metric: str) -> str:
    dataset = metric.removeprefix("accuracy_")
    return LURE_WEIGHTED if dataset == "lure" else DATASET_NAMES.get(dataset, CHOSEN_SAMPLES)


def drawn_series(rows: pd.DataFrame, *, forecast: bool) -> list[str]:
    """The series of the legend, in their order: those that have a point."""
    there = {*rows["dataset"], *([FORECAST] if forecast else [])}
    return [name for name in _SERIES if name in there]


def _scale(names: Sequence[str], aspect: int) -> alt.Scale:
    return alt.Scale(domain=list(names), range=[_SERIES[name][aspect] for name in names])


def _forecast_layers(prediction: Forecast, color: alt.Color) -> list[alt.Chart]:
    rows = pd.DataFrame(
        {
            "labels": prediction.labels_N,
            "accuracy": prediction.accuracy_N,
            "low": prediction.low_N,
            "high": prediction.high_N,
            "dataset": FORECAST,
        }
    )
    tooltip = [
        alt.Tooltip("labels:Q", title="Labels", format=".0f"),
        alt.Tooltip("accuracy:Q", title="Forecast", format=".1%"),
        alt.Tooltip("low:Q", title="95 % low", format=".1%"),
        alt.Tooltip("high:Q", title="95 % high", format=".1%"),
    ]
    base = alt.Chart(rows).encode(x=_LABELS, color=color, tooltip=tooltip)
    band = base.mark_area(opacity=0.12).encode(y=alt.Y("low:Q", title="Accuracy (%)"), y2="high:Q")
    line = base.mark_line(strokeDash=[6, 4], strokeWidth=2).encode(y="accuracy:Q")
    return [band, line]


def pool_uncertainty_chart(metrics: Sequence[MetricInfo]) -> alt.Chart:
    """Mean uncertainty of the pool per round, in nats; both measures fall when the model learns."""
    rows = pd.DataFrame(
        [(MEASURES[m.name.removeprefix("mean_")], m.round_number, m.value) for m in metrics],
        columns=["measure", "round", "value"],
    )
    names = [MEASURES[name] for name in MEASURE_COLORS]
    color = alt.Color(
        "measure:N",
        title=None,
        scale=alt.Scale(domain=names, range=list(MEASURE_COLORS.values())),
        legend=alt.Legend(orient="top"),
    )
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_line(point=alt.OverlayMarkDef(filled=True, size=60), strokeWidth=2)
        .encode(
            x=alt.X("round:Q", title="Round (number)", axis=alt.Axis(tickMinStep=1, format="d")),
            y=alt.Y("value:Q", title="Mean over the pool (nats)"),
            color=color,
            tooltip=[
                alt.Tooltip("measure:N", title="Measure"),
                alt.Tooltip("round:Q", title="Round"),
                alt.Tooltip("value:Q", title="Mean (nats)", format=".3f"),
            ],
        )
        .properties(height=260)
    )
    return chart


def class_balance_chart(rows: pd.DataFrame, names: Sequence[str]) -> alt.Chart:
    """Labels per class, those the model learns from and those it is measured with.

    Args:
        rows: columns class, purpose, labels.
        names: the classes to draw, in their order.
    """
    rows = rows[rows["class"].isin(names)]
    purposes = ["trained on", "audit"]
    angle, room = label_angle(names)
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_bar(cursor="pointer")
        .encode(
            x=alt.X("class:N", title="Class", sort=list(names), axis=alt.Axis(labelAngle=angle, labelOverlap=False)),
            y=alt.Y("sum(labels):Q", title="Labels (number)", axis=alt.Axis(tickMinStep=1, format="d")),
            color=alt.Color(
                "purpose:N",
                title=None,
                scale=alt.Scale(domain=purposes, range=[DATASET_COLORS["test"], DATASET_COLORS["audit"]]),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=[
                alt.Tooltip("class:N", title="Class"),
                alt.Tooltip("purpose:N", title="Use"),
                alt.Tooltip("labels:Q", title="Labels"),
            ],
        )
        .add_params(alt.selection_point(name=BAR, fields=["class", "purpose"], toggle=False))
        .properties(height=260 + room)
    )
    return chart
