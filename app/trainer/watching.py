"""Watched sources, looked at on a thread of the trainer's process: neither a label nor a fit waits for it."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from app.errors import AppError
from app.formats.errors import ImportingError
from app.project.project import Project
from app.project.watched import Watched, note_outcome, watched_sources
from app.project.watching import SourceWatch
from storage.errors import StorageError

LOOK_S = 3.0  # between two looks
ELSEWHERE_S = 300.0  # likewise, at an address: a listing costs the one who serves it
SHARE = 0.05  # of the time is spent looking, at most: a folder of a million files is looked at less often
PATIENCE_S = 5.0  # for the import that goes on when the trainer ends; what is missing comes in next time

logger = logging.getLogger(__name__)


@dataclass
class _Turn:
    watch: SourceWatch
    due: float = 0.0  # as `time.monotonic` counts


@dataclass
class WatchedSources:
    """Looks at all watched sources of a project while it is entered; one import at a time."""

    project: Project
    stop: threading.Event
    _turns: dict[str, _Turn] = field(default_factory=dict)  # by source

    def __post_init__(self) -> None:
        """A thread that begins when it is entered."""
        self._thread = threading.Thread(target=self._run, name="watched sources", daemon=True)

    def __enter__(self) -> WatchedSources:
        """Begins to look."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Waits for the look that goes on."""
        self.stop.set()
        self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        while not self.stop.is_set():
            self.look()
            self.stop.wait(LOOK_S)

    def look(self) -> None:
        """Looks at each source whose time has come."""
        try:
            named = watched_sources(self.project)
        except AppError as error:
            logger.warning("%s", error)
            return
        self._turns = {one.source: self._turn_of(one) for one in named}
        for watched, turn in zip(named, self._turns.values(), strict=True):
            if time.monotonic() >= turn.due and not self.stop.is_set():
                began = time.monotonic()
                self._look_at(watched, turn.watch)
                ended = time.monotonic()
                least = ELSEWHERE_S if watched.is_elsewhere else LOOK_S
                turn.due = ended + max(least, (ended - began) / SHARE)

    def _turn_of(self, watched: Watched) -> _Turn:
        before = self._turns.get(watched.source)
        return before if before and before.watch.watched == watched else _Turn(SourceWatch(self.project, watched))

    def _look_at(self, watched: Watched, watch: SourceWatch) -> None:
        """The border: whatever a source does, it is said, and the next look tries again."""
        try:
            watch.look()
        except (AppError, ImportingError, StorageError, OSError) as error:
            logger.warning("%s could not be looked at: %s", watched.source, error)
            try:
                note_outcome(self.project, watched, trouble=f"{error}")
            except OSError:
                logger.exception("nor could that be noted")
