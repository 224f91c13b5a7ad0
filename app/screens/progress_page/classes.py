"""The classes on Progress: their labels, how well each is recognized, and which are taken for one another."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app.project.advice import without_label
from app.screens.progress_page.charts import BAR, class_balance_chart
from app.screens.progress_page.class_curves import class_curves
from app.screens.progress_page.confusion import (
    CELL,
    MOST_WRITTEN,
    confused_pairs,
    confusion_chart,
    confusion_rows,
    drawn_classes,
    per_class_rows,
)
from app.screens.progress_page.opening import open_labeled, open_measured, picked
from app.screens.shared.charts import chart_width
from app.screens.shared.empty_states import no_label_words
from app.screens.shared.plain_text import escaped
from app.screens.shared.progress_figures import ProgressFigures, balance_rows, labeled_most, labels_of_round
from app.screens.shared.round_choice import MeasuredRound
from app.screens.shared.session import database, project_id
from app.screens.shared.tables import confused_table, per_class_table


def labels_now(figures: ProgressFigures) -> None:
    """Draw the labels of each class as they are now; a bar opens its samples."""
    if not figures.labels:
        st.caption(f"No labels yet for {len(figures.classes)} classes.")
        return
    names = labeled_most(figures)
    pressed = st.altair_chart(
        class_balance_chart(balance_rows(figures), names),
        width=chart_width(len(names)),
        key="class_balance",
        on_select="rerun",
        alt="Labels of each class, trained on and audit",
    )
    st.caption("Press a bar to open its samples.")
    if bar := picked(pressed, BAR):
        open_labeled(figures.labels, figures.classes, label=bar["class"], purpose=bar["purpose"], key="bar")
    if len(names) < len(figures.classes):
        st.caption(f"Of {len(figures.classes):,} classes, the {len(names)} with the most labels.")
    if unlabeled := without_label(figures.classes, figures.labeled_classes):
        st.caption(no_label_words([escaped(name) for name in unlabeled]))


def classes_of_round(figures: ProgressFigures, chosen: MeasuredRound) -> None:
    """Draw what a round's model had right of each class, through the rounds too, and what it took for what."""
    names = figures.classes
    st.caption(
        f"Labels and predictions of the moment at which round {chosen.round_number} was trained. Press a row to open "
        "the samples of its class that were measured."
    )
    labels = labels_of_round(database(), project_id(), figures, chosen.round_number)
    if of_class := per_class_table(per_class_rows(chosen.counts, names, labels)):
        open_measured(chosen, names, label=of_class, predicted=None, key="of_class")
    class_curves(database(), project_id(), names, chosen.dataset, figures.colors)
    st.subheader("Confusion matrix")
    cells = confusion_rows(chosen.counts, names)
    if len(names) > MOST_WRITTEN:
        st.caption("The pairs of classes most often taken for one another; the matrix is below.")
        if pair := confused_table(confused_pairs(cells)):
            open_measured(chosen, names, label=pair[0], predicted=pair[1], key="pair")
    _matrix(chosen, cells, names)


def _matrix(chosen: MeasuredRound, cells: pd.DataFrame, names: Sequence[str]) -> None:
    drawn = drawn_classes(cells, names)
    if len(drawn) < len(names):
        st.caption(f"The matrix of {len(drawn)} of {len(names):,} classes, those with the most mistakes.")
    if not drawn:
        return
    pressed = st.altair_chart(
        confusion_chart(cells, drawn),
        width=chart_width(len(drawn)),
        key="confusion_chart",
        on_select="rerun",
        selection_mode=CELL,
        alt="Confusion matrix: label by prediction",
    )
    st.caption("Press a cell to open its samples.")
    if cell := picked(pressed, CELL):
        open_measured(chosen, names, label=cell["true"], predicted=cell["predicted"], key="cell")
