"""Where labeling stands, read in one transaction: the round, the counts, what the model has not seen yet."""

from collections import Counter
from dataclasses import dataclass

import streamlit as st

from app.project.settings import ProjectSettings
from app.screens.shared.session import current_project, database, limits, project_id
from storage.engine import Session
from storage.labels import changed_since, current_labels, last_event_id
from storage.limits import Reached, reached
from storage.projects import ClassInfo, list_classes
from storage.queue import RoundProgress, round_progress
from storage.rounds import open_round
from storage.samples import SampleCounts, count_samples


@dataclass(frozen=True)
class LabelingState:
    """What the thin line and the empty states are made of."""

    settings: ProjectSettings
    classes: tuple[ClassInfo, ...]
    counts: SampleCounts
    progress: RoundProgress
    trained_round: int | None  # number of the open round, whose model chose these samples
    labels_per_class: Counter[int]
    not_in_model: int  # label changes since the open round's model was trained
    limit: Reached | None  # why labeling is over; None while it goes on

    @property
    def labels(self) -> int:
        """Labels in force, audit samples included."""
        return sum(self.labels_per_class.values())


def read_labeling_state() -> LabelingState:
    """Read everything at one moment."""
    project, identity, base = current_project(), project_id(), database()
    with base.read() as session:
        opened = open_round(session, project_id=identity)
        last = last_event_id(session, project_id=identity)
        snapshot = opened.snapshot_event_id if opened else 0
        return LabelingState(
            settings=project.settings(),
            classes=tuple(list_classes(session, project_id=identity)),
            counts=count_samples(session, project_id=identity),
            progress=round_progress(session, project_id=identity),
            trained_round=opened.number if opened else None,
            labels_per_class=_per_class(project.database_url, identity, last, session),
            not_in_model=changed_since(session, project_id=identity, event_id=snapshot) if last > snapshot else 0,
            limit=reached(session, project_id=identity, limits=limits()),
        )


# Events are only appended, so the last one's id tells whether anything changed since the labels were counted.
@st.cache_data(max_entries=8, show_spinner=False)
def _per_class(database_url: str, identity: int, last: int, _session: Session) -> Counter[int]:  # noqa: ARG001
    labels = current_labels(_session, project_id=identity)
    return Counter(label.class_index for label in labels if label.class_index is not None)
