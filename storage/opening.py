"""Opening a database that others can trust.

Damage is noticed before anything is written, an old schema is upgraded, and what the label journal has and the database
has not is put back. Only making a project makes a database; one that was lost is put together again.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock
from sqlalchemy import URL

from storage import journal
from storage.backup import FOLDER, check_file, look_into
from storage.engine import Database, connect, connect_to_read, is_sqlite, parse, sqlite_url, translated
from storage.errors import DatabaseDamagedError, DatabaseReadOnlyError, DatabaseUnavailableError, NoDatabaseError
from storage.replay import Replayed
from storage.restoring import Restored, can_rebuild, restore
from storage.schema import is_current, upgrade
from storage.settling import settle

QUICK_CHECK_BYTES = 268_435_456  # half a second's check
SMALLEST_PROJECT = 1_000_000  # bytes; a database of this size is not one that was made by mistake
REBUILD_PATIENCE_S = 300.0
_REBUILT = "The database was gone and was put together again from {}; {:,} label events came from the label journal."


def create_database(url: str) -> Database:
    """Make a database, or open the one an interrupted try has left.

    Raises:
        DatabaseError: As `open_database`.
    """
    return _opened(connect(url, create=True), create=True)


def open_database(url: str) -> Database:
    """Open a database to be written: its schema brought up to date, checked, and settled with its journal.

    Its ``recovered`` says what was put back.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql://...``.

    Raises:
        DatabaseUrlError: When the URL cannot be used.
        NoDatabaseError: When there is none, and nothing to put one together from.
        NetworkFileSystemError: When a SQLite file would lie on a network file system.
        SchemaTooNewError: When a newer LabelLoop has written it.
        DatabaseDamagedError: When it cannot be read.
        ForeignJournalError: When the journal beside it is another project's.
    """
    parsed = parse(url)
    rebuilt = _rebuild_if_gone(Path(parsed.database or "")) if is_sqlite(parsed) else None
    database = _opened(connect(url), create=False)
    if rebuilt is not None:
        source = rebuilt.backup.name if rebuilt.backup else "the label journal alone"
        database.recovered = _REBUILT.format(source, rebuilt.from_journal)
    return database


@contextmanager
def opened_to_read(url: str) -> Iterator[Database]:
    """Open a database where nothing can be written, or must not be: a copy of it where SQLite needs to write.

    Raises:
        DatabaseError: As `open_database`; nothing is upgraded or put back.
    """
    parsed = parse(url)
    with tempfile.TemporaryDirectory(prefix="labelloop-") as folder:
        database = _reading(parsed, Path(folder)) if is_sqlite(parsed) else _opened(connect(url), create=False)
        try:
            yield database
        finally:
            database.close()


def _reading(url: URL, folder: Path) -> Database:
    path = Path(url.database or "")
    if not path.is_file():
        raise NoDatabaseError(str(path))
    database = connect_to_read(url)
    try:
        with translated():
            is_readable = is_current(database)
    except (DatabaseUnavailableError, DatabaseReadOnlyError):  # a write-ahead log is read by writing beside it
        is_readable = False
    except BaseException:
        database.close()
        raise
    if is_readable:
        return database
    database.close()
    return _reading_a_copy(path, folder)


def _reading_a_copy(path: Path, folder: Path) -> Database:
    """Whatever must be written is written to the copy: the log is taken in, the schema upgraded."""
    try:
        for suffix in ("", "-wal"):
            file = path.with_name(path.name + suffix)
            if file.is_file():
                shutil.copyfile(file, folder / file.name)
        (folder / journal.NAME).symlink_to(path.with_name(journal.NAME).absolute())
    except OSError as error:
        raise DatabaseUnavailableError(error.strerror or str(error)) from error
    copy = connect(sqlite_url(folder / path.name))
    try:
        with translated():
            _refuse_damage(copy)
            upgrade(copy)
    finally:
        copy.close()
    return connect_to_read(copy.url)


def _rebuild_if_gone(path: Path) -> Restored | None:
    """Put a database together that is gone, or was made anew without its project; several processes may try at once."""
    backups = path.parent / FOLDER
    if not path.parent.is_dir() or not _is_gone(path) or not can_rebuild(path, backups=backups):
        return None
    with FileLock(path.with_name(f".{path.name}.lock"), timeout=REBUILD_PATIENCE_S):
        return restore(path, backups=backups) if _is_gone(path) else None


def _is_gone(path: Path) -> bool:
    """Whether there is no file, or one that holds no project; a damaged one is there, and is told so elsewhere."""
    if not path.is_file():
        return True
    return path.stat().st_size < SMALLEST_PROJECT and look_into(path) is None and not check_file(path)


def _opened(database: Database, *, create: bool) -> Database:
    try:
        with translated():
            _refuse_damage(database)
            upgrade(database, create=create)
            database.recovered = _sentence(settle(database))
    except BaseException:
        database.close()
        raise
    return database


def _sentence(put_back: Replayed) -> str:
    told = put_back.sentence
    return f"{told} that the database had lost were put back from the label journal." if told else ""


def _refuse_damage(database: Database) -> None:
    """Notice a damaged file before anything is written to it; a larger one is left to doctor and to every backup."""
    path = database.path
    if path is None or not path.is_file() or path.stat().st_size > QUICK_CHECK_BYTES:
        return
    with database.read() as session:
        found = str(session.connection().exec_driver_sql("PRAGMA quick_check(1)").scalar())
    if found != "ok":
        raise DatabaseDamagedError(found)
