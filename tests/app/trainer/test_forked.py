from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess

import psutil
import pytest

from app.errors import TrainerRunningError
from app.project.lock import trainer_lock
from app.project.project import Project
from app.trainer.process import run_trainer

FORKS = multiprocessing.get_context("forkserver")  # this process has threads, which a fork would lose
FORKS.set_forkserver_preload(["app.trainer.process"])
PATIENCE_S = 60


@pytest.fixture
def trainer(project: Project) -> Iterator[tuple[ForkServerProcess, psutil.Process]]:
    """A trainer, and the process that it has forked."""
    process = FORKS.Process(target=run_trainer, args=(project,))
    process.start()
    assert process.pid is not None
    end = time.monotonic() + PATIENCE_S
    while not (forked := psutil.Process(process.pid).children()) or not is_held(project):
        assert time.monotonic() < end
        time.sleep(0.05)
    yield process, forked[0]
    process.kill()
    process.join()


def is_held(project: Project) -> bool:
    try:
        with trainer_lock(project.lock_path):
            return False
    except TrainerRunningError:
        return True


def test_a_killed_trainer_takes_with_it_what_it_forked_and_leaves_the_lock(
    project: Project, trainer: tuple[ForkServerProcess, psutil.Process]
) -> None:
    process, forked = trainer
    process.kill()
    process.join()
    psutil.wait_procs([forked], timeout=PATIENCE_S)
    assert not forked.is_running() or forked.status() == psutil.STATUS_ZOMBIE
    assert not is_held(project)


def test_a_ranking_is_more_urgent_than_a_fit(trainer: tuple[ForkServerProcess, psutil.Process]) -> None:
    process, forked = trainer
    assert process.pid is not None
    assert psutil.Process(process.pid).nice() == min(19, forked.nice() + 5)


def test_a_trainer_whose_ranking_process_was_killed_ends_and_is_started_again(
    trainer: tuple[ForkServerProcess, psutil.Process],
) -> None:
    process, forked = trainer
    forked.kill()
    process.join(PATIENCE_S)
    assert process.exitcode == 1, "the supervisor starts a trainer that ends"
