"""What is proven of the model's answers: one sentence, how it came, and a light for every class."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from app.project.certificates import Proof, read_proof, sentence
from app.project.project import Project
from app.screens.shared.charts import share_axis
from app.screens.shared.plain_text import escaped
from app.screens.shared.progress_figures import percent
from loops.certificate.classes import ClassProof, ClassRecall, class_proofs, class_recalls
from loops.certificate.evidence import Evidence
from storage.engine import Database
from storage.samples import count_samples

_LIGHTS = {"proven": "● proven", "likely": "◐ likely", "unknown": "○ unknown"}
_COLOR = "#2BA884"
_MEANING = (
    "Proven means: whenever you look, and whichever model answers by then, such a sentence is wrong in at most 5 of "
    "100 projects. It takes your labels as the truth. Audit samples are drawn with known chances, more of them where "
    "the model doubts, and no model learns from them."
)

_FOUND = (
    "Of the samples left that are of a class, the share that is answered with it (recall), proven and estimated. It "
    "takes a moment with many classes, and many audit labels where a class is rare."
)


def certificate_box(database: Database, project: Project, project_id: int, class_names: Sequence[str]) -> None:
    """The claim, its history and the classes; of the moment the page is drawn."""
    with database.read() as session:
        proof = read_proof(session, project, project_id)
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
    if proof.evidence.draws:
        st.altair_chart(
            proven_chart(proof.evidence),
            width="stretch",
            key="proven_chart",
            alt="Proven and estimated share by audit labels",
        )
    classes = class_proofs(proof.chain[-1], proof.labels, proof.target)
    is_found_wanted = st.toggle("How much of each class is found, too", key="class_recalls", help=_FOUND)
    found = class_recalls(proof.chain[-1], proof.labels, proof.target) if is_found_wanted else []
    st.dataframe(
        class_rows(classes, class_names, found),
        hide_index=True,
        width="stretch",
        key="class_lights",
        alt="What is proven of each class",
    )
    st.caption("Each class is proven by itself, from the audit samples that were answered with it.")


def _summary(proof: Proof, labeled: int) -> str:
    """What a person may do now."""
    return (
        f"You may stop: {labeled:,} labels, {proof.audits:,} of them audit labels. "
        "`labelloop export PROJECT OUT --format csv --with-predictions` writes the labels and the model's answers for "
        "the rest, `labelloop certificate PROJECT OUT` the certificate, which anybody with the project can verify."
    )


def proven_rows(evidence: Evidence) -> pd.DataFrame:
    """By audit labels drawn: the estimate so far, and the share that is proven."""
    count = np.arange(1, evidence.draws + 1)
    errors_T = np.cumsum(evidence.estimates) / count
    estimate_T = np.clip(1.0 - errors_T / max(1, len(evidence.candidate)), evidence.proven_T, 1.0)
    return pd.DataFrame({"draws": count, "estimate": estimate_T, "proven": evidence.proven_T})


def proven_chart(evidence: Evidence) -> alt.LayerChart | alt.FacetChart:
    """The band reaches from what is proven to the estimate; the dashes are the target."""
    base = alt.Chart(proven_rows(evidence)).encode(
        x=alt.X("draws:Q", title="Audit labels of these answers (number)", axis=alt.Axis(format=",d", tickMinStep=1))
    )
    scale = alt.Scale(zero=False)
    tooltip = [
        alt.Tooltip("draws:Q", title="Audit labels"),
        alt.Tooltip("estimate:Q", title="Estimated", format=".1%"),
        alt.Tooltip("proven:Q", title="Proven", format=".1%"),
    ]
    band = base.mark_area(opacity=0.18, color=_COLOR).encode(
        y=alt.Y("proven:Q", axis=share_axis("Right of the rest (%)"), scale=scale), y2="estimate:Q", tooltip=tooltip
    )
    line = base.mark_line(color=_COLOR, strokeWidth=2).encode(y=alt.Y("proven:Q", scale=scale), tooltip=tooltip)
    goal = alt.Chart(pd.DataFrame({"target": [evidence.target]})).mark_rule(strokeDash=[6, 4]).encode(y="target:Q")
    return alt.layer(band, line, goal).properties(height=220)


def class_rows(
    classes: Sequence[ClassProof], names: Sequence[str], recalls: Sequence[ClassRecall] = ()
) -> pd.DataFrame:
    """The lights in the words of the table; with recalls, what is found of each class, also of one never answered."""
    found = {recall.class_index: recall for recall in recalls}
    answered = {proof.class_index: proof for proof in classes}
    rows = []
    for index in sorted(found.keys() | answered.keys()):
        proof = answered.get(index, ClassProof(index, 0, 0, 0.0, None, "unknown"))
        row = {
            "Class": names[index],
            "Answered so": proof.left,
            "Right, proven": _proven_words(proof.proven),
            "Right, estimated": _estimate_words(proof.estimate),
            "Audit labels": proof.draws,
        }
        if index in found:
            row["Found, proven"] = _proven_words(found[index].proven)
            row["Found, estimated"] = _estimate_words(found[index].estimate)
        rows.append(row | {"": _LIGHTS[proof.light]})
    return pd.DataFrame(rows)


def _proven_words(share: float) -> str:
    return percent(share) if share else "-"


def _estimate_words(share: float | None) -> str:
    return "-" if share is None else percent(share)
