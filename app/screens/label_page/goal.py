"""How many labels the target is away, so that the page can say how long that takes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.project.certificates import NEEDED, target_of
from app.screens.shared.labeling_state import LabelingState
from app.screens.shared.session import current_project, database, project_id
from storage.metrics import list_metrics
from storage.rounds import list_queries, open_round


def to_target(state: LabelingState) -> dict[str, Any] | None:
    """``labels`` until the target is proven, as far as can be foreseen, and the target's name; None: not known."""
    if state.trained_round is None:
        return None
    project = current_project()
    needed, share = _foreseen(project.database_url, project_id(), state.trained_round)
    audits = needed - state.progress.answered_audit
    if audits <= 0 or share <= 0:
        return None
    return {"labels": round(audits / share), "goal": f"{100 * target_of(project):.4g} % proven"}


# What a round has published never changes.
@st.cache_data(max_entries=8, show_spinner=False)
def _foreseen(database_url: str, identity: int, round_number: int) -> tuple[float, float]:  # noqa: ARG001
    """Audit labels that the round needed for a proof, and their share of what it asks; 0, 0 where it had no hope."""
    with database().read() as session:
        metrics = list_metrics(session, project_id=identity, name=NEEDED)
        opened = open_round(session, project_id=identity)
        queries = [] if opened is None else list_queries(session, round_id=opened.id)
    needed = next((metric.value for metric in metrics if metric.round_number == round_number), 0.0)
    return needed, sum(query.purpose == "audit" for query in queries) / max(1, len(queries))
