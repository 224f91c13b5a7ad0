"""The tables of Progress and Review, with units in their heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.screens.content.sample import column_title, content_column
from app.screens.shared.filters import ReviewRow
from app.screens.shared.progress_figures import round_rows
from app.screens.shared.review_rows import table
from storage.rounds import RoundInfo
from storage.samples import SampleInfo

_ROW, _TALLEST = 35, 640  # pixels
MOST_PAIRS = 20


def per_class_table(rows: pd.DataFrame) -> str | None:
    """Draw labels, recall, precision and F1 per class; returns the class whose row is chosen."""
    shares = rows.assign(**{name: rows[name] * 100 for name in ("Recall", "Precision", "F1")})
    event = st.dataframe(
        shares,
        hide_index=True,
        key="per_class_table",
        height=min(_TALLEST, _ROW * (len(rows) + 1) + 3),
        column_config={
            "Recall": _share("Recall", "Of the samples of this class, the share the model found."),
            "Precision": _share("Precision", "Of the samples the model called this class, the share that are."),
            "F1": _share("F1", "High only where recall and precision are: their harmonic mean."),
        },
        on_select="rerun",
        selection_mode="single-row",
        alt="Labels, recall, precision and F1 of each class",
    )
    chosen = event["selection"]["rows"]
    return str(rows["Class"].iloc[chosen[0]]) if chosen and chosen[0] < len(rows) else None


def confused_table(pairs: pd.DataFrame) -> tuple[str, str] | None:
    """Draw the classes that are most often taken for one another; returns label and answer of the row chosen."""
    event = st.dataframe(
        pairs.head(MOST_PAIRS).assign(**{"Share of the class": pairs["Share of the class"] * 100}),
        hide_index=True,
        key="confused_table",
        column_config={
            "Share of the class": _share("Share of the class", "Of the samples of this class, the share in this cell.")
        },
        on_select="rerun",
        selection_mode="single-row",
        alt="Pairs of classes that are taken for one another",
    )
    chosen = event["selection"]["rows"]
    return tuple(pairs.loc[chosen[0], ["Label", "Prediction"]]) if chosen and chosen[0] < len(pairs) else None


def rounds_table(rounds: Sequence[RoundInfo]) -> None:
    """Draw the rounds, newest first, in the time zone of the person reading."""
    zone = st.context.timezone or "UTC"
    rows = round_rows(rounds)
    st.dataframe(
        rows if rows["Reason"].any() else rows.drop(columns="Reason"),
        hide_index=True,
        key="rounds_table",
        alt="The rounds, newest first",
        column_config={
            "Started": st.column_config.DatetimeColumn(
                f"Started ({zone})", format="YYYY-MM-DD HH:mm:ss", timezone=zone
            ),
            "Training (s)": st.column_config.NumberColumn(format="%.1f"),
            "Scoring (s)": st.column_config.NumberColumn(format="%.1f"),
        },
    )


def review_table(rows: Sequence[ReviewRow], samples: Mapping[int, SampleInfo], classes: Sequence[str]) -> int | None:
    """Draw one page of decisions; returns the sample whose row is selected."""
    if not rows:
        return None
    zone = st.context.timezone or "UTC"
    selected = st.dataframe(
        table(rows, samples, classes),
        hide_index=True,
        row_height=56,
        # Rows are selected by position: on another page, the selection must not point at another sample.
        key=f"review_table_{rows[0].label.event_id}_{rows[-1].label.event_id}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            column_title(): content_column(),
            "Likely error": st.column_config.TextColumn(width="medium"),
            "Labeled": st.column_config.DatetimeColumn(
                f"Labeled ({zone})", format="YYYY-MM-DD HH:mm:ss", timezone=zone
            ),
        },
    )
    chosen = selected["selection"]["rows"]
    return rows[chosen[0]].label.sample_id if chosen and chosen[0] < len(rows) else None


def _share(name: str, meaning: str) -> Any:  # noqa: ANN401 - Streamlit does not name the type
    return st.column_config.ProgressColumn(name, help=meaning, format="%.0f %%", min_value=0.0, max_value=100.0)
