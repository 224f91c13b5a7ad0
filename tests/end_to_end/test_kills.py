"""What is left when parts are killed. (The rounds: test_trainer_kills.py; the page: labeler/.)"""

from __future__ import annotations

import signal

import psutil
import pytest

from tests.end_to_end.conftest import FOREST

pytestmark = [pytest.mark.timeout(900)]


def test_a_killed_trainer_is_started_again(start, make_small_project, tmp_path, wait_for):
    running = start(make_small_project(tmp_path / "project", "bald", FOREST))
    wait_for(lambda: running.open_round() == 0, "the first ranking")
    before = wait_for(lambda: running.trainer, "the trainer")
    [(generation,)] = running.rows("SELECT generation FROM heartbeats")
    before.kill()
    wait_for(lambda: running.new_child("app.trainer.process", old=before), "the next trainer")
    wait_for(lambda: running.rows("SELECT generation FROM heartbeats") > [(generation,)], "its heartbeat")
    assert running.rows("SELECT number, state FROM rounds") == [(0, "open")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_and_leaves_no_orphan(start, make_small_project, tmp_path, wait_for, number):
    running = start(make_small_project(tmp_path / "project", "bald", FOREST))
    wait_for(lambda: running.trainer is not None and running.screens is not None, "both children")
    family = psutil.Process(running.process.pid).children(recursive=True)
    assert len(family) >= 2
    running.process.send_signal(number)
    assert running.process.wait(120) == 0
    assert [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []


def test_a_killed_supervisor_takes_its_children_with_it(start, make_small_project, tmp_path, wait_for):
    running = start(make_small_project(tmp_path / "project", "bald", FOREST))
    wait_for(lambda: running.trainer is not None and running.screens is not None, "both children")
    family = psutil.Process(running.process.pid).children(recursive=True)
    running.process.kill()
    running.process.wait()
    wait_for(
        lambda: not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family),
        "their end",
    )
