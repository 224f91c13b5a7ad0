"""What a page gets when no round asks anything more: the pool's rest at random, so that nobody waits for a trainer."""

from __future__ import annotations

import time

import streamlit as st

from app.project.questions import READ_OF_REST
from app.project.status import SILENT_AFTER, heartbeat_age
from app.screens.shared.labeling_state import LabelingState, read_labeling_state
from app.screens.shared.session import database, project_id
from storage.queue import NOTHING_LEFT
from storage.remainder import Remainder, read_remainder
from storage.trainer import get_heartbeat

FEWEST = 4  # samples a page has ahead; with fewer the rest follows behind them
FIRST_ROUND_WAIT_S = 3.0  # the first round chooses better than chance, and a person waits so long for it
WAITS_SINCE_KEY = "label_waits_since"


def rest_of_pool(found: int) -> Remainder:
    """Read what may follow behind the samples a page got.

    Args:
        found: How many it got.
    """
    if found >= FEWEST:
        st.session_state.pop(WAITS_SINCE_KEY, None)
        return NOTHING_LEFT
    state = read_labeling_state()
    if state.trained_round is None and not _has_waited(state):
        return NOTHING_LEFT
    share = state.settings.audit_share
    with database().read() as session:
        return read_remainder(session, project_id=project_id(), audit_share=share, count=READ_OF_REST)


def _has_waited(state: LabelingState) -> bool:
    """Whether this page has been without a sample for long enough; once labels are there, it does not wait again."""
    if state.labels or not _is_trainer_up():
        return True
    since: float = st.session_state.setdefault(WAITS_SINCE_KEY, time.monotonic())
    return time.monotonic() - since >= FIRST_ROUND_WAIT_S


def _is_trainer_up() -> bool:
    """Whether its first round may come any moment; after a start it loads its libraries for many seconds."""
    with database().read() as session:
        heartbeat = get_heartbeat(session, project_id=project_id())
    return heartbeat is not None and heartbeat_age(heartbeat) < SILENT_AFTER
