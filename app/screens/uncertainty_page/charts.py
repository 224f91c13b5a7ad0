"""The charts of the Uncertainty screen: histograms to choose from, one sample's draws."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.screens.shared.charts import (
    ALEATORIC_COLOR,
    EPISTEMIC_COLOR,
    MEASURE_COLORS,
)
from app.screens.shared.class_colors import CLASS_COLORS
from loops.acquisition.catalog import MEASURES, UNITS

Floats = NDArray[np.float64]

BINS = 24
BAR, BRUSH = "bar", "brush"  # names of the selections the browser reports


def histogram_rows(values_N: Floats, *, top: float, bins: int = BINS) -> pd.DataFrame:
    """Counts of the whole pool in equal bins from 0 to ``top``; the browser gets the bins, never the pool."""
    counts, edges = np.histogram(values_N, bins=bins, range=(0.0, top))
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "samples": counts})


def histogram_chart(values_N: Floats, measure: str, top: float) -> alt.Chart:
    """A histogram whose bars can be clicked and whose axis can be brushed."""
    bar = alt.selection_point(name=BAR, fields=["low", "high"])
    brush = alt.selection_interval(name=BRUSH, encodings=["x"])
    title = f"{MEASURES[measure]} ({UNITS[measure]})"
    chart: alt.Chart = (
        alt.Chart(histogram_rows(values_N, top=top))
        .mark_bar(color=MEASURE_COLORS[measure], cursor="pointer", binSpacing=0.5)
        .encode(
            x=alt.X("low:Q", title=title, bin="binned"),
            x2="high:Q",
            y=alt.Y("samples:Q", title="Samples (number)"),
            opacity=alt.when(bar & brush).then(alt.value(0.95)).otherwise(alt.value(0.3)),
            tooltip=[
                alt.Tooltip("low:Q", title="From (nats)", format=".3f"),
                alt.Tooltip("high:Q", title="To (nats)", format=".3f"),
                alt.Tooltip("samples:Q", title="Samples"),
            ],
        )
        .add_params(bar, brush)
        .properties(height=220)
    )
    return chart


def draws_chart(draws_C_K: Floats, names: Sequence[str]) -> alt.Chart:
    """Every MC draw of one sample as a dot per class, in three lines: sure draws would lie on top of each other."""
    classes, iterations = draws_C_K.shape
    rows = pd.DataFrame(
        {
            "class": np.repeat(np.array(names, dtype=object), iterations),
            "draw": np.tile(np.arange(1, iterations + 1), classes),
            "probability": draws_C_K.ravel(),
            "lane": np.tile(np.arange(iterations) % 3 - 1, classes),
        }
    )
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_circle(size=36, opacity=0.6, color=CLASS_COLORS[3])
        .encode(
            x=alt.X("probability:Q", title="Probability in one draw (%)", axis=alt.Axis(format=".0%"), scale=_UNIT),
            y=_classes(names),
            yOffset=alt.YOffset("lane:Q", scale=alt.Scale(domain=[-2, 2])),
            tooltip=[
                alt.Tooltip("class:N", title="Class"),
                alt.Tooltip("draw:Q", title="Draw"),
                alt.Tooltip("probability:Q", title="Probability", format=".1%"),
            ],
        )
        .properties(height=_class_height(names))
    )
    return chart


_UNIT = alt.Scale(domain=[0, 1])


def mean_probabilities_chart(probs_C: Floats, names: Sequence[str]) -> alt.Chart:
    """The mean over the draws: what the model would answer."""
    rows = pd.DataFrame({"class": list(names), "probability": probs_C})
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_bar(color=CLASS_COLORS[0])
        .encode(
            x=alt.X("probability:Q", title="Mean probability (%)", axis=alt.Axis(format=".0%"), scale=_UNIT),
            y=_classes(names),
            tooltip=[
                alt.Tooltip("class:N", title="Class"),
                alt.Tooltip("probability:Q", title="Mean probability", format=".1%"),
            ],
        )
        .properties(height=_class_height(names))
    )
    return chart


def _classes(names: Sequence[str]) -> alt.Y:
    """Every class with its name: Vega leaves out names that come close to each other."""
    return alt.Y("class:N", title="Class", sort=list(names), axis=alt.Axis(labelOverlap=False, labelLimit=160))


def _class_height(names: Sequence[str]) -> int:
    return max(160, min(640, 26 * len(names) + 50))


def split_chart(*, epistemic: float, aleatoric: float) -> alt.Chart:
    """Total entropy as one stacked bar of model doubt (BALD) and sample ambiguity (expected entropy), in nats."""
    doubt = f"Model doubt (epistemic) {epistemic:.3f}"
    ambiguity = f"Sample ambiguity (aleatoric) {aleatoric:.3f}"
    rows = pd.DataFrame(
        {"part": [doubt, ambiguity], "nats": [max(epistemic, 0.0), max(aleatoric, 0.0)], "rank": [0, 1]}
    )
    chart: alt.Chart = (
        alt.Chart(rows)
        .mark_bar(size=34)
        .encode(
            x=alt.X("nats:Q", title="Total entropy (nats)"),
            order="rank:Q",
            color=alt.Color(
                "part:N",
                title=None,
                scale=alt.Scale(domain=[doubt, ambiguity], range=[EPISTEMIC_COLOR, ALEATORIC_COLOR]),
                legend=alt.Legend(orient="top", direction="vertical", labelLimit=320),
            ),
            tooltip=[alt.Tooltip("part:N", title="Part"), alt.Tooltip("nats:Q", format=".3f")],
        )
        .properties(height=160)
    )
    return chart
