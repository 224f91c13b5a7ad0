"""Uncertainty: where the model is in doubt, over the pool and for one sample."""

import streamlit as st

from app.project.pool_map import map_path
from app.project.scores import BALD, read_draws, scores_path
from app.screens.group_page.choice import more_like_this
from app.screens.shared.deciding import show_outcome
from app.screens.shared.empty_states import no_scores
from app.screens.shared.plain_text import whole_percent
from app.screens.shared.pool_view import PoolView, label_words
from app.screens.shared.progress_figures import read_figures
from app.screens.shared.review_rows import found_samples
from app.screens.shared.round_choice import choose_scored_round, scored_rounds
from app.screens.shared.round_scores import draws_are_identical, read_pool_map, read_round_scores, version_of
from app.screens.shared.session import current_project, database, project_id
from app.screens.uncertainty_page.by_name import choose_by_name
from app.screens.uncertainty_page.changes import choose_by_change
from app.screens.uncertainty_page.map_choice import choose_on_map
from app.screens.uncertainty_page.pool_selection import CHOSEN_KEY, choose_by_histogram
from app.screens.uncertainty_page.sample_keys import sample_keys
from app.screens.uncertainty_page.why_uncertain import outside_the_pool, predictor_words, why_uncertain
from storage.samples import get_sample
from storage.who_asked import who_answers

HISTOGRAM, MAP, CHANGES = "Histograms", "Map", "Changes"

project = current_project()
figures = read_figures(database(), project_id())

st.title("Uncertainty")
show_outcome()
with st.container(horizontal=True, vertical_alignment="top"):
    round_number = choose_scored_round(project.rounds_dir, figures.published)
    if round_number is not None:
        wanted = st.text_input(
            "Find", key="uncertainty_find", persist_state="session", placeholder="a file's name or a number", width=220
        )
        view_name = st.segmented_control("View", (HISTOGRAM, MAP, CHANGES), default=HISTOGRAM, key="uncertainty_view")
if round_number is None:
    no_scores(figures, query_size=project.settings().query_size)
    st.stop()

path = scores_path(project.rounds_dir, round_number)
scores = read_round_scores(path)
view = PoolView(scores, figures.classes, label_words(database(), project_id(), figures.classes))
if not len(scores):
    st.info("The pool was empty in this round: add samples on the Setup screen, or choose an earlier round.")
    st.stop()
if draws_are_identical(scores):
    st.error(
        "Health alarm: the MC draws of the whole pool are identical, so BALD is zero everywhere and means nothing. "
        "Press 'Train now' on the Label screen; if it stays, run 'labelloop doctor'.",
        icon=":material/emergency_heat:",
    )

overview, detail = st.columns([3, 2], gap="large")
with overview:
    found = found_samples(wanted)
    if found is not None:
        choose_by_name(view, database(), found)
    elif view_name == MAP:
        drawn = map_path(project.features_dir)
        placed = read_pool_map(drawn)
        if placed is None:
            st.info("The map is not there yet: the trainer writes it after it has looked at all samples.")
        else:
            choose_on_map(view, placed, version=f"{round_number}-{version_of(path, drawn)}", colors=figures.colors)
    elif view_name == CHANGES:
        numbers = scored_rounds(project.rounds_dir, figures.published)
        choose_by_change(view, database(), project.rounds_dir, round_number=round_number, rounds=numbers)
    else:
        choose_by_histogram(view, database(), round_number=round_number)

with detail, st.container(key="beside_uncertainty"):
    sample_id = st.session_state.get(CHOSEN_KEY)
    if sample_id is None:
        sample_id = int(scores.sample_ids[scores.measures[BALD].argmax()])
        st.caption("The sample with the highest BALD of this round; choose another to see it here.")
    info = next(info for info in figures.published if info.number == round_number)
    with database().read() as session:
        sample = get_sample(session, sample_id=sample_id)
        asker = who_answers(session, project_id=project_id(), round_number=round_number)
    sample_keys(view, sample)
    row, draws = scores.row_of(sample_id), read_draws(path, scores, [sample_id]).get(sample_id)
    if row is None or draws is None:
        outside_the_pool(sample, view.label_of(sample_id), figures.classes)
    else:
        words = (
            f"Predicted {view.predicted(row)} ({whole_percent(scores.confidence_N[row])}), {view.label_of(sample_id)}."
        )
        whose = predictor_words(asker, info)
        why_uncertain(sample, scores, draws, classes=figures.classes, words=words, whose=whose)
    more_like_this(sample_id)
