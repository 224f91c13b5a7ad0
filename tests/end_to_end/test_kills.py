"""What is left when parts of it are killed. (The trainer's own rounds: test_trainer_kills.py.)"""

from __future__ import annotations

import signal

import psutil
import pytest

pytestmark = [pytest.mark.timeout(900)]


def labels_in_database(running) -> int:
    return len(running.rows("SELECT id FROM label_events WHERE action = 'label'"))


@pytest.mark.browser
def test_a_confirmed_label_survives_the_kill_of_the_screens(start, make_small_project, labeler, tmp_path, wait_for):
    running = start(make_small_project(tmp_path / "project"))
    person = labeler(running)
    token = person.open()
    killed = 0
    for confirmed in range(1, 4):
        token = person.label(token)  # the next sample is on screen: the label is confirmed
        screens = wait_for(lambda: running.screens, "the screens")
        screens.kill()
        killed += 1
        assert labels_in_database(running) == confirmed
        wait_for(lambda old=screens: running.new_child("streamlit", old=old), "new screens")
        wait_for(lambda: running.is_healthy(), "the screens to answer")
        person.page.goto(f"{running.url}/?annotator=tester")
        assert person.wait_for_sample() == token  # and the same sample is asked again
    assert killed == 3
    assert labels_in_database(running) == 3


def test_a_killed_trainer_is_started_again(start, make_small_project, tmp_path, wait_for):
    running = start(make_small_project(tmp_path / "project"))
    wait_for(lambda: running.open_round() == 0, "the first ranking")
    before = wait_for(lambda: running.trainer, "the trainer")
    [(generation,)] = running.rows("SELECT generation FROM heartbeats")
    before.kill()
    wait_for(lambda: running.new_child("app.trainer.process", old=before), "the next trainer")
    wait_for(lambda: running.rows("SELECT generation FROM heartbeats") > [(generation,)], "its heartbeat")
    assert running.rows("SELECT number, state FROM rounds") == [(0, "open")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_and_leaves_no_orphan(start, make_small_project, tmp_path, wait_for, number):
    running = start(make_small_project(tmp_path / "project"))
    wait_for(lambda: running.trainer is not None and running.screens is not None, "both children")
    family = psutil.Process(running.process.pid).children(recursive=True)
    assert len(family) >= 2
    running.process.send_signal(number)
    assert running.process.wait(120) == 0
    assert [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []


def test_a_killed_supervisor_takes_its_children_with_it(start, make_small_project, tmp_path, wait_for):
    running = start(make_small_project(tmp_path / "project"))
    wait_for(lambda: running.trainer is not None and running.screens is not None, "both children")
    family = psutil.Process(running.process.pid).children(recursive=True)
    running.process.kill()
    running.process.wait()
    wait_for(
        lambda: not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family),
        "their end",
    )
