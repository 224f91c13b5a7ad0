"""Two rounds compared: which samples the model answers otherwise now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from app.project.scores import Floats, Ids, RoundScores, scores_path
from app.screens.shared.gallery import Card, gallery, page_of
from app.screens.shared.plain_text import whole_percent
from app.screens.shared.pool_view import PoolView
from app.screens.shared.round_scores import read_round_scores
from app.screens.uncertainty_page.pool_selection import CHOSEN_KEY
from storage.engine import Database
from storage.samples import get_samples

_MOST_PAIRS = 200


@dataclass(frozen=True)
class Changes:
    """The samples of two rounds' pools that are answered otherwise; row i of every array is one sample."""

    both: int  # samples that were in both pools
    sample_ids: Ids
    before_N: Ids  # class index
    now_N: Ids
    before_sure_N: Floats  # probability of the class that was answered
    now_sure_N: Floats

    def rows(self, before: int | None = None, now: int | None = None) -> Ids:
        """Rows, of one change where it is given; the surest of their new answer first."""
        wanted_N = np.ones(len(self.sample_ids), bool)
        if before is not None:
            wanted_N &= (self.before_N == before) & (self.now_N == now)
        rows = np.flatnonzero(wanted_N)
        return np.asarray(rows[np.lexsort((self.sample_ids[rows], -self.now_sure_N[rows]))])


def changes(before: RoundScores, now: RoundScores) -> Changes:
    """Compare two rounds on the samples that both have scored."""
    ids, in_before, in_now = np.intersect1d(before.sample_ids, now.sample_ids, return_indices=True)
    other_N = before.predicted_N[in_before] != now.predicted_N[in_now]
    in_before, in_now = in_before[other_N], in_now[other_N]
    return Changes(
        both=len(ids),
        sample_ids=ids[other_N],
        before_N=before.predicted_N[in_before],
        now_N=now.predicted_N[in_now],
        before_sure_N=before.confidence_N[in_before],
        now_sure_N=now.confidence_N[in_now],
    )


def change_rows(found: Changes, classes: Sequence[str]) -> pd.DataFrame:
    """How often which answer became which other one, the most frequent first."""
    pairs, counts = np.unique(np.stack([found.before_N, found.now_N], axis=1), axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST_PAIRS]
    return pd.DataFrame(
        {
            "Before": [classes[pairs[row, 0]] for row in order],
            "Now": [classes[pairs[row, 1]] for row in order],
            "Samples": counts[order],
        }
    )


def choose_by_change(
    view: PoolView, database: Database, rounds_dir: Path, *, round_number: int, rounds: Sequence[int]
) -> None:
    """Draw the choice of the other round, what became of what, and the samples; a press on one chooses it."""
    earlier = [number for number in rounds if number < round_number]
    if not earlier:
        st.info("No earlier round has scores to compare with: choose a later round, or come back after the next one.")
        return
    other = st.selectbox("Compared with round", earlier, key=f"compared_with_{round_number}", width=200)
    found = changes(read_round_scores(scores_path(rounds_dir, other)), view.scores)
    share = whole_percent(len(found.sample_ids) / found.both) if found.both else "none"
    st.caption(
        f"{len(found.sample_ids):,} of {found.both:,} samples ({share}) are answered otherwise than in round {other}. "
        "Press a row to see only these."
    )
    if not len(found.sample_ids):
        return
    table = change_rows(found, view.classes)
    event = st.dataframe(
        table,
        hide_index=True,
        key=f"changes_{other}_{round_number}",
        height=min(8, len(table) + 1) * 35 + 3,
        on_select="rerun",
        selection_mode="single-row",
        alt="What the model answered before and answers now, with the number of samples",
    )
    picked = event["selection"]["rows"]
    names = list(view.classes)
    pair = [names.index(table[column].iloc[picked[0]]) for column in ("Before", "Now")] if picked else []
    rows = found.rows(*pair)
    page = rows[page_of(len(rows), key="changes")]
    cards = [_card(found, row, view.classes) for row in page.tolist()]
    with database.read() as session:
        samples = get_samples(session, sample_ids=[card.sample_id for card in cards])
    gallery(cards, samples, key="changes", state=CHOSEN_KEY)


def _card(found: Changes, row: int, classes: Sequence[str]) -> Card:
    sample_id = int(found.sample_ids[row])
    before = f"{classes[found.before_N[row]]} ({whole_percent(found.before_sure_N[row])})"
    now = f"{classes[found.now_N[row]]} ({whole_percent(found.now_sure_N[row])})"
    return Card(sample_id, f"{sample_id}", f"was {before}, now {now}")
