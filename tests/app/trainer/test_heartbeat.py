from __future__ import annotations

import pytest

from app.trainer.heartbeat import Heartbeat, ProgressCallback
from loops.errors import TrainingInterruptedError
from storage.trainer import get_heartbeat


def test_samples_that_other_processes_score_are_counted(heartbeat: Heartbeat) -> None:
    heartbeat.show("training", "12 labels", round_number=3)
    ProgressCallback(heartbeat).on_devices_samples(512, 1_000)
    activity = heartbeat.activity
    assert (activity.state, activity.message, activity.round_number) == ("scoring", "12 labels", 3)
    assert (activity.done, activity.total) == (512, 1_000)


def test_epochs_that_other_processes_fit_are_counted_once_they_have_ended(heartbeat: Heartbeat) -> None:
    heartbeat.show("training", round_number=3)
    progress = ProgressCallback(heartbeat)
    seen = []
    for done in (0, 0, 1, 1, 2):
        progress.on_devices_epoch(done, 20)
        seen.append((heartbeat.activity.epoch, heartbeat.activity.epochs))
    assert seen == [(None, None), (None, None), (1, 20), (1, 20), (2, 20)]
    assert heartbeat.activity.state == "training"


def test_a_fit_in_other_processes_says_which_part_of_the_labels_it_is_on(heartbeat: Heartbeat) -> None:
    for fold, left in ((0, "scoring"), (1, "training")):
        progress = ProgressCallback(heartbeat, fold)
        if left == "scoring":
            heartbeat.show("scoring", round_number=3)
        progress.on_devices_epoch(0, 20)
        assert (heartbeat.activity.state, heartbeat.activity.done) == ("training", fold + 1)
        progress.on_devices_epoch(20, 20)
        assert (heartbeat.activity.done, heartbeat.activity.epoch) == (fold + 1, 20)


def test_other_processes_end_with_the_trainer(heartbeat: Heartbeat) -> None:
    heartbeat.stop.set()
    progress = ProgressCallback(heartbeat)
    with pytest.raises(TrainingInterruptedError):
        progress.on_devices_epoch(1, 20)
    with pytest.raises(TrainingInterruptedError):
        progress.on_devices_samples(1, 20)


def test_details_are_stored_below_the_sentence(heartbeat: Heartbeat) -> None:
    for details, stored in (("The graph answers.", "Right on 71.\nThe graph answers."), ("", "Right on 71.")):
        heartbeat.show("idle", "Right on 71.", details=details)
        heartbeat._beat()
        with heartbeat.database.read() as session:
            beaten = get_heartbeat(session, project_id=heartbeat.project_id)
        assert beaten is not None
        assert beaten.message == stored
