"""Choosing samples of the pool: by clicking or brushing a histogram, or by a slider."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.project.scores import BALD, PREDICTIVE_ENTROPY
from app.screens.shared.gallery import gallery, page_of
from app.screens.shared.pool_view import PoolView, descending
from app.screens.shared.round_scores import in_ranges
from app.screens.shared.unit_words import HELP_OF
from app.screens.uncertainty_page.charts import BAR, BINS, BRUSH, histogram_chart
from loops.acquisition.catalog import MEASURES
from storage.engine import Database
from storage.samples import get_samples

CHOSEN_KEY = "uncertainty_sample"
SHOWN_MEASURES = (BALD, PREDICTIVE_ENTROPY)
_STEPS_PER_BIN = 20  # a bar's edges must be places the slider can stand on


def choose_by_histogram(view: PoolView, database: Database, *, round_number: int) -> None:
    """Draw both histograms and, below, the samples that lie in both ranges; a press on one chooses it."""
    st.caption("Choose samples: click a bar, drag over a chart, or move the ends of a slider.")
    ranges = {}
    for measure, column in zip(SHOWN_MEASURES, st.columns(2), strict=True):
        with column:
            ranges[measure] = _histogram(view, measure, round_number)
    sort_by = st.segmented_control(
        "Sort by",
        SHOWN_MEASURES,
        default=BALD,
        format_func=lambda name: MEASURES[name],
        key="uncertainty_sort",
    )
    measure = sort_by or BALD  # a second press on the chosen one takes it back
    rows_N = descending(view, np.flatnonzero(in_ranges(view.scores, ranges)), measure)
    st.caption(
        f"{len(rows_N):,} of {len(view.scores):,} samples of the pool are in both ranges, highest "
        f"{MEASURES[measure]} first. Press one to see why."
    )
    if not len(rows_N):
        st.info("No sample is in both ranges: widen one of them.", icon=":material/arrow_forward:")
        return
    _gallery(view, database, rows_N[page_of(len(rows_N), key="uncertainty")], measure)


def _gallery(view: PoolView, database: Database, rows_N: NDArray[np.int64], measure: str) -> None:
    cards = [view.card(int(row), measure) for row in rows_N]
    with database.read() as session:
        samples = get_samples(session, sample_ids=[card.sample_id for card in cards])
    gallery(cards, samples, key="uncertainty", state=CHOSEN_KEY)


def _histogram(view: PoolView, measure: str, round_number: int) -> tuple[float, float]:
    values_N = view.scores.measures[measure]
    top = slider_top(values_N)
    # The keys carry the round: another round has another range, and the old choice means nothing there.
    chart, slider = f"histogram_{measure}_{round_number}", f"range_{measure}_{round_number}"
    st.altair_chart(
        histogram_chart(values_N, measure, top),
        width="stretch",
        key=chart,
        on_select=lambda: _take_selection(chart, slider, top),
        alt=f"How many samples have how much {MEASURES[measure]}",
    )
    st.session_state.setdefault(slider, (0.0, top))
    st.slider(
        f"{MEASURES[measure]} (nats)",
        0.0,
        top,
        step=top / (BINS * _STEPS_PER_BIN),
        format="%.3f",
        key=slider,
        help=HELP_OF[measure],
    )
    low, high = st.session_state[slider]
    return low, high


def slider_top(values_N: NDArray[np.float64]) -> float:
    """The upper end of chart and slider: the largest value, rounded up to a thousandth."""
    largest = float(values_N.max()) if len(values_N) else 0.0
    return max(0.001, math.ceil(largest * 1000) / 1000)


def _take_selection(chart: str, slider: str, top: float) -> None:
    chosen = selected_range(st.session_state[chart]["selection"], top=top)
    st.session_state[slider] = chosen or (0.0, top)


def selected_range(selection: Mapping[str, Any], *, top: float) -> tuple[float, float] | None:
    """The range a chart's selection names: the brush, else the clicked bars from the lowest to the highest.

    Args:
        selection: as Streamlit reports it: ``{"brush": {"low": [0.1, 0.3]}, "bar": [{"low": 0.1, "high": 0.2}]}``.
        top: upper end of the chart.
    """
    edges = [float(edge) for ends in dict(selection.get(BRUSH) or {}).values() for edge in ends]
    if not edges:
        edges = [float(bar[end]) for bar in selection.get(BAR) or [] for end in ("low", "high")]
    if not edges:
        return None
    return max(0.0, min(edges)), min(top, max(edges))
