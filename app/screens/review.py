"""Review: every decision, what the model thinks of it, corrections, and the way out with the labels."""

import streamlit as st

from app.project.pool_answers import newest_scored
from app.screens.review_page.agreement_box import agreement_box
from app.screens.review_page.answers_box import answers_box
from app.screens.review_page.decisions_box import decisions_box
from app.screens.review_page.export_box import export_box
from app.screens.shared.blind import hidden_samples, hidden_sentence
from app.screens.shared.deciding import show_outcome
from app.screens.shared.empty_states import no_labels
from app.screens.shared.progress_figures import read_figures
from app.screens.shared.review_rows import review_rows
from app.screens.shared.session import current_project, database, project_id

project = current_project()
figures, hidden = read_figures(database(), project_id()), hidden_samples()
rows = [row for row in review_rows(figures, database(), project_id()) if row.label.sample_id not in hidden]

st.title("Review")
show_outcome()
if hidden:
    st.caption(hidden_sentence(len(hidden)))
if not rows and newest_scored(figures.rounds, project.rounds_dir) is None:  # a model may answer before any label
    no_labels()
    st.stop()

decisions, answers, several, export = st.tabs(["Decisions", "Answers", "Agreement", "Export"], key="review_tabs")
with decisions:
    if rows:
        decisions_box(rows, figures.classes)
    else:
        no_labels()
with answers:
    answers_box(project, database(), project_id(), figures.classes)
with several:
    agreement_box(figures.classes, hidden=hidden)
with export:
    export_box(project, database(), project_id())
