"""Colors and scales every chart shares: told apart by color-blind eyes, readable on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import altair as alt

from app.project.scores import BALD, PREDICTIVE_ENTROPY
from app.screens.shared.class_colors import CLASS_COLORS, NO_COLORS

# More classes than colors, and eyes that see few colors, need the shape as well.
CLASS_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
DATASET_COLORS = {"audit": "#E69F00", "test": "#4E9BD4"}
DATASET_NAMES = {"audit": "Audit", "test": "Test set", "validation": "Validation"}
MEASURE_COLORS = {BALD: "#DD5C2E", PREDICTIVE_ENTROPY: "#4E9BD4"}
EPISTEMIC_COLOR, ALEATORIC_COLOR = "#DD5C2E", "#4E9BD4"
LOW_TO_HIGH = ("#3F7FBF", "#A58FB5", "#F08A24")  # blue is calm, orange is doubt, whatever the page's color
UNKNOWN_COLOR = "#8A8F98"
NO_LABEL = "not labeled"


def class_color_scale(names: Sequence[str], own: Mapping[str, str] = NO_COLORS) -> alt.Scale:
    """One color per class: its own where it was given one, else by turns, repeating past ten; "not labeled" is gray."""
    usual = [UNKNOWN_COLOR if n == NO_LABEL else CLASS_COLORS[i % len(CLASS_COLORS)] for i, n in enumerate(names)]
    return alt.Scale(domain=list(names), range=[own.get(n, color) for n, color in zip(names, usual, strict=True)])


def class_shape_scale(names: Sequence[str]) -> alt.Scale:
    """One shape per class, out of step with the colors, so that sixty classes differ in color or in shape."""
    turns = [(i + i // len(CLASS_COLORS)) % len(CLASS_SHAPES) for i in range(len(names))]
    return alt.Scale(domain=list(names), range=[CLASS_SHAPES[turn] for turn in turns])


def chart_width(classes: int) -> int | Literal["stretch"]:
    """The width of a chart with a column per class, in pixels: two bars as wide as a window are no picture."""
    return 180 + 70 * classes if classes <= 10 else "stretch"


def share_axis(title: str) -> alt.Axis:
    """An axis of shares, written as percent."""
    return alt.Axis(title=title, format=".0%")


def label_angle(names: Sequence[str]) -> tuple[int, int]:
    """How class names stand below a chart, in degrees, and the room this takes from its height, in pixels."""
    if sum(map(len, names)) <= 40:
        return 0, 0
    return (-40, 30) if len(names) <= 20 else (-90, 90)  # slanted, every second of fifty names would be left out
