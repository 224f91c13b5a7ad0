"""Whether anybody has written to the database: a look so cheap that it can be taken two hundred times a second."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import Any

from storage.engine import Database, is_sqlite

_SERVER_PAUSE_S = 0.03  # a server is not asked: now and then the answer is that somebody may have written


class Changes(AbstractContextManager["Changes"]):
    """Watches for writes of other connections, this process's own too; it holds one, and opens no transaction.

    Used from one thread.

    Args:
        database: Is read only.
    """

    def __init__(self, database: Database) -> None:
        self._connection = database.connect_to_write() if is_sqlite(database.url) else None
        self._seen: int | None = None
        self._looked_at = -_SERVER_PAUSE_S

    def since_last_look(self) -> bool:
        """Whether somebody has written, or may have, since this was asked before; true at first."""
        if self._connection is None:
            due = time.monotonic() - self._looked_at >= _SERVER_PAUSE_S
            self._looked_at = time.monotonic() if due else self._looked_at
            return due
        before, self._seen = self._seen, self._version()
        return self._seen != before

    def _version(self) -> int:
        assert self._connection is not None
        # Past SQLAlchemy, which would begin a transaction, and in that the version stands still.
        driver: Any = self._connection.connection.dbapi_connection
        return int(driver.execute("PRAGMA data_version").fetchone()[0])

    def __exit__(self, *_: object) -> None:
        """Gives the connection back."""
        if self._connection is not None:
            self._connection.close()
