"""Which of the labels Review shows: the choices, and the one rule that applies them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from storage.labels import CurrentLabel
from storage.suggestions import SuggestionInfo
from storage.suspects import SuspectInfo

ACTIONS = ("label", "skip")
SUSPECTS_KEY = "review_suspects"
NEWEST, OLDEST, DISAGREEMENT = "newest first", "oldest first", "surest disagreement"


@dataclass(frozen=True)
class ReviewRow:
    """One sample's current decision beside what the model said."""

    label: CurrentLabel
    prediction: SuggestionInfo | None
    suspect: SuspectInfo | None = None

    @property
    def disagrees(self) -> bool:
        """Whether a person and the model named different classes."""
        return (
            self.label.class_index is not None
            and self.prediction is not None
            and self.prediction.class_index != self.label.class_index
        )


@dataclass(frozen=True)
class ReviewFilter:
    """What to show; an empty choice means all."""

    classes: tuple[int, ...] = ()
    annotators: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    flagged_only: bool = False
    disagreements_only: bool = False
    suspects_only: bool = False
    order: str = NEWEST
    found: frozenset[int] | None = None  # ids of samples that were searched for; None: no search


def matching(rows: Sequence[ReviewRow], chosen: ReviewFilter) -> list[ReviewRow]:
    """The rows that pass every choice, in the order chosen; of likely label errors always the likeliest first."""
    kept = [row for row in rows if _passes(row, chosen)]
    if chosen.suspects_only:
        return sorted(kept, key=_suspicion, reverse=True)
    if chosen.order == DISAGREEMENT:
        return sorted(kept, key=_doubt, reverse=True)
    return sorted(kept, key=lambda row: row.label.event_id, reverse=chosen.order == NEWEST)


def _suspicion(row: ReviewRow) -> tuple[float, int]:
    return row.suspect.suspicion if row.suspect else 0.0, row.label.event_id


def _doubt(row: ReviewRow) -> tuple[bool, float, int]:
    return row.disagrees, row.prediction.probability if row.prediction else 0.0, row.label.event_id


def _passes(row: ReviewRow, chosen: ReviewFilter) -> bool:
    label = row.label
    if chosen.found is not None and label.sample_id not in chosen.found:
        return False
    listed = (
        (label.class_index, chosen.classes),
        (label.annotator, chosen.annotators),
        (label.action, chosen.actions),
        (label.purpose, chosen.purposes),
    )
    if any(allowed and value not in allowed for value, allowed in listed):
        return False
    switches = (
        (label.flagged, chosen.flagged_only),
        (row.disagrees, chosen.disagreements_only),
        (row.suspect is not None, chosen.suspects_only),
    )
    return all(holds or not wanted for holds, wanted in switches)


def filter_box(rows: Sequence[ReviewRow], names: Sequence[str]) -> ReviewFilter:
    """Draw the choices, with the number of rows behind each switch; returns what was chosen."""
    flagged, disagreeing = sum(row.label.flagged for row in rows), sum(row.disagrees for row in rows)
    suspected = sum(row.suspect is not None for row in rows)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        classes = st.multiselect(
            "Class",
            range(len(names)),
            format_func=lambda index: names[index],
            placeholder="all",
            key="review_classes",
            width=170,
        )
        annotators = st.multiselect(
            "Annotator",
            sorted({row.label.annotator for row in rows}),
            placeholder="all",
            key="review_annotators",
            width=140,
        )
        actions = st.multiselect("Action", ACTIONS, placeholder="all", key="review_actions", width=130)
        purposes = st.multiselect(
            "Purpose", sorted({row.label.purpose for row in rows}), placeholder="all", key="review_purposes", width=130
        )
        order = st.selectbox(
            "Order",
            (NEWEST, OLDEST, DISAGREEMENT),
            key="review_order",
            width=180,
            disabled=bool(st.session_state.get(SUSPECTS_KEY)),  # these have their own: likeliest wrong first
        )
    with st.container(horizontal=True):
        flagged_only = st.toggle(f"Flagged only ({flagged})", key="review_flagged")
        disagreements_only = st.toggle(f"Label and model disagree ({disagreeing})", key="review_disagreements")
        suspects_only = st.toggle(f"Likely label errors ({suspected})", key=SUSPECTS_KEY)
    return ReviewFilter(
        classes=tuple(classes),
        annotators=tuple(annotators),
        actions=tuple(actions),
        purposes=tuple(purposes),
        flagged_only=flagged_only,
        disagreements_only=disagreements_only,
        suspects_only=suspects_only,
        order=order,
    )
