"""What the line below the sample says: how far labeling is, what a round brought, why there is nothing to show."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.screens.label_page.goal import to_target
from app.screens.label_page.round_end import round_end_sentence
from app.screens.shared.labeling_state import LabelingState, read_labeling_state
from app.screens.shared.session import annotator_id, database, project_id
from app.screens.shared.trainer_status import read_trainer
from app.screens.shared.waiting import why_waiting
from storage.suggestions import seeded_acceptances

NEW_LABELS_KEY = "label_not_in_model"  # label changes that the open round's model has not learned from

AnnotatorRecord = dict[str, Any]


def counts(known_round: int | None, *, is_waiting: bool) -> AnnotatorRecord:
    """How far labeling is, and where the page has nothing to show, why.

    Args:
        known_round: The last round that the page was told of; None: it has just begun.
        is_waiting: Whether it has nothing to show.
    """
    state = read_labeling_state()
    st.session_state[NEW_LABELS_KEY] = state.not_in_model
    told: AnnotatorRecord = {"progress": _progress(state), "round_end": _round_end(known_round, state.trained_round)}
    if is_waiting:
        reason = why_waiting(state, read_trainer())
        told["waiting"] = {"title": reason.title, "sentence": reason.sentence}
    return told


def _round_end(known: int | None, number: int | None) -> AnnotatorRecord | None:
    """What a round brought, for a page that was open while it was learned."""
    if known is None or number is None or number <= known:
        return None
    return {"id": f"round-{number}", "sentence": round_end_sentence(number)}


def _wrong_suggestions() -> AnnotatorRecord | None:
    """What this person did with the wrong suggestions; None before they decided beside one."""
    with database().read() as session:
        found = seeded_acceptances(session, project_id=project_id(), annotator_id=annotator_id())
    return {"shown": found[0].shown, "accepted": found[0].accepted} if found else None


def _progress(state: LabelingState) -> AnnotatorRecord:
    return {
        "round": state.trained_round,
        "size": state.settings.query_size,
        "not_in_model": state.not_in_model,
        "audit": state.progress.answered_audit,
        "labels": state.labels,
        "per_class": {str(index): count for index, count in state.labels_per_class.items()},
        "budget": state.settings.labeling_budget,
        "to_target": to_target(state),
        "wrong_suggestions": _wrong_suggestions(),
        "seeds_wrong": state.settings.wrong_suggestions,
    }
