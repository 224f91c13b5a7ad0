"""What an empty screen says: what is missing, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.screens.shared.plain_text import escaped
from app.screens.shared.progress_figures import ProgressFigures
from app.screens.shared.waiting import gone_words

_ICON = ":material/arrow_forward:"
MOST_NAMED = 5  # classes


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


def no_accuracy(figures: ProgressFigures, *, query_size: int, audit_share: float) -> None:
    """Rounds, but no accuracy: which of the reasons it is, and what to do about it."""
    reason = why_no_accuracy(figures, audit_share=audit_share)
    if reason is not None:
        st.info(escaped(f"No accuracy has been measured yet: {reason}"), icon=_ICON)
    else:
        no_round(figures, query_size=query_size)


def why_no_accuracy(figures: ProgressFigures, *, audit_share: float) -> str | None:
    """The reason as the end of a sentence, and the next step; None: only that no model has been trained yet."""
    labeled = figures.labels_per_class(audit=False) + figures.labels_per_class(audit=True)
    audited = sum(figures.labels_per_class(audit=True).values())
    if not labeled and figures.counts.skipped:
        return (
            f"all {figures.counts.skipped:,} samples so far were skipped, and a skip teaches nothing. Label some of at "
            "least two classes on the Label screen; a skip is undone on Review."
        )
    if len(labeled) == 1:
        only = figures.classes[next(iter(labeled))]
        return f"all labels so far are of one class, {only}. A model needs samples of two: label some of another class."
    if len(figures.published) == 1 and figures.published[0].number == 0:
        return None
    if figures.counts.test:
        return "the test set is measured with the next round. Press Train now, or go on labeling."
    if audited:
        return (
            f"{_audit_labels(audited)} given since the last round. It measures them with the next one: go on labeling."
        )
    if not audit_share:
        return (
            "there is no test set, and no audit samples are drawn. Set their share on Setup, or give a test set there."
        )
    return (
        f"no audit sample has been decided yet. About one sample in {round(1 / audit_share)} is one: go on labeling, "
        "or give a labeled test set on the Setup screen."
    )


def _audit_labels(count: int) -> str:
    return "1 audit label was" if count == 1 else f"{count:,} audit labels were"


def no_label_words(names: Sequence[str]) -> str:
    """Which classes nobody has labeled yet, and what that means."""
    named = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    return f"No label yet: {named}. The model never answers with a class it has not seen: label a sample of it."


def no_scores(figures: ProgressFigures, *, query_size: int) -> None:
    """No round has scored the pool."""
    if figures.published and figures.published[-1].number > 0:
        st.info("The scores of the rounds are not on this machine: they lie in the project's rounds folder.")
    else:
        no_round(figures, query_size=query_size)


def no_labels() -> None:
    """Nothing to review."""
    st.info("Nothing has been labeled yet: label some samples on the Label screen, they appear here.", icon=_ICON)
