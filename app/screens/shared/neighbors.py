"""The labeled samples that look most like a sample, by the features the trainer keeps."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from app.screens.shared.blind import hidden_samples
from app.screens.shared.likeness import nearest
from app.screens.shared.session import current_project, database, project_id
from loops.embeddings.stored_rows import Ids, StoredRows, fullest_folder, open_rows
from loops.errors import FeatureStoreError
from storage.engine import Session
from storage.labels import current_labels, last_event_id
from storage.projects import list_classes
from storage.samples import SampleInfo, get_samples

NEIGHBORS = 3
NO_LABELS = "No labeled neighbors yet: nothing is labeled, or the trainer has not looked at this sample yet."
UNREADABLE = "The labeled neighbors cannot be shown: the kept features cannot be read."

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Neighbor:
    """A labeled sample beside the one that is asked about."""

    sample: SampleInfo
    name: str  # of its class
    similarity: float  # correlation of the features, 0..1; what is below 0 is nothing alike


@dataclass(frozen=True)
class Neighborhood:
    """The neighbors of some samples, and why those of the others are missing."""

    of: Mapping[int, Sequence[Neighbor]]
    missing: str  # a sentence for the samples that are not in `of`


def nearest_labeled(sample_ids: Sequence[int]) -> Neighborhood:
    """Find the three most similar labeled samples of each sample.

    Audit labels are left out: the model never learns from them, so they explain nothing. So are labels of samples that
    others are still to decide on, blind.
    """
    folder = fullest_folder(current_project().features_dir)
    if folder is None:
        return Neighborhood({}, NO_LABELS)
    try:
        stored = open_rows(folder)
        with database().read() as session:
            return Neighborhood(_neighbors(session, stored, np.asarray(sample_ids, np.int64)), NO_LABELS)
    except FeatureStoreError as error:
        logger.warning("the labeled neighbors cannot be shown: %s", error)
        return Neighborhood({}, UNREADABLE)


def _neighbors(session: Session, stored: StoredRows, wanted: Ids) -> dict[int, list[Neighbor]]:
    identity = project_id()
    last = last_event_id(session, project_id=identity)
    labels = _labels(current_project().database_url, identity, last, session)
    hidden = np.array(sorted(hidden_samples()), np.int64)
    known = np.setdiff1d(wanted, stored.missing(wanted))
    among = np.setdiff1d(np.fromiter(labels, np.int64, len(labels)), hidden)
    among = np.setdiff1d(among, stored.missing(among))
    if not len(known) or not len(among):
        return {}
    ids, similarity = nearest(stored, known, among, count=NEIGHBORS)
    names = [info.name for info in list_classes(session, project_id=identity)]
    samples = get_samples(session, sample_ids=np.unique(ids).tolist())
    return {
        sample_id: [
            Neighbor(samples[other], names[labels[other]], max(0.0, alike))
            for other, alike in zip(others, values, strict=True)
            if other != sample_id
        ]
        for sample_id, others, values in zip(known.tolist(), ids.tolist(), similarity.tolist(), strict=True)
    }


# Events are only appended, so the last one's id tells whether anything changed since the labels were read.
@st.cache_data(max_entries=2, show_spinner=False)
def _labels(database_url: str, identity: int, last: int, _session: Session) -> dict[int, int]:  # noqa: ARG001
    return {
        label.sample_id: label.class_index
        for label in current_labels(_session, project_id=identity)
        if label.class_index is not None and label.purpose != "audit"
    }
