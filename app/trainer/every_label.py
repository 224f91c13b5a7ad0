"""Every label ranks anew, on a thread of its own: whatever else the trainer does goes on beside it."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from dataclasses import dataclass, field

import numpy as np

from app.trainer.re_ranking import ReRanker
from app.trainer.workbench import Workbench
from storage.changes import Changes
from storage.engine import Database
from storage.trainer import record_error

LOOK_S = 0.005  # between two looks whether anybody has written: the queue moves before the next label is given
SWITCH_S = 0.0005  # after which another thread lets go of Python's lock; ten times as long is Python's own choice
LONGEST_GOODBYE_S = 10.0  # then the process ends with the thread in it; a ranking is one transaction

logger = logging.getLogger(__name__)


@dataclass
class EveryLabel:
    """Watches for labels, and re-ranks on the workbench it was given last.

    A fit, a pass over the pool or a cross-validation may take a minute on the trainer's own thread. Between their
    batches a label waited .2 s and more, and where there are no batches as long as that took. The thread draws nothing
    from torch's random numbers, so a round gives what it would give alone.

    Args:
        database: Is read, and gets the rankings.
        stop: Set: the trainer should end.
    """

    database: Database
    stop: threading.Event
    failure: Exception | None = None  # what ended the thread; the trainer ends of it too
    _re_ranker: ReRanker | None = None
    _given_up: ReRanker | None = None  # it failed
    _thread: threading.Thread = field(init=False)

    @property
    def sentence(self) -> str:
        """Which learner is in force, and why; empty before it is known."""
        return "" if self._re_ranker is None else self._re_ranker.sentence

    def take(self, bench: Workbench, *, anew: bool = False) -> None:
        """From now on labels are ranked on this workbench; after a failure this is another attempt.

        What is known already is kept if nothing changed: to take a large graph from disk takes half a second.

        Args:
            bench: The project as it is now.
            anew: The pool has grown: the queue is ranked once more, without a new label.
        """
        before = self._re_ranker
        if anew or before is None or before is self._given_up or not _is_as(bench, before.bench):
            self._re_ranker = ReRanker(bench, anew=anew)

    def __enter__(self) -> EveryLabel:
        """Starts watching."""
        sys.setswitchinterval(SWITCH_S)
        self._thread = threading.Thread(target=self._run, name="every label", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Waits for the ranking in hand."""
        self.stop.set()
        self._thread.join(LONGEST_GOODBYE_S)

    def _run(self) -> None:
        try:
            self._watch()
        except Exception as error:  # noqa: BLE001 - kept, and raised again by the trainer's own thread
            self.failure = error
            self.stop.set()

    def _watch(self) -> None:
        looked_by = None
        with Changes(self.database) as changes:
            while not self.stop.wait(LOOK_S):
                re_ranker, changed = self._re_ranker, changes.since_last_look()
                if re_ranker is not self._given_up and (changed or re_ranker is not looked_by):
                    looked_by = re_ranker
                    self._look(re_ranker)

    def _look(self, re_ranker: ReRanker | None) -> None:
        if re_ranker is None:
            return
        try:
            re_ranker.look()
        except Exception as error:  # the border: recorded, shown, and not tried again before the next round
            logger.exception("re-ranking failed")
            self._given_up = re_ranker
            self._record(re_ranker.bench, error)

    def _record(self, bench: Workbench, error: Exception) -> None:
        with self.database.write() as session:
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
        (bench.settings, bench.spec, bench.num_classes) == (before.settings, before.spec, before.num_classes)
        and len(bench.store) == len(before.store)
        and np.array_equal(bench.pool.ids, before.pool.ids)
    )
