"""Trainers forked from a process that has loaded torch: loading it is five seconds of a core, for each of them."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerProcess

from app.project.project import Project
from app.trainer import process

LOOK_S = 0.05  # between two looks at the database: nobody reads in between, and each round would wait for the next

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["app.trainer.process"])


def start_trainer(project: Project, *, once: bool = False) -> ForkServerProcess:
    """Start the trainer of a project."""
    trainer = _FORKS.Process(target=_run, args=(project, once))
    trainer.start()
    return trainer


def _run(project: Project, once: bool) -> None:
    process.POLL_S = LOOK_S
    raise SystemExit(process.run_trainer(project, once=once))
