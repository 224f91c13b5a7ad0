"""The keys of the sample beside the charts: what they do, and which sample comes next."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from app.browser.one import one_sample, sent_message
from app.project.scores import BALD
from app.screens.shared.deciding import FAILURE_KEY, decide, flag_or_not, undo_last
from app.screens.shared.decisions import is_whole, outbox_name
from app.screens.shared.label_box import why_not
from app.screens.shared.label_keys import told_classes
from app.screens.shared.pool_view import PoolView, descending
from app.screens.shared.session import annotator_id, current_project, database, project_id
from app.screens.uncertainty_page.pool_selection import CHOSEN_KEY
from storage.events import list_events, standing_flags
from storage.projects import list_classes
from storage.samples import SampleInfo, get_samples

SEEN_KEY = "one_seen"  # in the session: the sample the keys are about, what was seen of its history, and the next one
REFUSED_KEY = "one_refused"  # in the session: the last message, if it changed nothing
ANOTHER_CAME = "Not stored: the key was pressed while this sample was on its way. Look at it, and press the key again."
NOTHING_TO_UNDO = "Nothing was taken back: the key before it had stored nothing."
LOOKED_AT = 200  # samples in which the next one is sought


def sample_keys(view: PoolView, sample: SampleInfo) -> None:
    """Draw the line of keys, and listen to them.

    Args:
        view: The round's pool.
        sample: What the keys are about.
    """
    identity, person, sent = project_id(), annotator_id(), sent_message()
    with database().read() as session:
        events = list_events(session, project_id=identity, sample_id=sample.id)
        classes = list_classes(session, project_id=identity)
        flags = standing_flags(session, project_id=identity, annotator_id=person)
    st.session_state[SEEN_KEY] = (sample, events, next_sample(view, sample.id))
    data = {
        "name": outbox_name(),
        "sample_id": sample.id,
        "classes": told_classes(classes),
        "is_flagged": any(event.sample_id == sample.id for event in flags),
        "answered": sent.get("turn") if isinstance(sent, Mapping) else None,
    }
    one_sample(data, _heard)


def next_sample(view: PoolView, sample_id: int) -> int | None:
    """The most doubted sample after this one that a person may label here; None where there is none near."""
    rows = descending(view, np.arange(len(view.scores), dtype=np.int64), BALD)
    ids = view.scores.sample_ids[rows]
    here = np.flatnonzero(ids == sample_id)
    after = ids[int(here[0]) + 1 :] if len(here) else ids
    wanted = [int(one) for one in after[:LOOKED_AT] if int(one) not in view.labels]
    with database().read() as session:
        samples = get_samples(session, sample_ids=wanted)
    share = current_project().settings().audit_share
    return next((one for one in wanted if samples[one].audit_key >= share and not why_not(samples[one], [])), None)


def _heard() -> None:
    sent, seen = sent_message(), st.session_state.get(SEEN_KEY)
    if not isinstance(sent, Mapping) or seen is None:
        return
    sample, events, following = seen
    act, class_index = sent.get("act"), sent.get("class_index")
    if act == "undo":
        _undo(sample, follows=sent.get("follows"))
        return
    st.session_state[CHOSEN_KEY] = sample.id
    reason = why_not(sample, events) if sent.get("sample_id") == sample.id else ANOTHER_CAME
    if reason:
        st.session_state[FAILURE_KEY] = reason
    elif act == "flag":
        flag_or_not(sample.id)
    elif act == "skip" or (act == "class" and is_whole(class_index)):
        decide(sample.id, events, None if act == "skip" else class_index)
        if FAILURE_KEY not in st.session_state and following is not None:
            st.session_state[CHOSEN_KEY] = following
    st.session_state[REFUSED_KEY] = sent.get("turn") if FAILURE_KEY in st.session_state else None


def _undo(sample: SampleInfo, *, follows: object) -> None:
    """Take the last decision back, unless the undo was about a key that stored nothing: an older one would be gone."""
    if follows is not None and follows == st.session_state.get(REFUSED_KEY):
        st.session_state[FAILURE_KEY] = NOTHING_TO_UNDO
        st.session_state[CHOSEN_KEY] = sample.id
        return
    st.session_state[CHOSEN_KEY] = undo_last() or sample.id
