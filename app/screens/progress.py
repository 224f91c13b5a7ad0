"""Progress: how good the model is, how sure we are of that, and what more labels would bring."""

import streamlit as st

from app.screens.progress_page.certificate import certificate_box
from app.screens.progress_page.charts import accuracy_chart, pool_uncertainty_chart
from app.screens.progress_page.classes import classes_of_round, labels_now
from app.screens.progress_page.enough import beside_simplest_box, labels_saved_box, when_to_stop
from app.screens.progress_page.key_figures import key_figures
from app.screens.shared.accepted import accepted_line
from app.screens.shared.deciding import show_outcome
from app.screens.shared.empty_states import no_accuracy, no_round
from app.screens.shared.progress_figures import MEANS, accuracy_words, read_figures
from app.screens.shared.round_choice import choose_measured_round
from app.screens.shared.session import current_project, database, project_id
from app.screens.shared.tables import rounds_table
from loops.evaluation.learning_curve import forecast, too_few_rounds

figures = read_figures(database(), project_id())
settings = current_project().settings()
query_size = settings.query_size

st.title("Progress")
show_outcome()
key_figures(drawn_rounds=len(figures.published))

certificate_box(database(), current_project(), project_id(), figures.classes)
accepted_line()  # the certificate takes the labels as the truth

st.header("Accuracy")
points = figures.curve_points()
prediction = forecast(points)
if figures.accuracies or figures.cross_validated:
    if figures.drawn:
        st.altair_chart(
            accuracy_chart(figures.drawn, prediction), width="stretch", key="accuracy_chart", alt="Accuracy by labels"
        )
    st.caption(accuracy_words(figures))
if figures.accuracies:
    st.info(prediction.sentence if prediction else too_few_rounds(points), icon=":material/trending_up:")
elif figures.published:
    no_accuracy(figures, query_size=query_size, audit_share=settings.audit_share)
else:
    no_round(figures, query_size=query_size)

when_to_stop(database(), project_id(), query_size=query_size)
labels_saved_box(figures)
beside_simplest_box(figures, settings)

st.header("Classes")
labels_now(figures)
chosen = choose_measured_round(database(), project_id(), figures.published)
if chosen is not None:
    classes_of_round(figures, chosen)

if figures.rounds:
    st.header("Rounds")
means = [metric for metric in figures.metrics if metric.name in MEANS]
if means:
    over_pool = pool_uncertainty_chart(means)
    st.altair_chart(over_pool, width="stretch", key="pool_uncertainty", alt="Mean doubt over the pool by round")
if figures.rounds:
    rounds_table(figures.rounds)
