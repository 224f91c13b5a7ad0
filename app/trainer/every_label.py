"""Every label ranks anew, in a process of its own: whatever else the trainer does goes on beside it."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np
import torch

from app.errors import ReRankerEndedError
from app.project.project import Project
from app.project.settings import ProjectSettings
from app.trainer.heartbeat import Heartbeat
from app.trainer.re_ranking import ReRanker
from app.trainer.workbench import Workbench
from loops.embeddings.features import FeatureStore
from loops.embeddings.kinds import backbone_of
from loops.embeddings.names import ClassName
from loops.embeddings.own_source import own_backbone
from loops.predictors.network_spec import NetworkSpec
from loops.predictors.predictor import Description
from storage.changes import Changes
from storage.engine import Database
from storage.sample_columns import SampleColumns
from storage.trainer import record_error

LOOK_S = 0.005  # between two looks whether anybody has written: the queue moves before the next label is given
FITS_NICENESS = 5  # above this process: somebody waits for a ranking, nobody for a fit
LONGEST_GOODBYE_S = 10.0  # then it is killed; a ranking is one transaction
_PR_SET_PDEATHSIG = 1

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkbenchState:
    """What a workbench is made of again in the other process."""

    project_id: int
    generation: int
    settings: ProjectSettings
    pool: SampleColumns
    test: SampleColumns
    classes: tuple[ClassName, ...]
    spec: NetworkSpec
    rows: int  # of the feature store that may be used
    anew: bool  # the pool has grown: the queue is ranked once more, without a new label

    @classmethod
    def of(cls, bench: Workbench, *, anew: bool) -> WorkbenchState:
        """What can be sent of a workbench."""
        return cls(
            bench.project_id, bench.generation, bench.settings, bench.pool, bench.test, bench.classes, bench.spec,
            len(bench.store), anew,
        )  # fmt: skip

    def workbench(self, project: Project, database: Database) -> Workbench:
        """The same workbench, over another connection."""
        settings = self.settings
        backbone = own_backbone(settings.embedding) if settings.embedding else backbone_of(self.spec.backbone)
        return Workbench(
            project,
            database,
            self.project_id,
            self.generation,
            Heartbeat(database, self.project_id, self.generation, "", threading.Event()),  # never beats
            settings,
            self.pool,
            self.test,
            self.classes,
            self.spec,
            FeatureStore(project.features_dir / self.spec.backbone, backbone, first=self.rows),
        )


class EveryLabel:
    """Re-ranks after every label, on the workbench it was given last.

    On the trainer's own thread a label waited for the end of a batch, and where there are no batches for whatever it
    was; a second thread waited hundreds of times for Python's lock, which on a busy machine belongs to somebody who
    waits for a processor. The process is forked before the trainer has threads, files or a GPU, so it costs neither
    time nor memory; where there is no fork it is a thread.

    Args:
        project: Is opened again over there.
    """

    def __init__(self, project: Project) -> None:
        self._connection, other_end = multiprocessing.Pipe()
        self._described: Description | None = None
        self._worker: threading.Thread | multiprocessing.process.BaseProcess
        if sys.platform == "linux":
            forked = multiprocessing.get_context("fork").Process
            arguments = (project, other_end, self._connection, os.getpid())
            self._worker = forked(target=_forked, args=arguments, name="every label", daemon=True)
            self._worker.start()
            other_end.close()
            os.nice(FITS_NICENESS)  # from now on, of the trainer
        else:
            self._worker = threading.Thread(target=watch, args=(project, other_end), name="every label", daemon=True)
            self._worker.start()

    @property
    def described(self) -> Description | None:
        """Who answers, and why; None before it is known."""
        with contextlib.suppress(EOFError):
            while self._connection.poll():
                self._described = self._connection.recv()
        return self._described

    def take(self, bench: Workbench, *, anew: bool = False) -> None:
        """From now on labels are ranked on this workbench; after a failure this is another attempt.

        Args:
            bench: The project as it is now.
            anew: The pool has grown: the queue is ranked once more, without a new label.
        """
        with contextlib.suppress(BrokenPipeError):  # `check` tells, where no round fails of it
            self._connection.send(WorkbenchState.of(bench, anew=anew))

    def close(self) -> None:
        """Waits for the ranking in hand."""
        self._connection.close()
        self._worker.join(LONGEST_GOODBYE_S)

    def check(self) -> None:
        """Looks whether somebody ranks.

        Raises:
            ReRankerEndedError: If not; the trainer is to end and be started again.
        """
        if not self._worker.is_alive():
            raise ReRankerEndedError


def watch(project: Project, connection: Connection) -> None:
    """Ranks until the other end is closed.

    Args:
        project: Is opened when the first workbench comes, for by then it has its schema.
        connection: Gives what was `Taken`, takes descriptions of who answers.
    """
    try:
        taken = connection.recv()
        with closing(project.open_database()) as database, Changes(database) as changes:
            watching = Watching(project, database)
            watching.take(taken)
            while True:
                if connection.poll(LOOK_S):
                    watching.take(connection.recv())
                if changes.since_last_look() or not watching.looked:
                    watching.look()
                if watching.description_is_new():
                    connection.send(watching.described)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the trainer has ended


class Watching:
    """The re-ranker of the workbench in hand."""

    def __init__(self, project: Project, database: Database) -> None:
        self._project, self._database = project, database
        self.re_ranker: ReRanker | None = None
        self._given_up = False
        self.looked = False  # since the last workbench came
        self.described: Description | None = None

    def take(self, taken: WorkbenchState) -> None:
        """Begins anew; what is known already is kept if nothing changed: a large graph takes half a second to load."""
        bench, before, self.looked = taken.workbench(self._project, self._database), self.re_ranker, False
        if taken.anew or self._given_up or before is None or not _is_as(bench, before.bench):
            self.re_ranker, self._given_up = ReRanker(bench, anew=taken.anew), False

    def look(self) -> None:
        """One look; a failure is recorded, shown, and not tried again before the next workbench comes."""
        self.looked = True
        if self.re_ranker is None or self._given_up:
            return
        try:
            self.re_ranker.look()
        except Exception as error:  # the border
            logger.exception("re-ranking failed")
            self._given_up = True
            self._record(self.re_ranker.bench, error)

    def description_is_new(self) -> bool:
        """Whether somebody else answers, or for another reason."""
        before, self.described = self.described, None if self.re_ranker is None else self.re_ranker.described
        return self.described != before

    def _record(self, bench: Workbench, error: Exception) -> None:
        with self._database.write() as session:
            record_error(
                session,
                project_id=bench.project_id,
                round_number=None,
                step="re-ranking",
                message=str(error) or type(error).__name__,
                traceback=traceback.format_exc(),
            )


def _is_as(bench: Workbench, before: Workbench) -> bool:
    """Whether a re-ranker need not notice that the workbench was made anew."""
    return (
        (bench.settings, bench.spec, bench.classes) == (before.settings, before.spec, before.classes)
        and len(bench.store) == len(before.store)
        and np.array_equal(bench.pool.ids, before.pool.ids)
    )


def _forked(project: Project, connection: Connection, others: Connection, trainer: int) -> None:
    """Watches, and ends when the trainer does, by whatever it is ended; a signal to both is the trainer's to answer."""
    others.close()  # or the end of the trainer would not be seen
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(1)  # threads that find the cores taken spin for one another: ten times the time
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() == trainer:
        watch(project, connection)
    logging.shutdown()
    os._exit(0)  # nothing of the trainer's is to be taken apart
