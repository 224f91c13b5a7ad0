"""The samples behind a part of a chart or table: a gallery, and one of them large, to be labeled or corrected there."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.screens.content.sample import draw_large
from app.screens.shared.blind import hidden_samples
from app.screens.shared.gallery import Card, gallery, page_of
from app.screens.shared.label_box import label_box
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import database
from storage.samples import get_samples

_LARGE = 260  # pixels


def opened_samples(cards: Sequence[Card], *, title: str, classes: Sequence[str], key: str) -> None:
    """Draw the samples that were opened, page by page.

    Args:
        cards: one per sample; those that others are still to decide on, blind, are left out.
        title: what they have in common.
        classes: class names in their order.
        key: prefix of the widgets' keys.
    """
    hidden = hidden_samples()
    cards = [card for card in cards if card.sample_id not in hidden]
    samples_word = "sample" if len(cards) == 1 else "samples"
    st.markdown(f"**{escaped(title)}**: {len(cards):,} {samples_word}")
    if not cards:
        return
    state = f"{key}_chosen"
    overview, detail = st.columns([3, 2], gap="large")
    with overview:
        page = cards[page_of(len(cards), key=key)]
        with database().read() as session:
            samples = get_samples(session, sample_ids=[card.sample_id for card in page])
        if st.session_state.get(state) not in samples:
            st.session_state[state] = page[0].sample_id
        chosen = gallery(page, samples, key=key, state=state)
    with detail, st.container(key=f"beside_{key}"):
        sample = samples[chosen] if chosen in samples else samples[page[0].sample_id]
        st.subheader(f"Sample {sample.id}")
        draw_large(sample, width=_LARGE)
        st.caption(escaped(next(card.caption for card in page if card.sample_id == sample.id)))
        label_box(sample, classes, key=key)
