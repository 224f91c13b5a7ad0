"""The trainer process: waits for finished labeling rounds and resumes the loop, until it is told to end.

`python -m app.trainer.process PROJECT [--once]`
"""

from __future__ import annotations

import errno
import logging
import math
import os
import signal
import sys
import threading
import time
import traceback
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import torch

from app.errors import AppError, FilesAwayError, is_refusal
from app.project.hub import refuse_other_weights
from app.project.lock import trainer_lock
from app.project.own_code import check_own_code
from app.project.project import Project, open_project
from app.project.settings import ProjectSettings
from app.trainer.background import BackgroundEmbedding
from app.trainer.backups import HourlyBackups
from app.trainer.devices import follows
from app.trainer.every_label import EveryLabel
from app.trainer.heartbeat import Heartbeat
from app.trainer.measuring.between_rounds import BetweenRounds
from app.trainer.rounds import run_rounds
from app.trainer.sample_source import SampleSource
from app.trainer.triggers import waiting_reason, work_is_waiting
from app.trainer.watching import WatchedSources
from app.trainer.workbench import Workbench, set_up
from loops.errors import TrainingInterruptedError
from storage.engine import Database
from storage.errors import DiskFullError
from storage.plain import utc_now
from storage.rounds import fail_round, latest_round, open_round
from storage.samples import count_samples, last_added_at
from storage.trainer import record_error, start_generation

POLL_S = 0.5  # between two looks at everything
LOOK_S = 0.1  # between two looks whether the project has been made
SETTLED_S = 1.0  # the first ranking is for all of an import, not for the part of it that was there first
DISK_RETRY_S = 30.0  # after a disk was full: people make room, and nobody should have to tell the trainer
AWAY_RETRY_S = 3.0  # after no file was where it was: likewise

logger = logging.getLogger(__name__)


@dataclass
class Worker:
    """One trainer of one project: the generation it writes under, and whether its last attempt failed."""

    project: Project
    database: Database
    project_id: int
    generation: int
    heartbeat: Heartbeat
    stop: threading.Event
    background: BackgroundEmbedding
    every_label: EveryLabel | None  # None: ends when nothing is waiting, instead of waiting for people
    failed: bool = False
    failure: Exception | None = None  # of the last attempt, for who asked for one run and waits for how it ends
    told: str = ""  # the failure that was recorded last: what is tried again by itself is recorded once
    retry_at: float = math.inf  # seconds as `time.monotonic` counts; a failure that may pass is tried again by itself
    between_rounds: BetweenRounds | None = None
    pool: int = 0  # samples at the last look, before the first round
    pool_changed_at: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Resumes the loop whenever a round is finished."""
        once = self.every_label is None
        if self._has_failed_round():  # whoever starts the trainer again wants it tried again, once
            self.failed, self.retry_at = True, -math.inf
        while not self.stop.is_set():
            if self.every_label is not None:
                self.every_label.check()
            settings = self.project.settings()
            waiting = work_is_waiting(self.database, self.project_id, settings, after_failure=self.failed)
            waiting |= self.failed and time.monotonic() >= self.retry_at
            if waiting and (once or self._import_has_settled()):
                self._resume()
            elif once and (self.failed or not self.background.is_busy):
                return
            else:
                self._rest(settings)
                self.stop.wait(POLL_S)

    def _has_failed_round(self) -> bool:
        with self.database.read() as session:
            latest = latest_round(session, project_id=self.project_id)
        return latest is not None and latest.state == "failed"

    def _import_has_settled(self) -> bool:
        with self.database.read() as session:
            if latest_round(session, project_id=self.project_id) is not None:
                return True
            pool = count_samples(session, project_id=self.project_id).pool
            added_at = last_added_at(session, project_id=self.project_id)
        if added_at is not None and utc_now() - added_at > timedelta(seconds=SETTLED_S):
            return True  # the import ended before the trainer began; where a clock was set back, the wait below tells
        if pool != self.pool:
            self.pool, self.pool_changed_at = pool, time.monotonic()
        return time.monotonic() - self.pool_changed_at >= SETTLED_S

    def _resume(self) -> None:
        try:
            bench = self._bench()
            if self.every_label is not None:
                self.every_label.take(bench)
            self.background.grew |= run_rounds(bench)
            self.between_rounds = BetweenRounds(bench)
            self.failed, self.failure, self.told = False, None, ""
        except TrainingInterruptedError:
            logger.info("stopped in the middle of a round; it goes on from there at the next start")
            self.stop.set()
        except Exception as error:  # noqa: BLE001 - the border: whatever happened is recorded, shown, and may be retried
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        message = str(error) or type(error).__name__
        step, is_new = self.heartbeat.activity.state, message != self.told
        self.failed, self.failure, self.told = True, error, message
        self.retry_at = time.monotonic() + _retried_after_s(error)
        if is_new and self.every_label is not None:
            logger.error("%s failed: %s", step, message, exc_info=None if isinstance(error, AppError) else error)
        with self.database.write() as session:
            latest = latest_round(session, project_id=self.project_id)
            number = None if latest is None else latest.number
            if latest is not None and latest.state in ("training", "scoring"):
                fail_round(session, round_id=latest.id, generation=self.generation, reason=message)
            if is_new:
                record_error(
                    session,
                    project_id=self.project_id,
                    round_number=number,
                    step=step,
                    message=message,
                    traceback=traceback.format_exc(),
                )
        self.heartbeat.show("failed", message, round_number=number)

    def _rest(self, settings: ProjectSettings) -> None:
        if self.failed:
            return
        try:
            self._take_up()
        except TrainingInterruptedError:
            return
        except Exception as error:  # noqa: BLE001 - the border, as of a round
            self._fail(error)
            return
        if self.between_rounds is not None:
            self.between_rounds.work()
        described = None if self.every_label is None else self.every_label.described
        answers, details = ("", "") if described is None else (described.sentence, described.details)
        reason = waiting_reason(self.database, self.project_id, settings) or answers
        embedding = self.background.progress
        message = f"{reason} {embedding.stall or embedding.sentence}".strip()
        self.heartbeat.show("idle", message, details=details, **embedding.counts)

    def _take_up(self) -> None:
        """Works on what is embedded by now, if there is an open round to work on."""
        if self.background.failure is not None:
            raise self.background.failure
        if (self.between_rounds is None and self._has_open_round()) or self.background.grew:
            bench = self._bench()
            if self.every_label is not None:
                self.every_label.take(bench, anew=self.between_rounds is not None)
            self.between_rounds = BetweenRounds(bench)

    def _has_open_round(self) -> bool:
        with self.database.read() as session:
            return open_round(session, project_id=self.project_id) is not None

    def _bench(self) -> Workbench:
        return set_up(self.project, self.database, self.project_id, self.generation, self.heartbeat, self.background)


def run_trainer(project: Project, *, once: bool = False) -> int:
    """Runs the trainer of one project until SIGTERM or SIGINT; on a second machine, takes part in its passes.

    Args:
        project: Whose rounds to run.
        once: End when nothing is waiting.

    Returns:
        Exit code: 0, or 1 if a round failed.

    Raises:
        TrainerRunningError: If the project has a trainer already.
        StaleGenerationError: If a newer trainer took over.
        SettingsError: If it is to end when nothing is waiting, and the settings name code that cannot be imported.
        Exception: Likewise, what a round failed of.
        ProjectError: If its network is another one than it was and nobody sees that on a screen.
    """
    if once:
        settings = project.settings()
        refuse_other_weights(project, settings)
        check_own_code(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if follows(project, stop):
        return 0
    every_label = None if once else EveryLabel(project)  # first of all: it forks
    try:
        return _run(project, stop, every_label)
    finally:
        if every_label is not None:
            every_label.close()


def _run(project: Project, stop: threading.Event, every_label: EveryLabel | None) -> int:
    with trainer_lock(project.lock_path), closing(project.open_database()) as database:
        project_id = project.project_id(database)
        with database.write() as session:
            generation = start_generation(session, project_id=project_id, pid=os.getpid())
        heartbeat = Heartbeat(database, project_id, generation, _device(), stop)
        background = BackgroundEmbedding(SampleSource(project, database), stop)
        with ExitStack() as entered:
            for beside in (heartbeat, HourlyBackups(database, stop), background):
                entered.enter_context(beside)
            if every_label is not None:  # else it ends when nothing is waiting, and a source is never done
                entered.enter_context(WatchedSources(project, stop))
            worker = Worker(project, database, project_id, generation, heartbeat, stop, background, every_label)
            worker.run()
        if heartbeat.failure is not None:
            raise heartbeat.failure
        if every_label is None and worker.failure is not None:
            raise worker.failure
        return 1 if worker.failed else 0


def _retried_after_s(error: Exception) -> float:
    if isinstance(error, FilesAwayError):
        return AWAY_RETRY_S
    return DISK_RETRY_S if is_disk_full(error) else math.inf


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or what it came of, is that the disk had no room."""
    if error is None:
        return False
    no_room = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return no_room or isinstance(error, DiskFullError) or is_disk_full(error.__cause__ or error.__context__)


def _device() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


def wait_until_made(project: Project) -> None:
    """Waits, with all libraries loaded, until a folder is a project: a person is about to make it on Setup."""
    while not project.settings_path.is_file():
        time.sleep(LOOK_S)


def main() -> int:
    """Runs the trainer of the project named on the command line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    folder, *flags = sys.argv[1:]
    once = "--once" in flags
    if not once:
        wait_until_made(Project(Path(folder)))
    try:
        return run_trainer(open_project(Path(folder)), once=once)
    except Exception as error:
        if not is_refusal(error):
            raise
        sys.stderr.write(f"{error}\n")
        return 1


def leave(code: int) -> NoReturn:
    """Ends the process at once: all is stored, and taking torch apart is 2 s of a core, 12 s on a busy machine."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main())
