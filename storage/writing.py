"""A queue of writes in one process: those that wait for each other share one transaction and one sync.

Thirty people on one server made 43 of 978 saves fail as "busy": threads that wait for SQLite's lock by asking again and
again overtake each other. Here whoever comes first writes what all that wait have brought, each in its own savepoint.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

from storage import journal
from storage.engine import Database, Session
from storage.errors import DatabaseError

T = TypeVar("T")
MOST_TOGETHER = 32  # writes in one transaction, which should stay below 20 ms or so


class _Job(Generic[T]):
    """One write, and what became of it."""

    def __init__(self, work: Callable[[Session], T]) -> None:
        self.work = work
        self.is_done = False
        self.error: BaseException | None = None
        self._values: list[T] = []

    def run(self, session: Session) -> None:
        """Do it in a savepoint; what it refuses is its own affair, what the database refuses is everybody's."""
        lines = journal.noted(session.info)
        before = len(lines)
        try:
            with session.begin_nested():
                self._values.append(self.work(session))
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - kept, and raised again where the write was asked for
            self.error = error
            del journal.noted(session.info)[before:]

    def value(self) -> T:
        """Return what the work returned, or raise what it raised."""
        if self.error is not None:
            raise self.error
        return self._values[-1]


class WriteQueue:
    """Writes of many threads, in the order in which they came."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[_Job[Any]] = deque()
        self._turn = Lock()

    def run(self, work: Callable[[Session], T]) -> T:
        """Do some work in a writing transaction, which it may share with others; return what it returns.

        Raises:
            DatabaseError: As `Database.write`; nothing of the work is stored then, or only not in the journal.
        """
        job = _Job(work)
        self._waiting.append(job)
        with self._turn:
            while not job.is_done:
                self._write_together()
        return job.value()

    def _write_together(self) -> None:
        jobs = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
        try:
            with self._database.write() as session:
                for job in jobs:
                    job.run(session)
        except BaseException as error:  # noqa: BLE001 - each of those that share the transaction is told
            for job in jobs:
                job.error = job.error or error
        finally:
            for job in jobs:
                job.is_done = True
