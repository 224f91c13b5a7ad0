"""The trainer's badge: what it does now, a bar while it works, Retry after a failure, and Train now."""

import streamlit as st

from app.project.endings import TO_WAIT_FOR_A_PERSON, TRAINER, ending_words
from app.screens.shared.plain_text import escaped
from app.screens.shared.reader_time import reader_zone
from app.screens.shared.session import annotator_id, database, project_id, sample_kind
from app.screens.shared.trainer_state import BeatWatch, Mood, TrainerState, trainer_state
from storage.endings import list_endings
from storage.trainer import get_heartbeat, pending_request, request_training

ICONS: dict[Mood, str] = {
    "absent": ":material/hourglass_empty:",
    "silent": ":material/heart_broken:",
    "idle": ":material/check_circle:",
    "working": ":material/model_training:",
    "failed": ":material/error:",
    "stopped": ":material/pause_circle:",
}
COLORS: dict[Mood, str] = {
    "absent": "gray",
    "silent": "orange",
    "idle": "green",
    "working": "blue",
    "failed": "red",
    "stopped": "gray",
}


@st.cache_resource(show_spinner=False)
def _watch() -> BeatWatch:
    return BeatWatch()


def read_trainer() -> TrainerState:
    """The trainer's state as of now."""
    identity = project_id()
    with database().read() as session:
        heartbeat = get_heartbeat(session, project_id=identity)
        handled = heartbeat.handled_request_id if heartbeat else None
        request = pending_request(session, project_id=identity, after_id=handled or 0)
        deaths = list_endings(session, project_id=identity, child=TRAINER)
    silence_s = _watch().silence_s(identity, heartbeat) if heartbeat else 0.0
    state = trainer_state(heartbeat, silence_s, nouns=sample_kind().NOUNS)
    if request is not None and request.kind != "stop" and state.mood in {"idle", "failed", "stopped"}:
        return TrainerState("working", "Training was asked for and starts in a moment.")
    if deaths and (state.mood in {"absent", "silent"} or len(deaths) >= TO_WAIT_FOR_A_PERSON):
        return TrainerState("failed", ending_words(deaths, reader_zone()))
    return state


def trainer_badge(state: TrainerState) -> None:
    """Draw the state as one line, with a bar while something is counted."""
    if state.mood == "failed":
        st.error(escaped(state.sentence), icon=ICONS["failed"])
    elif state.mood == "silent":
        st.warning(state.sentence, icon=ICONS["silent"])
    else:
        st.markdown(f":{COLORS[state.mood]}[{ICONS[state.mood]}] :small[{escaped(state.sentence)}]", width="content")
    if state.fraction is not None:
        st.progress(state.fraction)


def trainer_line(state: TrainerState, *, can_train: bool) -> None:
    """Draw badge and buttons side by side."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="trainer_line"):
        with st.container(width="stretch", gap="xsmall"):
            trainer_badge(state)
        train_buttons(state, can_train=can_train)


def train_buttons(state: TrainerState, *, can_train: bool) -> None:
    """Draw Retry after a failure, else Train now where there is something new to learn."""
    if state.mood == "failed":
        st.button(
            "Try again", key="trainer_retry", icon=":material/refresh:", type="primary", on_click=_ask, args=("retry",)
        )
    elif can_train and state.mood in {"idle", "stopped"}:
        st.button("Train now", key="trainer_train", icon=":material/model_training:", on_click=_ask, args=("train",))


def _ask(kind: str) -> None:
    person = annotator_id()
    identity = project_id()
    with database().write() as session:
        request_training(
            session, project_id=identity, kind="retry" if kind == "retry" else "train", annotator_id=person
        )
