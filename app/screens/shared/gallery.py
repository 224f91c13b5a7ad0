"""Samples on pages, each with a button that chooses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from app.screens.content.sample import draw_small
from app.screens.shared.plain_text import escaped
from storage.samples import SampleInfo

PAGE_SIZE = 24  # samples; what is decoded at once, and whole rows of 3, 4, 6 and 8


@dataclass(frozen=True)
class Card:
    """One sample with the words beneath it."""

    sample_id: int
    title: str
    caption: str


def gallery(cards: Sequence[Card], samples: Mapping[int, SampleInfo], *, key: str, state: str) -> int | None:
    """Draw one page of cards; returns the sample chosen so far.

    Args:
        cards: the cards of this page.
        samples: at least the samples of these cards.
        key: prefix of the widgets' keys.
        state: where the choice is kept in the session, for it outlives the page of cards.
    """
    chosen: int | None = st.session_state.get(state)
    with st.container(horizontal=True, gap="small", key=f"{key}_gallery"):
        for card in cards:
            with st.container(gap=None, key=f"pick_{key}_{card.sample_id}"):
                draw_small(samples[card.sample_id], width="stretch")
                st.button(
                    escaped(card.title),
                    key=f"{key}_choose_{card.sample_id}",
                    type="primary" if card.sample_id == chosen else "secondary",
                    width="stretch",
                    on_click=_choose,
                    args=(state, card.sample_id),
                )
                st.caption(escaped(card.caption))
    return chosen


def page_of(total: int, *, key: str, size: int = PAGE_SIZE) -> slice:
    """Draw the ways from page to page and return the slice of the one that is shown; nothing is drawn for one page."""
    pages = max(1, -(-total // size))
    state = f"{key}_page"
    # Filters may have shortened the list since the page was chosen.
    page = st.session_state[state] = min(st.session_state.get(state, 0), pages - 1)
    if pages > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Previous", key=f"{key}_previous", disabled=page == 0, on_click=_turn, args=(state, -1))
            st.button("Next", key=f"{key}_next", disabled=page == pages - 1, on_click=_turn, args=(state, 1))
            st.session_state[f"{key}_jump"] = page + 1
            st.number_input(
                "Page",
                1,
                pages,
                key=f"{key}_jump",
                label_visibility="collapsed",
                width=120,
                on_change=_jump,
                args=(key,),
            )
            st.caption(f"of {pages:,} pages")
    return slice(page * size, (page + 1) * size)


def _choose(state: str, sample_id: int) -> None:
    st.session_state[state] = sample_id


def _jump(key: str) -> None:
    st.session_state[f"{key}_page"] = st.session_state[f"{key}_jump"] - 1


def _turn(state: str, by: int) -> None:
    st.session_state[state] += by
