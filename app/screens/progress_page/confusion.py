"""Confusion matrix and per-class figures of one round on one dataset."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from app.screens.shared.charts import label_angle
from app.screens.shared.class_colors import CLASS_COLORS
from storage.metrics import NewConfusion

_CELL, _LEAST_CELL = 44, 18  # pixels; in less, the classes' names overlap
_WIDEST = 560  # pixels, as long as the cells do not get too small for it
MOST_WRITTEN = 25  # classes; past this the numbers in the cells overlap
MOST_DRAWN = 50  # classes; a matrix of more is four windows high and all but empty
_Z_95 = 1.96
CELL = "cell"  # name of the selection the browser reports


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


def drawn_classes(rows: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """The classes of the matrix in their order: all, or of many those that mistakes were made with most often."""
    if len(names) <= MOST_DRAWN:
        return list(names)
    wrong = rows[rows["true"] != rows["predicted"]]
    mistakes = wrong.groupby("true")["count"].sum().add(wrong.groupby("predicted")["count"].sum(), fill_value=0)
    most = mistakes[mistakes > 0].sort_values(ascending=False, kind="stable").index[:MOST_DRAWN]
    return [name for name in names if name in set(most)]


def confusion_chart(rows: pd.DataFrame, names: Sequence[str]) -> alt.LayerChart | alt.FacetChart:
    """Heat map: row = label, column = prediction, shade = share of the row, number = samples.

    Args:
        rows: as `confusion_rows` gives them.
        names: the classes to draw, in their order.
    """
    rows = rows[rows["true"].isin(names) & rows["predicted"].isin(names)]
    side = matrix_side(len(names))
    angle, room = label_angle(names)
    size = 10 if len(names) > MOST_WRITTEN else 12
    base = alt.Chart(rows).encode(
        x=alt.X(
            "predicted:N",
            title="Prediction (class)",
            sort=list(names),
            axis=alt.Axis(labelAngle=angle, labelFontSize=size, labelOverlap=False),
        ),
        y=alt.Y(
            "true:N", title="Label (class)", sort=list(names), axis=alt.Axis(labelFontSize=size, labelOverlap=False)
        ),
        tooltip=[
            alt.Tooltip("true:N", title="Label"),
            alt.Tooltip("predicted:N", title="Prediction"),
            alt.Tooltip("count:Q", title="Samples"),
            alt.Tooltip("share:Q", title="Share of this class", format=".1%"),
        ],
    )
    cell = alt.selection_point(name=CELL, fields=["true", "predicted"], toggle=False)
    # Opacity over one hue: an empty cell is the page itself, so the map reads the same on a dark page.
    shade = base.mark_rect(color=CLASS_COLORS[0], cursor="pointer").encode(
        opacity=alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.04, 1]), legend=None),
        stroke=alt.when(cell, empty=False).then(alt.value("#DD5C2E")).otherwise(alt.value("transparent")),
        strokeWidth=alt.value(3),
    )
    shade = shade.add_params(cell)
    layers: list[alt.Chart] = [shade]
    if len(names) <= MOST_WRITTEN:
        written = base.transform_filter("datum.count > 0").mark_text(fontSize=12, fontWeight="bold", cursor="pointer")
        on_page, on_shade = "currentColor", "#0B1418"  # a pale cell is the page: its number has the color of words
        color = alt.when("datum.share > 0.6").then(alt.value(on_shade)).otherwise(alt.value(on_page))
        layers.append(written.encode(text="count:Q", color=color))
    return alt.layer(*layers).properties(height=side + room)


def matrix_side(classes: int) -> int:
    """Height of the matrix in pixels: a cell is never lower than a line of its class's name."""
    return max(240, min(_WIDEST, _CELL * classes), _LEAST_CELL * classes)


def confused_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """The cells off the diagonal that hold samples, the fullest first: what fifty classes are too many to look for."""
    wrong = rows[(rows["true"] != rows["predicted"]) & (rows["count"] > 0)]
    wrong = wrong.sort_values(["count", "share"], ascending=False, kind="stable")
    return wrong.rename(
        columns={"true": "Label", "predicted": "Prediction", "count": "Samples", "share": "Share of the class"}
    ).reset_index(drop=True)


def per_class_rows(counts: Sequence[NewConfusion], names: Sequence[str], labels: Mapping[int, int]) -> pd.DataFrame:
    """One row per class: labels, recall, precision, each with its 95 % interval (Wilson), and F1.

    Args:
        counts: the confusion matrix of one round and dataset.
        names: the classes in their order.
        labels: number of labels by class index.
    """
    true, predicted, right = Counter[int](), Counter[int](), Counter[int]()
    for cell in counts:
        true[cell.true_index] += cell.count
        predicted[cell.predicted_index] += cell.count
        right[cell.true_index] += cell.count * (cell.true_index == cell.predicted_index)
    table = pd.DataFrame(
        [
            {
                "Class": name,
                "Labels": labels.get(index, 0),
                "Measured": true[index],
                "Recall": right[index] / true[index] if true[index] else None,
                "Recall, 95 %": wilson_words(right[index], true[index]),
                "Precision": right[index] / predicted[index] if predicted[index] else None,
                "Precision, 95 %": wilson_words(right[index], predicted[index]),
                "F1": 2 * right[index] / (true[index] + predicted[index]) if true[index] else None,
            }
            for index, name in enumerate(names)
        ]
    )
    if len(names) <= MOST_DRAWN:
        return table
    return table.sort_values(["Measured", "Labels"], ascending=False, kind="stable")  # else it begins with nothing


def wilson_words(right: int, n: int) -> str:
    """The Wilson interval of ``right`` out of ``n`` at 95 %, in words (Wilson 1927)."""
    if not n:
        return "not known"
    share, z2 = right / n, _Z_95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    return f"{100 * max(0.0, middle - half):.0f} to {100 * min(1.0, middle + half):.0f} %"
