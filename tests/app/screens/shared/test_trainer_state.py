from __future__ import annotations

from datetime import datetime, timezone

import pytest

from app.screens.shared.trainer_state import SILENT_AFTER_S, BeatWatch, trainer_state
from storage.trainer import Heartbeat


def heartbeat(**fields) -> Heartbeat:
    plain = {
        "generation": 1,
        "pid": 1,
        "state": "idle",
        "message": "",
        "beat": 1,
        "beat_at": datetime(1970, 1, 1, tzinfo=timezone.utc),  # a clock that went back must alarm nobody
        "round_number": 2,
        "epoch": None,
        "epochs": None,
        "done": None,
        "total": None,
        "eta_s": None,
        "handled_request_id": 0,
        "device": None,
    }
    return Heartbeat(**{**plain, **fields})


def test_silence_counts_from_the_moment_the_screen_saw_the_last_beat():
    watch = BeatWatch()
    assert watch.silence_s(1, heartbeat(beat=5), now=100.0) == 0
    assert watch.silence_s(1, heartbeat(beat=5), now=107.0) == 7
    assert watch.silence_s(1, heartbeat(beat=6), now=108.0) == 0


def test_a_new_trainer_with_the_same_count_is_no_silence():
    watch = BeatWatch()
    watch.silence_s(1, heartbeat(generation=1), now=0.0)
    assert watch.silence_s(1, heartbeat(generation=2), now=30.0) == 0


def test_silence_is_shown_within_the_promised_15_seconds():
    assert SILENT_AFTER_S + 2 <= 15
    assert trainer_state(heartbeat(state="training"), SILENT_AFTER_S).mood == "silent"
    assert trainer_state(heartbeat(state="training"), SILENT_AFTER_S - 1).mood == "working"


@pytest.mark.parametrize(
    ("fields", "sentence", "fraction"),
    [
        ({"state": "training", "epoch": 3, "epochs": 4}, "Round 2: training, epoch 3 of 4", 0.75),
        ({"state": "scoring", "done": 50, "total": 200}, "Round 2: scoring the pool, 50 of 200 samples", 0.25),
        ({"state": "embedding", "done": 1, "total": 2}, "Looking at the samples: 1 of 2", 0.5),
        ({"state": "embedding"}, "Looking at the samples", None),
        (
            {"state": "embedding", "done": 1, "total": 2, "eta_s": 9.0, "message": "It may hang."},
            "Looking at the samples: 1 of 2. It may hang.",
            0.5,
        ),
        (
            {"state": "cross-validating", "done": 2, "total": 5},
            "Round 2: cross-validating the labels, 2 of 5 folds done",
            0.4,
        ),
        ({"state": "cross-validating"}, "Round 2: cross-validating the labels", None),
        ({"state": "scoring", "eta_s": 30.0}, "Round 2: scoring the pool, about 30 s left", None),
        (
            {"state": "training", "done": 2, "epoch": 3, "epochs": 4},
            "Round 2: training on part 2 of the labels, epoch 3 of 4",
            0.75,
        ),
        ({"state": "training", "eta_s": 120.0}, "Round 2: training, about 2 min left", None),
    ],
)
def test_work_is_said_with_its_progress(fields, sentence, fraction):
    state = trainer_state(heartbeat(**fields), 0.0)
    assert (state.sentence, state.fraction) == (sentence, fraction)


def test_a_failure_names_round_and_reason_even_when_the_trainer_is_silent():
    state = trainer_state(heartbeat(state="failed", message="the disk is full"), 60.0)
    assert (state.mood, state.sentence) == ("failed", "Round 2 failed: the disk is full")


def test_the_first_line_is_for_whoever_labels_and_the_rest_for_the_progress_screen():
    state = trainer_state(heartbeat(message="Right on about 71 of 100.\nThe graph of neighbors answers."), 0.0)
    assert (state.sentence, state.details) == ("Right on about 71 of 100.", "The graph of neighbors answers.")
    without = trainer_state(heartbeat(message="\nThe graph of neighbors answers."), 0.0)
    assert without.sentence == "The trainer waits for the next finished round."


def test_a_failure_is_told_to_its_last_line():
    assert trainer_state(heartbeat(state="failed", message="one\ntwo"), 0.0).sentence == "Round 2 failed: one\ntwo"


def test_a_trainer_that_looks_at_images_while_people_label_says_how_far_it_is():
    state = trainer_state(heartbeat(message="Looking at the images: 1 of 4", done=1, total=4, eta_s=120.0), 0.0)
    assert (state.mood, state.fraction) == ("idle", 0.25)
    assert state.sentence == "Looking at the images: 1 of 4, about 2 min left"
