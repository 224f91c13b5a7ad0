from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from app.errors import ProjectError, TrainerRunningError
from app.project.hub import UsedNetwork
from app.project.lock import trainer_lock
from app.project.project import Project
from app.project.settings import save_settings
from app.trainer import process
from app.trainer.heartbeat import Heartbeat
from app.trainer.process import run_trainer
from app.trainer.workbench import at_rest
from loops.errors import TrainingInterruptedError
from storage.engine import Database
from storage.errors import StaleGenerationError
from storage.rounds import latest_round
from storage.trainer import get_heartbeat, list_errors, start_generation
from tests.app.trainer.conftest import Annotator
from tests.forks import TRAINING, Forked, forks_of

pytestmark = pytest.mark.usefixtures("quick_predictor")


def run_once(project: Project) -> int:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        return run_trainer(project, once=True)
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)


def test_once_ends_when_nothing_is_waiting(project: Project, database: Database, project_id: int) -> None:
    assert run_once(project) == 0
    with database.read() as session:
        latest = latest_round(session, project_id=project_id)
        heartbeat = get_heartbeat(session, project_id=project_id)
    assert latest is not None
    assert latest.state == "open"
    assert heartbeat is not None
    assert heartbeat.state == "stopped"


def test_weights_that_are_other_ones_are_refused_before_anything_is_computed(
    project: Project, database: Database, tmp_path: Path
) -> None:
    (tmp_path / "weights.bin").write_bytes(b"now")
    source = f"timm:tiny={tmp_path / 'weights.bin'}"
    save_settings(project.settings_path, replace(project.settings(), predictor="auto", embedding=source))
    UsedNetwork(source, hashlib.sha256(b"then").hexdigest()).keep(project)
    said = r"weights\.bin does not hold the weights of timm:tiny that this project"
    with pytest.raises(ProjectError, match=said):
        run_once(project)
    with pytest.raises(ProjectError, match=said):
        at_rest(project, database)


def test_a_second_trainer_of_the_same_project_is_refused(project: Project) -> None:
    with trainer_lock(project.lock_path), pytest.raises(TrainerRunningError, match="already running"):
        run_once(project)


def test_a_failure_is_shown_with_its_reason_and_the_next_start_tries_again(
    project: Project, database: Database, project_id: int, annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_once(project)
    annotator.label(4)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("loops.predictors.network.Network.save", fail)
        with pytest.raises(OSError, match="No space left"):
            run_once(project)
    with database.read() as session:
        latest = latest_round(session, project_id=project_id)
        (error,) = list_errors(session, project_id=project_id)
    assert latest is not None
    assert latest.state == "failed"
    assert "No space left on device" in str(latest.reason)
    assert "No space left on device" in error.message
    assert "Traceback" in error.traceback

    assert run_once(project) == 0
    with database.read() as session:
        latest = latest_round(session, project_id=project_id)
    assert latest is not None
    assert (latest.number, latest.state, latest.labels) == (1, "open", 4)


def test_being_told_to_end_interrupts_the_step(heartbeat: Heartbeat) -> None:
    heartbeat.show("scoring", total=10)
    heartbeat.progress(5, 10)
    heartbeat.stop.set()
    with pytest.raises(TrainingInterruptedError, match="5 of 10"):
        heartbeat.progress(5, 10)


def test_a_trainer_that_was_replaced_stops_beating_and_says_why(
    database: Database, project_id: int, generation: int
) -> None:
    stop = threading.Event()
    heartbeat = Heartbeat(database, project_id, generation, "CPU", stop)
    with heartbeat:
        with database.write() as session:
            start_generation(session, project_id=project_id, pid=1)
        heartbeat.show("idle")
        assert stop.wait(30)
    assert isinstance(heartbeat.failure, StaleGenerationError)


def test_progress_and_time_left_are_visible(database: Database, project_id: int, heartbeat: Heartbeat) -> None:
    heartbeat.show("scoring", "round 3", round_number=3, done=0, total=100)
    heartbeat.progress(25, 100)
    deadline = time.monotonic() + 30
    seen = None
    while time.monotonic() < deadline and (seen is None or seen.done != 25):
        with database.read() as session:
            seen = get_heartbeat(session, project_id=project_id)
        time.sleep(0.05)
    assert seen is not None
    assert (seen.state, seen.round_number, seen.done, seen.total) == ("scoring", 3, 25, 100)
    assert seen.eta_s is not None


def test_sigterm_ends_a_waiting_trainer_and_what_it_forked_with_a_last_word(
    project: Project, database: Database, project_id: int
) -> None:
    with Path(os.devnull).open("r+b") as nothing:
        command = ["-m", "app.trainer.process", str(project.folder)]
        child = forks_of(*TRAINING).start(command, files=[nothing.fileno()] * 3)
    try:
        wait_until_idle(database, project_id, child)
        (forked,) = psutil.Process(child.pid).children()
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(30) == 0
        assert not forked.is_running()
    finally:
        child.kill()
    with database.read() as session:
        heartbeat = get_heartbeat(session, project_id=project_id)
    assert heartbeat is not None
    assert heartbeat.state == "stopped"


def wait_until_idle(database: Database, project_id: int, child: Forked) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with database.read() as session:
            heartbeat = get_heartbeat(session, project_id=project_id)
            latest = latest_round(session, project_id=project_id)
        if latest is not None and heartbeat is not None and heartbeat.state == "idle":
            return
        assert child.poll() is None
        time.sleep(0.1)
    raise AssertionError("the trainer never came to rest")


def test_the_command_line_says_a_sentence_for_a_folder_that_is_no_project(
    tmp_path: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["trainer", str(tmp_path), "--once"])
    assert process.main() == 1
    assert str(tmp_path) in capsys.readouterr().err


def test_in_a_new_folder_it_waits_until_the_project_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path)
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            project.settings_path.write_text('name = "p"\n')

    monkeypatch.setattr(process.time, "sleep", sleep)
    process.wait_until_made(project)
    assert naps == [process.LOOK_S] * 3
