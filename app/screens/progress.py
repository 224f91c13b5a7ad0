"""Progress: how good the model is, how sure we are of that, and what more labels would bring."""

import streamlit as st

from app.project.advice import without_label
from app.screens.progress_page.certificate import certificate_box
from app.screens.progress_page.charts import accuracy_chart, class_balance_chart, pool_uncertainty_chart
from app.screens.progress_page.confusion import (
    MOST_WRITTEN,
    confused_pairs,
    confusion_chart,
    confusion_rows,
    drawn_classes,
    per_class_rows,
)
from app.screens.progress_page.enough import labels_saved_box, when_to_stop
from app.screens.progress_page.key_figures import key_figures
from app.screens.shared.charts import chart_width, is_dark
from app.screens.shared.empty_states import no_accuracy, no_label_words, no_round
from app.screens.shared.plain_text import escaped
from app.screens.shared.progress_figures import MEANS, accuracy_words, balance_rows, labeled_most, read_figures
from app.screens.shared.round_choice import choose_measured_round
from app.screens.shared.session import current_project, database, project_id
from app.screens.shared.tables import confused_table, per_class_table, rounds_table
from loops.evaluation.learning_curve import forecast, too_few_rounds

figures = read_figures(database(), project_id())
settings = current_project().settings()
query_size = settings.query_size

st.title("Progress")
key_figures(drawn_rounds=len(figures.published))

certificate_box(database(), current_project(), project_id(), figures.classes)

st.header("Accuracy")
points = figures.curve_points()
prediction = forecast(points)
if figures.accuracies or figures.cross_validated:
    if figures.drawn:
        st.altair_chart(accuracy_chart(figures.drawn, prediction), width="stretch", key="accuracy_chart")
    st.caption(accuracy_words(figures))
if figures.accuracies:
    st.info(prediction.sentence if prediction else too_few_rounds(points), icon=":material/trending_up:")
elif figures.published:
    no_accuracy(figures, query_size=query_size, audit_share=settings.audit_share)
else:
    no_round(figures, query_size=query_size)

when_to_stop(database(), project_id(), query_size=query_size)
labels_saved_box(figures)

st.header("Classes")
if figures.labels:
    names = labeled_most(figures)
    balance = class_balance_chart(balance_rows(figures), names)
    st.altair_chart(balance, width=chart_width(len(names)), key="class_balance")
    if len(names) < len(figures.classes):
        st.caption(f"Of {len(figures.classes):,} classes, the {len(names)} with the most labels.")
    if unlabeled := without_label(figures.classes, figures.labeled_classes):
        st.caption(no_label_words([escaped(name) for name in unlabeled]))
else:
    st.caption(f"No labels yet for {len(figures.classes)} classes.")
chosen = choose_measured_round(database(), project_id(), figures.published)
if chosen is not None:
    labels = figures.labels_per_class(audit=False) + figures.labels_per_class(audit=True)
    per_class_table(per_class_rows(chosen.counts, figures.classes, labels))
    st.subheader("Confusion matrix")
    cells = confusion_rows(chosen.counts, figures.classes)
    if len(figures.classes) > MOST_WRITTEN:
        st.caption("The pairs of classes most often taken for one another; the matrix is below.")
        confused_table(confused_pairs(cells))
    drawn = drawn_classes(cells, figures.classes)
    if len(drawn) < len(figures.classes):
        st.caption(f"The matrix of {len(drawn)} of {len(figures.classes):,} classes, those with the most mistakes.")
    if drawn:
        matrix = confusion_chart(cells, drawn, dark=is_dark())
        st.altair_chart(matrix, width=chart_width(len(drawn)), key="confusion_chart")

if figures.rounds:
    st.header("Rounds")
means = [metric for metric in figures.metrics if metric.name in MEANS]
if means:
    st.altair_chart(pool_uncertainty_chart(means), width="stretch", key="pool_uncertainty")
if figures.rounds:
    rounds_table(figures.rounds)
