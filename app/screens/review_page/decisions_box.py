"""Every decision that was made: found, filtered, looked at and corrected, one by one or several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from app.screens.group_page.choice import more_like_this
from app.screens.review_page.correction import correction_box
from app.screens.review_page.several_box import several_box
from app.screens.shared.filters import ReviewRow, filter_box, matching
from app.screens.shared.gallery import gallery, page_of
from app.screens.shared.review_rows import card, found_samples, suspects_sentence
from app.screens.shared.session import database
from app.screens.shared.tables import review_table
from storage.samples import get_samples

CHOSEN_KEY = "review_sample"
GALLERY, TABLE, SEVERAL = "Gallery", "Table", "Several at once"


def decisions_box(rows: Sequence[ReviewRow], classes: Sequence[str]) -> None:
    """Draw the decisions, and beside them the one that is chosen.

    Args:
        rows: All that this person may see, at least one.
        classes: Names by index.
    """
    audited = sum(row.label.purpose == "audit" for row in rows)
    st.caption(
        f"{len(rows):,} decided samples, {audited:,} of them audit samples: these measure the accuracy and are never "
        "trained on. A prediction is what the model answered when it asked for the sample."
    )
    wanted = st.text_input(
        "Find", key="review_find", persist_state="session", placeholder="a file's name or a sample's number", width=320
    )
    choices = replace(filter_box(rows, classes), found=found_samples(wanted))
    if choices.suspects_only:
        st.caption(suspects_sentence(sum(row.suspect is not None for row in rows)))
    shown_as = st.segmented_control("Show as", (GALLERY, TABLE, SEVERAL), default=GALLERY, key="review_view")

    # Corrected together, samples need no card of one of them beside.
    overview, detail = (st.container(), None) if shown_as == SEVERAL else st.columns([3, 2], gap="large")
    with overview:
        _overview(matching(rows, choices), classes, of=len(rows), shown_as=shown_as)
    if detail is not None:
        with detail, st.container(key="beside_review"):
            _detail(rows, classes)


def _overview(chosen: Sequence[ReviewRow], classes: Sequence[str], *, of: int, shown_as: str | None) -> None:
    how = "Choose some, then a class" if shown_as == SEVERAL else "Press one to look at it and correct it"
    st.caption(f"{len(chosen):,} of {of:,} shown. {how}.")
    if not chosen:
        st.info("No sample passes these filters: take one away.", icon=":material/arrow_forward:")
    page = chosen[page_of(len(chosen), key="review")]
    with database().read() as session:
        samples = get_samples(session, sample_ids=[row.label.sample_id for row in page])
    if shown_as == SEVERAL:
        several_box(page, samples, classes)
    elif shown_as == TABLE:
        selected = review_table(page, samples, classes)
        st.session_state[CHOSEN_KEY] = st.session_state.get(CHOSEN_KEY) if selected is None else selected
    else:
        gallery([card(row, classes) for row in page], samples, key="review", state=CHOSEN_KEY)


def _detail(rows: Sequence[ReviewRow], classes: Sequence[str]) -> None:
    row = next((one for one in rows if one.label.sample_id == st.session_state.get(CHOSEN_KEY)), None)
    if row is None:
        st.info("Choose a sample to see its history and to correct it.", icon=":material/touch_app:")
        return
    with database().read() as session:
        sample = get_samples(session, sample_ids=[row.label.sample_id])[row.label.sample_id]
    correction_box(row, sample, classes)
    more_like_this(row.label.sample_id)
