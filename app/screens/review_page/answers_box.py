"""What the model answers for the pool: filtered, sorted, searched, paged; and what it is worth above a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from app.errors import UnreadableScoresError
from app.project.pool_answers import SORTED_BY, Choice, Worth, doubt, newest_scored, rows_of, worth_above
from app.project.project import Project
from app.project.scores import Ids, RoundScores, scores_path
from app.screens.shared.gallery import page_of
from app.screens.shared.plain_text import escaped
from app.screens.shared.round_scores import read_round_scores
from storage.current import current_labels
from storage.engine import Database
from storage.rounds import list_rounds
from storage.samples import get_samples, ids_by_name

ALL = "all classes"


def answers_box(project: Project, database: Database, project_id: int, classes: Sequence[str]) -> None:
    """Draw the table of answers, and the threshold."""
    with database.read() as session:
        scored = newest_scored(list_rounds(session, project_id=project_id), project.rounds_dir)
        labels = current_labels(session, project_id=project_id)
    if scored is None:
        st.info("There are no answers yet: a model scores the pool once a round was trained.", icon=":material/info:")
        return
    try:
        scores = read_round_scores(scores_path(project.rounds_dir, scored.number))
    except UnreadableScoresError as error:
        st.error(escaped(str(error)))
        return
    audited = {
        one.sample_id: one.class_index for one in labels if one.purpose == "audit" and one.class_index is not None
    }
    st.caption(
        f"{len(scores):,} answers of round {scored.number} ({escaped(scored.predictor)}, {scored.labels:,} labels)."
    )
    threshold = st.slider("Take answers that are at least so probable", 0.0, 1.0, 0.9, 0.01, key="answers_threshold")
    st.markdown(worth_sentence(worth_above(scores, threshold, audited)))
    choice, searched = _choice(classes)
    rows = rows_of(scores, choice, _found(database, project_id, searched))
    st.caption(f"{len(rows):,} of {len(scores):,} shown.")
    _table(scores, rows[page_of(len(rows), key="answers")], database, classes)


def worth_sentence(worth: Worth) -> str:
    """Say what is to be expected of the answers that are taken."""
    if not worth.answered:
        return "No answer is so probable: all samples are left to people."
    said = (
        f"{worth.answered:,} answers, **{worth.left_to_people:.0%}** are left to people. By the model's own word "
        f"**{worth.expected:.1%}** of them are right"
    )
    if worth.measured is None:
        return f"{said}; no audit sample among them was labeled since, so nobody has measured it."
    interval = f"between {worth.low:.0%} and {worth.high:.0%}"
    return f"{said}; measured on {worth.n} audit samples: {worth.measured:.0%} ({interval})."


def _choice(classes: Sequence[str]) -> tuple[Choice, str]:
    left, middle, right = st.columns(3)
    name = left.selectbox("Answer", [ALL, *classes], key="answers_class")
    order = middle.selectbox("Order", SORTED_BY, key="answers_order")
    searched = right.text_input("File name contains", key="answers_search", persist_state="session")
    low, high = st.slider("Probability of the answer", 0.0, 1.0, (0.0, 1.0), 0.01, key="answers_range")
    return Choice(None if name == ALL else list(classes).index(name), low, high, order), searched.strip()


def _found(database: Database, project_id: int, searched: str) -> Ids | None:
    if not searched:
        return None
    with database.read() as session:
        return np.array(ids_by_name(session, project_id=project_id, part=searched), np.int64)


def _table(scores: RoundScores, rows: Ids, database: Database, classes: Sequence[str]) -> None:
    ids = scores.sample_ids[rows].tolist()
    with database.read() as session:
        samples = get_samples(session, sample_ids=ids)
    st.dataframe(
        {
            "Sample": [Path(samples[i].uri).name for i in ids],
            "Answer": [classes[answer] for answer in scores.predicted_N[rows].tolist()],
            "Probability": scores.confidence_N[rows].round(4).tolist(),
            "Doubt (nats)": doubt(scores, rows).round(4).tolist(),
            "Where": [samples[i].uri for i in ids],
        },
        hide_index=True,
        width="stretch",
        key="answers_table",
    )
