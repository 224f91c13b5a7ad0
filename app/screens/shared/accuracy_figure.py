"""An accuracy as a figure on a screen, with its interval below it."""

import streamlit as st

from app.screens.shared.progress_figures import interval, percent
from storage.metrics import MetricInfo

WIDTH = 185  # pixels


def accuracy_figure(accuracy: MetricInfo) -> None:
    """Draw it, and say what it was measured on."""
    source = "audit" if accuracy.name == "accuracy_audit" else "test set"
    st.metric(
        f"Accuracy ({source})",
        percent(accuracy.value),
        delta=interval(accuracy),
        delta_color="off",
        delta_arrow="off",
        help="95 % interval (Wilson): where the true accuracy lies with the samples measured so far.",
        width=WIDTH,
    )
