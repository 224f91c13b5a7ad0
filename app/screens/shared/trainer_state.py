"""What the trainer is doing, as a sentence: a heartbeat judged on the screen's own clock."""

import time
from dataclasses import dataclass
from typing import Literal

from app.project.status import sentence_and_details, time_left
from storage.trainer import Heartbeat

SILENT_AFTER_S = 10.0  # the promise is 15 s; a screen looks every second or two

Mood = Literal["absent", "silent", "idle", "working", "failed", "stopped"]


@dataclass(frozen=True)
class TrainerState:
    """What a screen says about the trainer."""

    mood: Mood
    sentence: str
    fraction: float | None = None  # share of the step that is done, 0..1
    details: str = ""  # of the model that answers: which, and why; for the Progress screen


class BeatWatch:
    """Ages the heartbeat on this process's monotonic clock, so that a jump of the wall clock alarms nobody."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._seen: dict[int, tuple[tuple[int, int], float]] = {}

    def silence_s(self, project_id: int, heartbeat: Heartbeat, *, now: float | None = None) -> float:
        """Seconds since this screen saw the beat change."""
        moment = time.monotonic() if now is None else now
        beat = (heartbeat.generation, heartbeat.beat)
        last = self._seen.get(project_id)
        if last is None or last[0] != beat:
            self._seen[project_id] = (beat, moment)
            return 0.0
        return moment - last[1]


def trainer_state(heartbeat: Heartbeat | None, silence_s: float, *, nouns: str = "samples") -> TrainerState:
    """Turn a heartbeat into words; failures name their reason, samples are called what they are."""
    if heartbeat is None:
        return TrainerState("absent", "The trainer has not reported yet. It starts together with 'labelloop run'.")
    if heartbeat.state == "failed":
        return TrainerState("failed", _failure(heartbeat))
    if heartbeat.state == "stopped":
        return TrainerState("stopped", "The trainer is stopped. Labels are kept and wait for it.")
    if silence_s >= SILENT_AFTER_S:
        return TrainerState("silent", _silence(silence_s))
    if heartbeat.state == "idle":
        said, details = sentence_and_details(heartbeat)
        said = said or "The trainer waits for the next finished round."
        return TrainerState("idle", said + time_left(heartbeat.eta_s), _fraction(heartbeat), details)
    return TrainerState("working", _work(heartbeat, nouns), _fraction(heartbeat))


def _failure(heartbeat: Heartbeat) -> str:
    reason = heartbeat.message or "no reason was given"
    return f"{_round(heartbeat)} failed: {reason}"


def _silence(silence_s: float) -> str:
    return (
        f"The trainer has been silent for {silence_s:.0f} s. It is restarted by itself while 'labelloop run' runs; "
        "you can go on labeling, every label is kept."
    )


def _work(heartbeat: Heartbeat, nouns: str) -> str:
    if heartbeat.state == "embedding" and heartbeat.total:
        step = f"Looking at the {nouns}: {heartbeat.done:,} of {heartbeat.total:,}"
    elif heartbeat.state == "training":
        step = f"{_round(heartbeat)}: training" + _part(heartbeat) + _epochs(heartbeat)
    elif heartbeat.state == "scoring":
        step = f"{_round(heartbeat)}: scoring the pool" + _scored(heartbeat)
    elif heartbeat.state == "cross-validating":
        step = f"{_round(heartbeat)}: cross-validating the labels" + _folds(heartbeat)
    elif heartbeat.state == "measuring":
        step = f"{_round(heartbeat)}: measuring what labels at random would have given"
    elif heartbeat.state == "embedding":
        step = f"Looking at the {nouns}"
    else:
        step = "The trainer is starting"
    if heartbeat.state == "embedding" and heartbeat.message:  # it hangs: the time left is no longer true
        return f"{step}. {heartbeat.message}"
    return step + time_left(heartbeat.eta_s)


def _round(heartbeat: Heartbeat) -> str:
    return "Training" if heartbeat.round_number is None else f"Round {heartbeat.round_number}"


def _part(heartbeat: Heartbeat) -> str:
    """Of a model that is compared with another, or is one of a committee."""
    return f" on part {heartbeat.done} of the labels" if heartbeat.done else ""


def _epochs(heartbeat: Heartbeat) -> str:
    return f", epoch {heartbeat.epoch} of {heartbeat.epochs}" if heartbeat.epochs else ""


def _scored(heartbeat: Heartbeat) -> str:
    return f", {heartbeat.done:,} of {heartbeat.total:,} samples" if heartbeat.total else ""


def _folds(heartbeat: Heartbeat) -> str:
    return f", {heartbeat.done or 0} of {heartbeat.total} folds done" if heartbeat.total else ""


def _fraction(heartbeat: Heartbeat) -> float | None:
    done, total = heartbeat.done, heartbeat.total
    if heartbeat.state == "training":
        done, total = heartbeat.epoch, heartbeat.epochs
    return min(1.0, max(0.0, (done or 0) / total)) if total else None
