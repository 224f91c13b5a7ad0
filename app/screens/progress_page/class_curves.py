"""Recall, precision and F1 of single classes through the rounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd
import streamlit as st

from app.screens.shared.charts import class_color_scale, class_shape_scale, share_axis
from app.screens.shared.class_colors import NO_COLORS
from storage.engine import Database
from storage.metrics import MetricInfo, list_metrics

F1, RECALL, PRECISION = "F1", "Recall", "Precision"
FEWEST_ROUNDS = 2
MOST_LINES = 8  # classes drawn unless a person chooses: those the model is worst at
_MEANING = (
    "Recall: of the samples of a class, the share the model found. Precision: of its answers of a class, the share "
    "that are right. F1 is high only where both are: their harmonic mean."
)


def class_curves(
    database: Database, project_id: int, names: Sequence[str], dataset: str, colors: Mapping[str, str] = NO_COLORS
) -> None:
    """Draw a line per class; nothing before two rounds were measured.

    Args:
        database: of the project.
        project_id: the project.
        names: class names in their order.
        dataset: test or audit.
        colors: by class; only those that somebody has given.
    """
    with database.read() as session:
        found = {
            kind: list_metrics(session, project_id=project_id, name=f"{kind}_{dataset}")
            for kind in ("recall", "precision")
        }
    rows = curve_rows(found["recall"], found["precision"], names)
    if rows["round"].nunique() < FEWEST_ROUNDS:
        return
    st.subheader("Classes through the rounds")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        figure = st.segmented_control(
            "Figure", (F1, RECALL, PRECISION), default=F1, key="curve_figure", help=_MEANING, required=True
        )
        chosen = st.multiselect(
            "Classes",
            names,
            placeholder=f"the {min(MOST_LINES, len(names))} with the lowest figures",
            key="curve_classes",
        )
    drawn = chosen or worst(rows, figure or F1)
    shown = [name for name in names if name in drawn]
    chart = curves_chart(rows[rows["class"].isin(drawn)], figure or F1, shown, colors)
    st.altair_chart(chart, width="stretch", key="class_curves", alt=f"{figure} of single classes by labels")


def curve_rows(recalls: Sequence[MetricInfo], precisions: Sequence[MetricInfo], names: Sequence[str]) -> pd.DataFrame:
    """One row per round and class: recall, precision and F1, each empty where it is not defined."""
    figures: dict[tuple[int, int, int], dict[str, float]] = defaultdict(dict)
    for name, metrics in ((RECALL, recalls), (PRECISION, precisions)):
        for metric in metrics:
            if metric.class_index is not None:
                figures[metric.round_number, metric.labels, metric.class_index][name] = metric.value
    rows = [
        (number, labels, names[index], of.get(RECALL), of.get(PRECISION), f1(of.get(RECALL), of.get(PRECISION)))
        for (number, labels, index), of in sorted(figures.items())
    ]
    return pd.DataFrame(rows, columns=["round", "labels", "class", RECALL, PRECISION, F1])


def f1(recall: float | None, precision: float | None) -> float | None:
    """The harmonic mean of both; of a class that was never answered, and is there, 0; None where it is not there."""
    if recall is None:
        return None
    if not recall or not precision:
        return 0.0
    return 2 * recall * precision / (recall + precision)


def worst(rows: pd.DataFrame, figure: str) -> list[str]:
    """The classes whose latest figure is lowest."""
    latest = rows.dropna(subset=[figure]).drop_duplicates("class", keep="last")
    return list(latest.sort_values(figure, kind="stable")["class"].head(MOST_LINES))


def curves_chart(
    rows: pd.DataFrame, figure: str, names: Sequence[str], colors: Mapping[str, str] = NO_COLORS
) -> alt.Chart:
    """A line per class against labels, in its own color where it was given one."""
    legend = alt.Legend(orient="top", columns=4, symbolLimit=0, labelLimit=160)
    chart: alt.Chart = (
        alt.Chart(rows.dropna(subset=[figure]))
        .mark_line(point=alt.OverlayMarkDef(filled=True, size=60), strokeWidth=2)
        .encode(
            x=alt.X("labels:Q", title="Labels (number)", axis=alt.Axis(tickMinStep=1, format=",d")),
            y=alt.Y(f"{figure}:Q", axis=share_axis(f"{figure} (%)"), scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("class:N", title=None, scale=class_color_scale(names, colors), legend=legend),
            shape=alt.Shape("class:N", title=None, scale=class_shape_scale(names), legend=legend),
            tooltip=[
                alt.Tooltip("class:N", title="Class"),
                alt.Tooltip("round:Q", title="Round"),
                alt.Tooltip("labels:Q", title="Labels"),
                alt.Tooltip(f"{figure}:Q", title=figure, format=".1%"),
            ],
        )
        .properties(height=280)
    )
    return chart
