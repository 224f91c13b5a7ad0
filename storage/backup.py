"""Backups that were read back before they count, and the check of a live database.

Their order is that of the label events they hold, never of the clock: a day spent in another year changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

from storage.engine import BUSY_TIMEOUT_MS, Database
from storage.errors import BackupError
from storage.filesystem import make_durable
from storage.library import choose_library

_TIME = "%Y%m%dT%H%M%S_%fZ"
_NUMBERED = re.compile(r"-(?P<number>\d{6,})-e(?P<events>\d{9,})-[^-]*$")
FOLDER = "backups"  # beside the SQLite file
HOURLY = "labelloop"  # how the names of backups begin that later ones replace


def backup(database: Database, *, folder: Path, name: str = HOURLY) -> Path:
    """Write a verified copy of a SQLite database as of now, while others go on writing.

    Args:
        database: The database to copy.
        folder: Where ``<name>-<number>-e<label events>-<UTC time>.db`` goes; made if needed.
        name: How the file's name begins.

    Raises:
        BackupError: When no copy could be made, the copy does not pass its check, it holds no project, or it is one of
            the hourly ones and a backup of this project holds more label events. None is left behind.
    """
    if database.path is None:
        raise BackupError("a PostgreSQL database is backed up with pg_dump")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _write(database.path, folder, name)
    except (OSError, choose_library().dbapi.Error) as error:
        raise BackupError(str(error)) from error


def _write(source: Path, folder: Path, name: str) -> Path:
    temporary = folder / f".{name}-{datetime.now(timezone.utc):{_TIME}}.db.part"
    try:
        held = _copy(source, temporary)
        newest = _newest_of(held.project, folder) if name == HOURLY else None
        if newest is not None and newest.events > held.events:
            raise BackupError(
                f"the database holds {held.events:,} label events, and {newest.path.name} has {newest.events:,}; "
                "'labelloop restore' puts both together"
            )
        number = max((number_of(made) for made in list_backups(folder)), default=0) + 1
        final = folder / f"{name}-{number:06d}-e{held.events:09d}-{datetime.now(timezone.utc):{_TIME}}.db"
        make_durable(temporary)
        temporary.replace(final)
        make_durable(folder)
    finally:
        temporary.unlink(missing_ok=True)
    return final


def _newest_of(project: str, folder: Path) -> BackupInfo | None:
    made = (look_into(path) for path in list_backups(folder))
    return next((info for info in made if info is not None and info.project == project), None)


def is_due(folder: Path, *, every: timedelta) -> bool:
    """Say whether no backup was made lately; one from the future counts for nothing, the clock has gone back since."""
    now = datetime.now(timezone.utc)
    return not any(now - every < time_of(made) <= now for made in list_backups(folder))


@dataclass(frozen=True)
class BackupInfo:
    """What a database file holds."""

    path: Path
    project: str  # when the first project was made, which is its identity: a name may be given twice
    events: int  # label events


def look_into(path: Path) -> BackupInfo | None:
    """Say what a database file holds; None when it cannot be read, or holds no project."""
    try:
        with _opened(path, mode="ro") as connection:
            return _held(connection, path)
    except choose_library().dbapi.Error:
        return None


def _held(connection: Any, path: Path) -> BackupInfo | None:  # noqa: ANN401
    project = connection.execute("SELECT created_at FROM projects ORDER BY id LIMIT 1").fetchone()
    return BackupInfo(path, str(project[0]), _count_events(connection)) if project else None


def list_backups(folder: Path) -> list[Path]:
    """List all backups, those with the most label events first, and of these the one made last."""
    made = folder.glob(f"*-{'[0-9]' * 8}T{'[0-9]' * 6}_*Z.db")
    return sorted(made, key=lambda path: (events_of(path), number_of(path)), reverse=True)


def events_of(made: Path) -> int:
    """Return how many label events a backup holds: its name says it, that of an earlier version does not."""
    named = _NUMBERED.search(made.stem)
    if named is not None:
        return int(named["events"])
    info = look_into(made)
    return info.events if info else 0


def number_of(made: Path) -> int:
    """Return the how manieth backup this is; 0 for one of an earlier version."""
    named = _NUMBERED.search(made.stem)
    return int(named["number"]) if named is not None else 0


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


def _copy(source: Path, target: Path) -> BackupInfo:
    with _opened(source) as connection:
        confirmed = _count_events(connection)
        connection.execute("VACUUM INTO ?", (str(target),))
    with _opened(target) as copy:
        problems = _problems(copy)
        if problems:
            raise BackupError(f"the copy is damaged ({problems[0]})")
        if _count_events(copy) < confirmed:
            raise BackupError(f"the copy holds fewer than the {confirmed} label events there are")
        held = _held(copy, target)
        if held is None:
            raise BackupError("the database holds no project")
        return held


@contextmanager
def _opened(path: Path, *, mode: str = "rw") -> Iterator[Any]:
    """Open a connection of its own: VACUUM cannot run in a session's transaction."""
    uri = f"file:{quote(str(path.resolve()))}?mode={mode}"
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
