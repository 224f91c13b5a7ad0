"""What an empty screen says: what is missing, and what to do next."""

from __future__ import annotations

import streamlit as st

from app.screens.shared.progress_figures import ProgressFigures
from app.screens.shared.waiting import gone_words

_ICON = ":material/arrow_forward:"


def no_round(figures: ProgressFigures, *, query_size: int) -> None:
    """No model was trained yet: say how many labels are missing."""
    st.info(no_round_sentence(figures, query_size=query_size), icon=_ICON)


def no_round_sentence(figures: ProgressFigures, *, query_size: int) -> str:
    """The next step of a project without a trained model."""
    if figures.counts.pool + figures.counts.labeled + figures.counts.skipped == 0:
        if figures.counts.broken:
            return gone_words(figures.counts.broken)
        return "There are no samples yet: add samples on the Setup screen."
    trained_on = sum(figures.labels_per_class(audit=False).values())
    missing = max(0, query_size - trained_on)
    if missing:
        samples = "sample" if missing == 1 else "samples"
        return f"No round has been trained yet: label {missing} more {samples} on the Label screen."
    return "No round has been trained yet: enough labels are there, the trainer takes them up by itself."


def no_accuracy(figures: ProgressFigures, *, query_size: int) -> None:
    """Rounds, but nothing to measure on."""
    if len(figures.published) == 1 and figures.published[0].number == 0:
        no_round(figures, query_size=query_size)
        return
    st.info(
        "No accuracy has been measured yet: go on labeling, audit samples come by themselves "
        "(their share is a setting), or give a labeled test set on the Setup screen.",
        icon=_ICON,
    )


def no_scores(figures: ProgressFigures, *, query_size: int) -> None:
    """No round has scored the pool."""
    if figures.published and figures.published[-1].number > 0:
        st.info("The scores of the rounds are not on this machine: they lie in the project's rounds folder.")
    else:
        no_round(figures, query_size=query_size)


def no_labels() -> None:
    """Nothing to review."""
    st.info("Nothing has been labeled yet: label some samples on the Label screen, they appear here.", icon=_ICON)
