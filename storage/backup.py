"""Backups that were read back before they count, and the check of a live database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

from storage.engine import BUSY_TIMEOUT_MS, Database
from storage.errors import BackupError
from storage.filesystem import make_durable
from storage.library import choose_library

_TIME = "%Y%m%dT%H%M%S_%fZ"
FOLDER = "backups"  # beside the SQLite file
HOURLY = "labelloop"  # how the names of backups begin that later ones replace


def backup(database: Database, *, folder: Path, name: str = HOURLY) -> Path:
    """Write a verified copy of a SQLite database as of now, while others go on writing.

    Args:
        database: The database to copy.
        folder: Where ``<name>-<UTC time>.db`` goes; made if needed.
        name: How the file's name begins.

    Raises:
        BackupError: When no copy could be made, or the copy does not pass its check. None is left behind.
    """
    if database.path is None:
        raise BackupError("a PostgreSQL database is backed up with pg_dump")
    file_name = f"{name}-{datetime.now(timezone.utc):{_TIME}}.db"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _write(database.path, folder / f".{file_name}.part", folder / file_name)
    except (OSError, choose_library().dbapi.Error) as error:
        raise BackupError(str(error)) from error


def _write(source: Path, temporary: Path, final: Path) -> Path:
    try:
        _copy(source, temporary)
        make_durable(temporary)
        temporary.replace(final)
        make_durable(final.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return final


def is_due(folder: Path, *, every: timedelta) -> bool:
    """Say whether no backup was made lately; one from the future counts for nothing, the clock has gone back since."""
    now = datetime.now(timezone.utc)
    return not any(now - every < time_of(made) <= now for made in list_backups(folder))


def list_backups(folder: Path) -> list[Path]:
    """List all backups, newest first."""
    return sorted(folder.glob(f"*-{'[0-9]' * 8}T{'[0-9]' * 6}_*Z.db"), key=time_of, reverse=True)


def time_of(made: Path) -> datetime:
    """Return when a backup was made, which its name says."""
    return datetime.strptime(made.stem.rpartition("-")[2], _TIME).replace(tzinfo=timezone.utc)


def remove_old(folder: Path, *, keep: int) -> None:
    """Delete all but the newest hourly backups, and what a kill left of one; those made before an upgrade stay."""
    hourly = [made for made in list_backups(folder) if made.name.startswith(f"{HOURLY}-")]
    for made in [*hourly[keep:], *folder.glob(f".{HOURLY}-*.part")]:
        made.unlink(missing_ok=True)


def check_integrity(database: Database) -> list[str]:
    """List what is wrong with the database; empty is good (which is no checksum: damaged values can pass)."""
    return [] if database.path is None else check_file(database.path)


def check_file(path: Path) -> list[str]:
    """List what is wrong with a SQLite file."""
    try:
        with _opened(path) as connection:
            return _problems(connection)
    except choose_library().dbapi.Error as error:
        return [str(error)]


def _copy(source: Path, target: Path) -> None:
    with _opened(source) as connection:
        confirmed = _count_events(connection)
        connection.execute("VACUUM INTO ?", (str(target),))
    with _opened(target) as copy:
        problems = _problems(copy)
        if problems:
            raise BackupError(f"the copy is damaged ({problems[0]})")
        if _count_events(copy) < confirmed:
            raise BackupError(f"the copy holds fewer than the {confirmed} label events there are")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a connection of its own: VACUUM cannot run in a session's transaction."""
    uri = f"file:{quote(str(path.resolve()))}?mode=rw"
    connection = choose_library().dbapi.connect(uri, uri=True, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)
    try:
        connection.execute("PRAGMA trusted_schema=OFF")
        yield connection
    finally:
        connection.close()


def _count_events(connection: Any) -> int:  # noqa: ANN401
    return int(connection.execute("SELECT count(*) FROM label_events").fetchone()[0])


def _problems(connection: Any) -> list[str]:  # noqa: ANN401
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    orphans = [f"row {row[1]} of {row[0]} refers to nothing" for row in connection.execute("PRAGMA foreign_key_check")]
    return ([] if found == ["ok"] else found) + orphans
