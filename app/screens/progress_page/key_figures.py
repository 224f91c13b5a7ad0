"""The row of key figures, kept fresh while the page stands still."""

from __future__ import annotations

import streamlit as st

from app.screens.shared.accuracy_figure import WIDTH, accuracy_figure
from app.screens.shared.enough_measured import is_enough
from app.screens.shared.failures import as_sentences
from app.screens.shared.plain_text import escaped
from app.screens.shared.progress_figures import read_headline
from app.screens.shared.session import database, project_id
from app.screens.shared.trainer_status import read_trainer, trainer_badge
from storage.rounds import RoundInfo

EVERY_S = 2.0
_WIDTH = 110  # pixels; all six fit beside the sidebar of a laptop, two on a phone


@st.fragment(run_every=EVERY_S)
def key_figures(*, drawn_rounds: int) -> None:
    """Labels, skips, pool, accuracy, round and trainer, read anew every two seconds.

    Args:
        drawn_rounds: published rounds the charts below were drawn from. The page is drawn again when one more was
            published, not on every label: charts that jump while one reads them are no help.
    """
    with as_sentences():
        figures = read_headline(database(), project_id())
        with st.container(horizontal=True, key="key_figures"):
            st.metric("Labels", f"{figures.counts.labeled:,}", width=_WIDTH)
            st.metric("Skips", f"{figures.counts.skipped:,}", width=_WIDTH)
            st.metric("Pool left", f"{figures.counts.pool:,}", width=_WIDTH)
            _round(figures.rounds[-1] if figures.rounds else None)
            measured = [m for m in figures.accuracies if is_enough(m)]
            for accuracy in measured:
                accuracy_figure(accuracy)
            if not measured:
                st.metric("Accuracy", "-", delta="not measured yet", delta_color="off", delta_arrow="off", width=WIDTH)
        trainer = read_trainer()
        trainer_badge(trainer)
        if trainer.details:
            st.caption(escaped(trainer.details))
        if figures.published > drawn_rounds:
            st.rerun()


def _round(latest: RoundInfo | None) -> None:
    if latest is None:
        st.metric("Round", "-", delta="none yet", delta_color="off", delta_arrow="off", width=_WIDTH)
    else:
        st.metric("Round", latest.number, delta=latest.state, delta_color="off", delta_arrow="off", width=_WIDTH)
