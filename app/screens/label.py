"""Label: one large sample, one key, the next sample. The trainer works meanwhile."""

import streamlit as st

from app.screens.components.decision_bar import action_buttons, class_buttons, past_buttons
from app.screens.components.decisions import next_sample, recent_decisions, show_failure
from app.screens.components.failures import as_sentences
from app.screens.components.history_strip import history_strip
from app.screens.components.key_guard import guard_keys
from app.screens.components.labeling_state import read_labeling_state
from app.screens.components.round_line import round_line
from app.screens.components.sample_card import classes_and_samples, sample_card, suggestion_switch
from app.screens.components.trainer_status import read_trainer, trainer_line
from app.screens.components.waiting import waiting_panel

WAITING_KEY = "label_waiting"


@st.fragment
def labeling() -> None:
    """The sample and its buttons; a press reruns this part alone."""
    with as_sentences():
        show_failure()
        claimed = next_sample()
        recent = recent_decisions(claimed)
        if (claimed is None) != st.session_state.get(WAITING_KEY, False):
            st.session_state[WAITING_KEY] = claimed is None
            st.rerun()
        classes, samples = classes_and_samples(recent)
        current = claimed.sample.id if claimed else None
        if claimed is not None:
            left, right = st.columns([5, 4], gap="medium")
            with left:  # before the buttons: a button must never be newer than the image a person sees
                sample_card(claimed)
            with right:
                bar = st.container()  # drawn above the switch, whose value it needs: the buttons never move
                suggested = suggestion_switch(claimed, classes)
            with bar:
                class_buttons(claimed, classes, recent, suggested=suggested)
                action_buttons(claimed, suggested=suggested)
                past_buttons(current, recent)
        elif recent:
            past_buttons(None, recent)
        history_strip(recent, samples, classes, current=current)


@st.fragment(run_every=1.0)
def status() -> None:
    """The thin line, or the empty state; looks once a second and draws nothing anew that did not change."""
    with as_sentences():
        waiting = st.session_state.get(WAITING_KEY, False)
        if waiting and next_sample() is not None:
            st.rerun()
        state, trainer = read_labeling_state(), read_trainer()
        if waiting:
            waiting_panel(state, trainer)
        with st.container(key="label_line", gap="xsmall"):
            round_line(state)
            if not waiting:
                trainer_line(trainer, can_train=state.not_in_model > 0)


labeling()
status()
guard_keys()
