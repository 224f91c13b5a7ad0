"""What is proven of the model's answers: one sentence, how it came, and a light for every class."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from app.project.certificates import PROVEN, Proof, read_proof, sentence
from app.project.project import Project
from app.screens.shared.charts import share_axis
from app.screens.shared.plain_text import escaped
from app.screens.shared.progress_figures import percent
from loops.certificate.classes import ClassProof, class_proofs
from storage.engine import Database
from storage.metrics import MetricInfo, list_metrics
from storage.samples import count_samples

_LIGHTS = {"proven": "🟢 proven", "likely": "🟡 likely", "unknown": "⚪ unknown"}
_MEANING = (
    "Proven means: whenever you look, and whichever model answers by then, such a sentence is wrong in at most 5 of "
    "100 projects. It takes your labels as the truth. Audit samples are drawn with known chances, more of them where "
    "the model doubts, and no model learns from them."
)


def certificate_box(database: Database, project: Project, project_id: int, class_names: Sequence[str]) -> None:
    """The claim, its history and the classes; of the moment the page is drawn."""
    with database.read() as session:
        proof = read_proof(session, project, project_id)
        history = list_metrics(session, project_id=project_id, name=PROVEN)
        labeled = count_samples(session, project_id=project_id).labeled
    if not labeled:
        return
    st.header("Certificate")
    is_reached = proof.certificate is not None and proof.certificate.proven >= proof.target
    box = st.success if is_reached else st.info
    box(escaped(sentence(proof)), icon=":material/verified:" if is_reached else ":material/balance:")
    if is_reached:
        st.markdown(_summary(proof, labeled))
    st.caption(_MEANING)
    if proof.evidence is None:
        return
    if history:
        st.altair_chart(proven_chart(history, proof), width="stretch", key="proven_chart")
    classes = class_proofs(proof.chain[-1], proof.labels, proof.target)
    st.dataframe(class_rows(classes, class_names), hide_index=True, width="stretch", key="class_lights")
    st.caption("Each class is proven by itself, from the audit samples that were answered with it.")


def _summary(proof: Proof, labeled: int) -> str:
    """What a person may do now."""
    return (
        f"You may stop: {labeled:,} labels, {proof.audits:,} of them audit labels. "
        "`labelloop export PROJECT OUT --format csv --with-predictions` writes the labels and the model's answers for "
        "the rest, `labelloop certificate PROJECT OUT` the certificate, which anybody with the project can verify."
    )


def proven_rows(history: Sequence[MetricInfo], proof: Proof) -> pd.DataFrame:
    """By audit labels drawn: the estimate, and the share that is proven; of the rounds, and of now."""
    rows = [(m.labels, m.value, m.low or 0.0) for m in history]
    now = proof.certificate
    if now is not None and now.estimate is not None and proof.chain:
        trained = max((m.labels for m in history), default=0)
        rows.append((trained + 1, now.estimate, now.proven))
    return pd.DataFrame(rows, columns=["labels", "estimate", "proven"])


def proven_chart(history: Sequence[MetricInfo], proof: Proof) -> alt.LayerChart:
    """The band reaches from what is proven to the estimate; the dashes are the target."""
    rows = proven_rows(history, proof)
    base = alt.Chart(rows).encode(x=alt.X("labels:Q", title="Labels trained on (number)", axis=alt.Axis(format=",d")))
    scale = alt.Scale(zero=False)
    axis = share_axis("Right of the rest (%)")
    tooltip = [
        alt.Tooltip("labels:Q", title="Labels trained on"),
        alt.Tooltip("estimate:Q", title="Estimated", format=".1%"),
        alt.Tooltip("proven:Q", title="Proven", format=".1%"),
    ]
    band = base.mark_area(opacity=0.18, color="#2BA884").encode(
        y=alt.Y("proven:Q", axis=axis, scale=scale), y2="estimate:Q"
    )
    line = base.mark_line(color="#2BA884", strokeWidth=2).encode(y=alt.Y("proven:Q", scale=scale))
    dots = base.mark_point(filled=True, size=60, color="#2BA884").encode(y="proven:Q", tooltip=tooltip)
    goal = alt.Chart(pd.DataFrame({"target": [proof.target]})).mark_rule(strokeDash=[6, 4]).encode(y="target:Q")
    return alt.layer(band, line, dots, goal).properties(height=220)


def class_rows(classes: Sequence[ClassProof], names: Sequence[str]) -> pd.DataFrame:
    """The lights in the words of the table."""
    return pd.DataFrame(
        [
            {
                "Class": names[proof.class_index],
                "Answered so": proof.left,
                "Right, proven": percent(proof.proven) if proof.proven else "-",
                "Right, estimated": "-" if proof.estimate is None else percent(proof.estimate),
                "Audit labels": proof.draws,
                "": _LIGHTS[proof.light],
            }
            for proof in classes
        ]
    )
