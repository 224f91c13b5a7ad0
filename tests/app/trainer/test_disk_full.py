from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from app.project.project import Project
from app.trainer import process
from app.trainer.background import BackgroundEmbedding
from app.trainer.heartbeat import Heartbeat
from app.trainer.process import Worker, is_disk_full
from loops.errors import TrainingInterruptedError
from storage.engine import Database
from storage.errors import DiskFullError
from storage.trainer import list_errors


@pytest.fixture
def worker(
    project: Project,
    database: Database,
    project_id: int,
    generation: int,
    heartbeat: Heartbeat,
    background: BackgroundEmbedding,
) -> Worker:
    every_label = SimpleNamespace(take=lambda *_, **__: None, check=lambda: None, described=None)
    stop = threading.Event()
    return Worker(project, database, project_id, generation, heartbeat, stop, background, every_label)  # type: ignore[arg-type]


def test_a_round_that_a_full_disk_ended_is_tried_again_until_there_is_room(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = iter([OSError(28, "No space left on device"), OSError(28, "No space left on device")])

    def run_rounds(_: object) -> None:
        if (error := next(tries, None)) is not None:
            raise error
        worker.stop.set()
        raise TrainingInterruptedError(steps=0, wanted=0)

    monkeypatch.setattr(Worker, "_bench", lambda _: None)
    monkeypatch.setattr(process, "run_rounds", run_rounds)
    monkeypatch.setattr(process, "DISK_RETRY_S", 0.0)
    monkeypatch.setattr(process, "SETTLED_S", 0.0)
    worker.run()
    with worker.database.read() as session:
        assert len(list_errors(session, project_id=worker.project_id)) == 1, "what is tried again is recorded once"


def test_a_round_that_failed_otherwise_waits_for_a_person(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    looks = iter(range(3))

    def run_rounds(_: object) -> None:
        tried.append("round")
        raise RuntimeError("the model forgot everything")

    def rest(self: Worker, _: object) -> None:
        if next(looks, None) is None:
            self.stop.set()

    monkeypatch.setattr(Worker, "_bench", lambda _: None)
    monkeypatch.setattr(Worker, "_rest", rest)
    monkeypatch.setattr(process, "run_rounds", run_rounds)
    monkeypatch.setattr(process, "POLL_S", 0.0)
    monkeypatch.setattr(process, "SETTLED_S", 0.0)
    worker.run()
    assert tried == ["round"]


def test_a_full_disk_is_known_by_itself_and_by_what_came_of_it() -> None:
    followed = RuntimeError("the graph could not be written")
    followed.__cause__ = OSError(28, "No space left on device")
    assert all(is_disk_full(error) for error in (followed.__cause__, followed, DiskFullError()))
    assert not any(is_disk_full(error) for error in (None, OSError(13, "Permission denied"), RuntimeError("x")))
