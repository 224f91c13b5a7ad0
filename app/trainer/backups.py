"""Hourly backups of the project's SQLite database; each was read back before it counts, and the last day's are kept."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from pathlib import Path

from storage.backup import FOLDER, backup, is_due, remove_old
from storage.engine import Database
from storage.errors import BackupError

EVERY = timedelta(hours=1)
KEPT = 24
LOOK_S = 300.0  # between two looks whether one is due; also before the next try after one that failed
PATIENCE_S = 5.0  # for the one being made when the trainer ends; what is left of it is removed next time

logger = logging.getLogger(__name__)


class HourlyBackups:
    """Makes backups on a thread of its own while it is entered: a fit may take longer than an hour."""

    def __init__(self, database: Database, stop: threading.Event) -> None:
        self._database = database
        self._stop = stop
        self._thread = threading.Thread(target=self._run, name="backups", daemon=True)

    def __enter__(self) -> HourlyBackups:
        """Begins with one at once, unless there is a young one; a database server is backed up by its own tools."""
        if self._database.path is not None:
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Waits for the one that is being made."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        assert self._database.path is not None
        folder = self._database.path.parent / FOLDER
        while True:
            back_up_if_due(self._database, folder)
            if self._stop.wait(LOOK_S):
                return


def back_up_if_due(database: Database, folder: Path) -> None:
    """Makes a backup if there is none of the last hour, and then removes those that are too many.

    A full disk or a damaged database fails it: that is logged, and labeling and training go on.
    """
    try:
        if is_due(folder, every=EVERY):
            logger.info("backup made: %s", backup(database, folder=folder))
            remove_old(folder, keep=KEPT)
    except (BackupError, OSError):
        logger.exception("the hourly backup was not made")
