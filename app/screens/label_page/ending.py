"""A session's end: what was reached, and the ways out with it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import streamlit as st

from app.project.certificate_file import certificate_content
from app.project.certificates import read_proof, sentence
from app.project.project import Project
from app.screens.review_page.export_box import zipped_export
from app.screens.shared.accuracy_figure import accuracy_figure
from app.screens.shared.labeling_state import LabelingState
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import current_project, database, project_id
from storage.engine import Database
from storage.labels import last_event_id
from storage.metrics import UNBIASED, MetricInfo, list_metrics
from storage.pace import minutes_of_work

FORMAT = "csv"
_WIDTH = 165  # pixels


@dataclass(frozen=True)
class Summary:
    """What was reached."""

    proof: str  # a sentence
    is_certified: bool  # whether there is something to certify
    audits: int
    minutes: float  # of work
    accuracies: tuple[MetricInfo, ...]  # of the newest round that measured any


def is_ended(state: LabelingState) -> bool:
    """Whether a limit is reached, or all is decided, and there is something to show for it."""
    return state.labels > 0 and (state.limit is not None or state.counts.pool == 0)


def ending_box(state: LabelingState) -> None:
    """Draw what was reached, and the downloads; each is made when it is asked for."""
    project, identity, base = current_project(), project_id(), database()
    with base.read() as session:
        last = last_event_id(session, project_id=identity)
    found = _summary(project.database_url, identity, last, state.trained_round)
    st.header("Everything is decided" if state.limit is None else state.limit.title)
    with st.container(horizontal=True, key="ending_figures"):
        st.metric("Labels", f"{state.labels:,}", width=_WIDTH)
        st.metric("of them audit labels", f"{found.audits:,}", width=_WIDTH)
        for accuracy in found.accuracies:
            accuracy_figure(accuracy)
        st.metric("Work", minutes_text(found.minutes), help="Breaks of more than a minute are left out.", width=_WIDTH)
    st.markdown(escaped(found.proof))
    name, has_answers = project.folder.name, bool(state.trained_round)
    with st.container(horizontal=True, vertical_alignment="center", key="ending_ways"):
        st.download_button(
            "Labels and the model's answers for the rest" if has_answers else "Labels",
            lambda: zipped_export(project, base, identity, FORMAT, answers=has_answers)[1],
            file_name=f"{name}-{FORMAT}.zip",
            mime="application/zip",
            key="ending_export",
            type="primary",
            icon=":material/download:",
            on_click="ignore",
        )
        if found.is_certified:
            st.download_button(
                "Certificate",
                lambda: _certificate(project, base, identity),
                file_name=f"{name}-certificate.json",
                mime="application/json",
                key="ending_certificate",
                icon=":material/verified:",
                on_click="ignore",
            )
        st.page_link("review.py", label="Other formats: Review, Export")
        st.page_link("progress.py", label="Each class: Progress")


def _certificate(project: Project, base: Database, identity: int) -> bytes:
    with base.read() as session:
        return json.dumps(certificate_content(session, project, identity), indent=1).encode()


def minutes_text(minutes: float) -> str:
    """A time of work as a person says it."""
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


# Events are only appended and a round never changes, so both together tell whether there is anything new.
@st.cache_data(max_entries=4, show_spinner=False)
def _summary(database_url: str, identity: int, last: int, round_number: int | None) -> Summary:  # noqa: ARG001
    with database().read() as session:
        proof = read_proof(session, current_project(), identity)
        measured = [metric for metric in list_metrics(session, project_id=identity) if metric.name in UNBIASED]
        minutes = minutes_of_work(session, project_id=identity)
    newest = max((metric.round_number for metric in measured), default=None)
    of_newest = tuple(metric for metric in measured if metric.round_number == newest)
    return Summary(sentence(proof), proof.certificate is not None, proof.audits, minutes, of_newest)
