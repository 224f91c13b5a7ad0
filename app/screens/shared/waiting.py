"""What the Label screen says when there is no sample to show: what happens now and what to do next."""

from dataclasses import dataclass

import streamlit as st

from app.screens.shared.labeling_state import LabelingState
from app.screens.shared.trainer_state import TrainerState
from storage.limits import Reached


@dataclass(frozen=True)
class Waiting:
    """Why there is no sample."""

    title: str
    sentence: str
    next_page: str | None = None  # where the person can do something about it


def why_waiting(state: LabelingState, trainer: TrainerState) -> Waiting:
    """The one reason that explains the empty screen best."""
    if state.counts.pool + state.counts.labeled + state.counts.skipped == 0:
        if state.counts.broken:
            return Waiting("No sample can be read", f"{gone_words(state.counts.broken)} See Setup.", "setup")
        return Waiting(
            "No samples yet",
            "Add samples on the Setup page; then the first ones are chosen.",
            "setup",
        )
    finished = _finished(state)
    if finished is not None:
        return finished
    if state.trained_round is None:
        return _first_round(trainer)
    if state.progress.remaining > 0:
        return Waiting("Others have the rest", "The remaining samples of this round are on other people's screens.")
    return _queue_used_up(trainer)


def gone_words(broken: int) -> str:
    """What became of samples that were there at the import and are not now."""
    return f"None of the {broken:,} samples can be read any more: were they moved or deleted?"


def over_words(limit: Reached) -> str:
    """Why nothing more is asked, and the next step."""
    return f"{limit.sentence} Nothing more is asked. Raise it on Setup to go on, or export the labels on Review."


def _finished(state: LabelingState) -> Waiting | None:
    if state.counts.pool == 0:
        sentence = "Every sample has been labeled or skipped. Look through the labels, export them, or add samples."
        return Waiting("The pool is finished", sentence, "review")
    if state.limit is not None:
        return Waiting(state.limit.title, over_words(state.limit), "setup")
    return None


def _first_round(trainer: TrainerState) -> Waiting:
    if trainer.mood in {"failed", "silent", "absent"}:
        return Waiting(
            "The first samples are not chosen yet",
            "The trainer chooses them; it is not at work now.",
        )
    sentence = "The trainer looks at all samples and picks a varied, typical set. They appear here by themselves."
    return Waiting("Choosing the first samples", sentence)


def _queue_used_up(trainer: TrainerState) -> Waiting:
    if trainer.mood == "working":
        sentence = "All samples asked so far are decided. The next ones appear here by themselves."
        return Waiting("The model is learning from your labels", sentence)
    sentence = "All samples asked so far are decided. Train now, and the model chooses the next ones."
    return Waiting("The queue is used up", sentence)


def way_out(state: LabelingState, trainer: TrainerState) -> None:
    """Draw the link to the page where a person can do something about the empty queue, if there is one."""
    page = why_waiting(state, trainer).next_page
    if page is not None:
        st.page_link(f"{page}.py", label=f"Go to {page.capitalize()}")
