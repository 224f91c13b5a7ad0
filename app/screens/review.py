"""Review: every decision, what the model thinks of it, corrections, and the way out with the labels."""

from dataclasses import replace

import streamlit as st

from app.screens.group_page.choice import more_like_this
from app.screens.review_page.agreement_box import agreement_box
from app.screens.review_page.answers_box import answers_box
from app.screens.review_page.correction import correction_box
from app.screens.review_page.export_box import export_box
from app.screens.review_page.several_box import several_box
from app.screens.shared.blind import hidden_samples, hidden_sentence
from app.screens.shared.deciding import show_outcome
from app.screens.shared.empty_states import no_labels
from app.screens.shared.filters import ReviewRow, filter_box, matching
from app.screens.shared.gallery import gallery, page_of
from app.screens.shared.progress_figures import read_figures
from app.screens.shared.review_rows import card, found_samples, review_rows, suspects_sentence
from app.screens.shared.session import current_project, database, project_id
from app.screens.shared.tables import review_table
from storage.samples import get_samples

CHOSEN_KEY = "review_sample"
GALLERY, TABLE, SEVERAL = "Gallery", "Table", "Several at once"

project = current_project()
figures, hidden = read_figures(database(), project_id()), hidden_samples()
rows = [row for row in review_rows(figures, database(), project_id()) if row.label.sample_id not in hidden]

st.title("Review")
show_outcome()
if hidden:
    st.caption(hidden_sentence(len(hidden)))
if not rows:
    no_labels()
    st.stop()

decisions, answers, several, export = st.tabs(["Decisions", "Answers", "Agreement", "Export"], key="review_tabs")
with decisions:
    audited = sum(row.label.purpose == "audit" for row in rows)
    st.caption(
        f"{len(rows):,} decided samples, {audited:,} of them audit samples: these measure the accuracy and are never "
        "trained on. A prediction is what the model answered when it asked for the sample."
    )
    wanted = st.text_input(
        "Find", key="review_find", persist_state="session", placeholder="a file's name or a sample's number", width=320
    )
    choices = replace(filter_box(rows, figures.classes), found=found_samples(wanted))
    if choices.suspects_only:
        st.caption(suspects_sentence(sum(row.suspect is not None for row in rows)))
    chosen_rows = matching(rows, choices)
    shown_as = st.segmented_control("Show as", (GALLERY, TABLE, SEVERAL), default=GALLERY, key="review_view")

    # Corrected together, samples need no card of one of them beside.
    overview, detail = (st.container(), None) if shown_as == SEVERAL else st.columns([3, 2], gap="large")
    with overview:
        how = "Choose some, then a class" if shown_as == SEVERAL else "Press one to look at it and correct it"
        st.caption(f"{len(chosen_rows):,} of {len(rows):,} shown. {how}.")
        if not chosen_rows:
            st.info("No sample passes these filters: take one away.", icon=":material/arrow_forward:")
        page = chosen_rows[page_of(len(chosen_rows), key="review")]
        with database().read() as session:
            samples = get_samples(session, sample_ids=[row.label.sample_id for row in page])
        if shown_as == SEVERAL:
            several_box(page, samples, figures.classes)
        elif shown_as == TABLE:
            selected = review_table(page, samples, figures.classes)
            st.session_state[CHOSEN_KEY] = st.session_state.get(CHOSEN_KEY) if selected is None else selected
        else:
            gallery([card(row, figures.classes) for row in page], samples, key="review", state=CHOSEN_KEY)

    if detail is not None:
        with detail, st.container(key="beside_review"):
            by_id: dict[int | None, ReviewRow] = {row.label.sample_id: row for row in rows}
            row = by_id.get(st.session_state.get(CHOSEN_KEY))
            if row is None:
                st.info("Choose a sample to see its history and to correct it.", icon=":material/touch_app:")
            else:
                with database().read() as session:
                    sample = get_samples(session, sample_ids=[row.label.sample_id])[row.label.sample_id]
                correction_box(row, sample, figures.classes)
                more_like_this(row.label.sample_id)

with answers:
    answers_box(project, database(), project_id(), figures.classes)
with several:
    agreement_box(figures.classes, hidden=hidden)
with export:
    export_box(project, database(), project_id())
