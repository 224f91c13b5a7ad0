"""Samples found by the name of their file, by a part of their text, or by their number."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app.project.scores import BALD
from app.screens.shared.gallery import Card, gallery, page_of
from app.screens.shared.pool_view import PoolView
from app.screens.uncertainty_page.pool_selection import CHOSEN_KEY
from storage.engine import Database
from storage.samples import get_samples


def choose_by_name(view: PoolView, database: Database, found: frozenset[int]) -> None:
    """Draw what was found, the most doubted first and those without a score last; a press on one chooses it.

    Args:
        view: The round's pool.
        database: The project's.
        found: Ids.
    """
    ids = ordered(view, found)
    what = "1 sample was" if len(ids) == 1 else f"{len(ids):,} samples were"
    st.caption(f"{what} found. Press one to see why; empty the field to see the charts again.")
    page = ids[page_of(len(ids), key="found")]
    with database.read() as session:
        samples = get_samples(session, sample_ids=page)
    gallery([_card(view, one) for one in page], samples, key="found", state=CHOSEN_KEY)


def ordered(view: PoolView, found: frozenset[int]) -> list[int]:
    """What was found, by the model's doubt, and what has no score by its number."""
    rows = np.flatnonzero(np.isin(view.scores.sample_ids, np.fromiter(found, np.int64, len(found))))
    by_doubt = rows[np.argsort(-view.scores.measures[BALD][rows], kind="stable")]
    scored = [int(one) for one in view.scores.sample_ids[by_doubt]]
    return scored + sorted(found - set(scored))


def _card(view: PoolView, sample_id: int) -> Card:
    row = view.scores.row_of(sample_id)
    return Card(sample_id, "no score", view.label_of(sample_id)) if row is None else view.card(row, BALD)
