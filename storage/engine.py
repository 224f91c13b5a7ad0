"""One database, two engines: one that reads and one that writes, each with its own BEGIN.

Ten processes doing 200 read-modify-writes each lost 1,637 of 2,000 with SQLAlchemy's default transactions and none
with BEGIN IMMEDIATE; see docs/decisions/0001-sqlite-transactions.md.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from storage import journal
from storage.errors import (
    DatabaseBusyError,
    DatabaseDamagedError,
    DatabaseError,
    DatabaseReadOnlyError,
    DatabaseReplacedError,
    DatabaseUnavailableError,
    DatabaseUrlError,
    DiskFullError,
    NoDatabaseError,
)
from storage.filesystem import file_at, refuse_network_file_system
from storage.library import SqliteLibrary, choose_library

__all__ = ["Database", "Session", "connect"]

BUSY_TIMEOUT_MS = 15_000
COUNTED = "counted"  # in a reading session's info: what was counted of rows that are only ever added
JOURNAL_SIZE_LIMIT = 67_108_864  # bytes
_ONE_WRITER = "SELECT pg_advisory_xact_lock(hashtext('labelloop'))"


class Database:
    """One database, read and written through separate engines; safe to share between threads, not over a fork.

    ``recovered`` says, as a sentence, what was put back when it was opened; empty where nothing was lost.
    """

    def __init__(self, url: URL, *, reading: Engine, writing: Engine | None, library: str, journal_mode: str) -> None:
        self.url = url
        self.library = library
        self.journal_mode = journal_mode
        self._reading = reading
        self._writing = writing
        self._counted: dict[object, object] = {}
        self.recovered = ""
        self._place = self.path and self.path.absolute()
        self._file = self._place and file_at(self._place)
        self._turn = Lock()  # of this process's writers: SQLite lets those that wait overtake each other

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None for a database server."""
        return Path(self.url.database) if is_sqlite(self.url) and self.url.database else None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a snapshot that cannot write; it knows what earlier ones have counted.

        Raises:
            DatabaseReplacedError: When another file is in the place of the one that was opened.
        """
        with translated(), Session(self._reading, autoflush=False, expire_on_commit=False) as session, session.begin():
            session.info[COUNTED] = self._counted
            session.connection()
            self._check_in_place()
            yield session

    def _check_in_place(self) -> None:
        """A file that was replaced is still there for whoever holds it open, and what is written to it is lost."""
        if self._place and file_at(self._place) != self._file:
            raise DatabaseReplacedError(str(self._place))

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open the one writing transaction of a user action: committed at the end, rolled back on any error.

        Keep it under 20 ms: no image, no model, no screen call inside; other writers wait. Label events are also in
        the journal when it returns.

        Raises:
            DatabaseReplacedError: When another file is in the place of the one that was opened.
            JournalError: When the transaction is stored, but its label events are not safely in the journal.
        """
        if self._writing is None:
            raise DatabaseReadOnlyError("it was opened to be read")
        with self._turn, translated(), Session(self._writing, expire_on_commit=False) as session:
            with session.begin():
                session.connection()  # BEGIN IMMEDIATE now, so that everything read below is still true at the commit
                self._check_in_place()
                yield session
            lines = journal.noted(session.info)
            if lines and self.path is not None:
                journal.append(self.path.with_name(journal.NAME), lines)

    def connect_to_write(self) -> Connection:
        """Open a connection for migrations and backups, which need more than a session."""
        if self._writing is None:
            raise DatabaseReadOnlyError("it was opened to be read")
        self._check_in_place()
        return self._writing.connect()

    def close(self) -> None:
        """Close all pooled connections."""
        self._reading.dispose()
        if self._writing is not None:
            self._writing.dispose()


def connect(url: str, *, create: bool = False) -> Database:
    """Make the two engines without looking at the schema.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql://...``.
        create: Whether a SQLite file that is not there is made.

    Raises:
        NoDatabaseError: When there is no such file, and none is to be made.
    """
    parsed = parse(url)
    return _connect_sqlite(parsed, create=create) if is_sqlite(parsed) else _connect_postgresql(parsed)


def connect_to_read(url: URL) -> Database:
    """Make the reading engine of a SQLite file alone; nothing is written, neither to the file nor beside it."""
    library = choose_library()
    reading = _sqlite_engine(url, library, begin="BEGIN", query_only=True, mode="ro")
    return Database(url, reading=reading, writing=None, library=library.title, journal_mode=library.journal_mode)


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file, whatever letters its path has."""
    return f"sqlite:///{quote(str(path))}"


def is_sqlite(url: URL) -> bool:
    """Say whether a URL names a SQLite file."""
    return url.get_backend_name() == "sqlite"


def parse(url: str) -> URL:
    """Read a database's URL.

    Raises:
        DatabaseUrlError: When it cannot be used. An unreadable one is not repeated: it may hold a password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        reason = "it is no URL; write sqlite:///PATH or postgresql://USER@HOST/NAME"
        raise DatabaseUrlError("that was given", reason) from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    shown = parsed.render_as_string(hide_password=True)
    if backend != "sqlite":
        raise DatabaseUrlError(shown, f"LabelLoop works with sqlite and postgresql, not with {backend}")
    if not parsed.database or parsed.database == ":memory:":
        raise DatabaseUrlError(shown, "screens and trainer share a file; a database in memory cannot be shared")
    return parsed


def _connect_sqlite(url: URL, *, create: bool) -> Database:
    path = Path(url.database or "")
    if not path.parent.is_dir():
        raise DatabaseUrlError(str(path), f"there is no folder {path.parent}")
    refuse_network_file_system(path)
    if not create and not path.is_file():
        raise NoDatabaseError(str(path))
    library = choose_library()
    mode = "rwc" if create else "rw"
    with translated():
        _settle_journal_mode(url, library, mode)
    reading = _sqlite_engine(url, library, begin="BEGIN", query_only=True, mode=mode)
    writing = _sqlite_engine(url, library, begin="BEGIN IMMEDIATE", query_only=False, mode=mode)
    return Database(url, reading=reading, writing=writing, library=library.title, journal_mode=library.journal_mode)


def _sqlite_engine(url: URL, library: SqliteLibrary, *, begin: str, query_only: bool, mode: str) -> Engine:
    opened = _opener(url, library, mode)
    engine = create_engine(url, module=library.dbapi, creator=opened, pool_size=10, max_overflow=40)
    event.listen(engine, "connect", partial(_set_pragmas, library, query_only))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _opener(url: URL, library: SqliteLibrary, mode: str) -> Callable[[], Any]:
    """SQLite makes a file that is not there, unless it is told not to; and a path may hold any sign."""
    uri = f"file:{quote(str(Path(url.database or '').absolute()))}?mode={mode}"
    return lambda: library.dbapi.connect(uri, uri=True, check_same_thread=False)


def _set_pragmas(library: SqliteLibrary, query_only: bool, connection: Any, _record: object) -> None:  # noqa: ANN401
    connection.isolation_level = None  # the driver must not begin transactions of its own
    _pragma(connection, "busy_timeout", BUSY_TIMEOUT_MS)
    _pragma(connection, "synchronous", "FULL")
    _pragma(connection, "foreign_keys", "ON")
    if _pragma(connection, "foreign_keys") != 1:  # silently ignored inside a transaction
        raise DatabaseError(f"SQLite ({library.title}) does not enforce foreign keys.")
    _pragma(connection, "journal_size_limit", JOURNAL_SIZE_LIMIT)
    _pragma(connection, "trusted_schema", "OFF")
    if query_only:
        _pragma(connection, "query_only", "ON")


def _settle_journal_mode(url: URL, library: SqliteLibrary, mode: str) -> None:
    """Bring the file into the library's journal mode, which stays in it.

    Switching needs the file alone for a moment and ignores busy_timeout, and a connection that has looked at a WAL
    file holds it until it is closed: first starts that all kept theirs open would wait for each other for ever.
    """
    alone = create_engine(url, module=library.dbapi, creator=_opener(url, library, mode), poolclass=NullPool)
    wanted = library.journal_mode
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while _try_journal_mode(alone, wanted) != wanted:
        if time.monotonic() > deadline:
            raise DatabaseBusyError(f"{library.title} needs journal mode {wanted}, and another program holds the file")
        time.sleep(random.uniform(0.005, 0.05))


def _try_journal_mode(alone: Engine, wanted: str) -> str:
    try:
        with alone.connect() as connection:
            return str(connection.exec_driver_sql(f"PRAGMA journal_mode={wanted}").scalar()).lower()
    except OperationalError as error:
        if "locked" not in str(error.orig):
            raise
        return "locked"


def _pragma(connection: Any, name: str, value: object = None) -> Any:  # noqa: ANN401
    row = connection.execute(f"PRAGMA {name}" + ("" if value is None else f"={value}")).fetchone()
    return row[0] if row else None


def _connect_postgresql(url: URL) -> Database:
    try:
        reading, writing = (create_engine(url, pool_pre_ping=True) for _ in range(2))
    except ModuleNotFoundError as error:
        shown = url.render_as_string(hide_password=True)
        raise DatabaseUrlError(shown, "install 'labelloop[postgresql]'") from error
    # One writer at a time, as with BEGIN IMMEDIATE: what a transaction has read is still true at its commit.
    event.listen(writing, "begin", lambda connection: connection.exec_driver_sql(_ONE_WRITER))
    # One snapshot for all queries of a read, as SQLite's BEGIN gives it.
    reading = reading.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Database(url, reading=reading, writing=writing, library="psycopg", journal_mode="server")


@contextmanager
def translated() -> Iterator[None]:
    """Turn the drivers' errors into ours, once, here; mistakes in our SQL stay as they are."""
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated:  # the server was stopped or started anew; the next try gets a new connection
            raise DatabaseUnavailableError(str(error.orig).strip()) from error
        translated = _translate(str(error.orig), type(error.orig).__name__)
        if translated is None:
            raise
        raise translated from error


def _translate(message: str, kind: str) -> DatabaseError | None:
    for part, make in _TRANSLATIONS.items():
        if part in message:
            return make(message)
    if kind == "DatabaseError":  # SQLite's class for damage; its relatives have subclasses of their own
        return DatabaseDamagedError(message)
    return None


_TRANSLATIONS: dict[str, Callable[[str], DatabaseError]] = {
    "disk is full": lambda _: DiskFullError(),
    "No space left": lambda _: DiskFullError(),
    "is locked": lambda _: DatabaseBusyError(),
    "malformed": DatabaseDamagedError,
    "not a database": DatabaseDamagedError,
    "readonly database": DatabaseReadOnlyError,
    "unable to open database": DatabaseReadOnlyError,
    "disk I/O error": lambda reason: DatabaseUnavailableError(f"{reason}: the disk is full, or failing"),
    "connection failed": DatabaseUnavailableError,
    "server closed the connection": DatabaseUnavailableError,
}
