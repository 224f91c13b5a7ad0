"""Label: one large sample, one key, the next sample. The trainer works meanwhile."""

import streamlit as st

from app.browser.labeler import labeler, sent_message
from app.screens.label_page.counts import NEW_LABELS_KEY
from app.screens.label_page.ending import ending_box, is_ended
from app.screens.label_page.feed import WAITING_KEY, answer
from app.screens.shared.failures import as_sentences
from app.screens.shared.labeling_state import LabelingState, read_labeling_state
from app.screens.shared.trainer_status import read_trainer, trainer_line
from app.screens.shared.waiting import way_out
from app.screens.shared.watched_line import watched_line

ANSWER_KEY = "label_answer"
ENDED_KEY = "label_ended"  # whether the page shows what was reached


@st.fragment
def labeling() -> None:
    """The part in the browser; every message from it reruns this alone."""
    with as_sentences():
        st.session_state[ANSWER_KEY] = answer(sent_message())
    # After a failure the last answer again: without its part in the browser the page would lose its queue.
    if ANSWER_KEY in st.session_state:
        labeler(st.session_state[ANSWER_KEY])


@st.fragment(run_every=1.0)
def status() -> None:
    """What the trainer does; looks once a second and draws nothing anew that did not change."""
    with as_sentences():
        trainer = read_trainer()
        if NEW_LABELS_KEY not in st.session_state:  # later, whatever the browser says brings the counts up to date
            st.session_state[NEW_LABELS_KEY] = read_labeling_state().not_in_model
        trainer_line(trainer, can_train=st.session_state[NEW_LABELS_KEY] > 0)
        watched_line()
        state = _waiting_state()
        if state is not None:
            way_out(state, trainer)
        if (state is not None and is_ended(state)) != st.session_state[ENDED_KEY]:
            st.rerun()


def _waiting_state() -> LabelingState | None:
    """Where labeling stands, while the browser has nothing to show; else None, for it is not looked at."""
    return read_labeling_state() if st.session_state.get(WAITING_KEY, False) else None


def ending() -> None:
    """What was reached, once nothing more is asked; no fragment: a download must not be drawn anew while it is made."""
    st.session_state[ENDED_KEY] = False
    with as_sentences():
        state = _waiting_state()
        if state is not None and is_ended(state):
            st.session_state[ENDED_KEY] = True
            ending_box(state)


ending()
labeling()
status()
