"""Opening a database that others can trust: damage is noticed before anything is written, an old schema is upgraded."""

from __future__ import annotations

from storage.engine import Database, connect, translated
from storage.errors import DatabaseDamagedError
from storage.schema import upgrade

QUICK_CHECK_BYTES = 268_435_456  # half a second's check


def open_database(url: str) -> Database:
    """Open a database, bring its schema up to date and check that it can be trusted.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql://...``.

    Raises:
        DatabaseUrlError: When the URL cannot be used.
        NetworkFileSystemError: When a SQLite file would lie on a network file system.
        SchemaTooNewError: When a newer LabelLoop has written it.
        DatabaseDamagedError: When it cannot be read.
    """
    database = connect(url)
    try:
        with translated():
            _refuse_damage(database)
            upgrade(database)
    except BaseException:
        database.close()
        raise
    return database


def _refuse_damage(database: Database) -> None:
    """Notice a damaged file before anything is written to it; a larger one is left to doctor and to every backup."""
    path = database.path
    if path is None or not path.is_file() or path.stat().st_size > QUICK_CHECK_BYTES:
        return
    with database.read() as session:
        found = str(session.connection().exec_driver_sql("PRAGMA quick_check(1)").scalar())
    if found != "ok":
        raise DatabaseDamagedError(found)
