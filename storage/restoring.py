"""Bringing a damaged or lost database back: from what of it is sound, from a backup, or from the journal alone.

What holds the most label events is taken as it is; the rest comes from the label journal, which has them all.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from sqlalchemy import select

from storage import journal
from storage.backup import BackupInfo, check_file, check_integrity, list_backups, look_into
from storage.engine import Database, connect, sqlite_url
from storage.errors import DatabaseError, RestoreError
from storage.filesystem import make_durable
from storage.journal import Entry
from storage.models import Project
from storage.replay import Replayed, replay
from storage.schema import upgrade

SIDE_FILES = ("-wal", "-shm", "-journal")  # SQLite's; those of the damaged file would be applied to the restored one


@dataclass(frozen=True)
class Restored:
    """What a restored database was put together from."""

    backup: Path | None  # None: the journal alone, or the database itself
    from_journal: int  # label events that nothing else had
    damaged_lines: int  # of the journal; what they held is lost unless the rest has it
    set_aside: Path | None  # the database that was there, or None where there was none
    was_whole: bool = False  # the database itself was sound
    put_back: str = ""  # what nothing else had, in words


def restore(path: Path, *, backups: Path) -> Restored:
    """Put a database together from the best there is and the journal beside it, and set the old one aside.

    Nobody may have the database open. Everything is made and checked under another name first.

    Raises:
        RestoreError: When there is neither a sound database, nor a backup, nor a journal of this project, or what was
            put together is not sound. Nothing is changed then.
    """
    content = journal.read(path.with_name(journal.NAME))
    made = path.with_name(f".{path.name}.restored")
    _remove(made)
    try:
        live = _copy_of_live(path, made)
        found = _best([live, *_sound(backups)], _own_identity(content.entries))
        if found is None or found is not live:
            _remove(made)
        if found is not None and found is not live:
            shutil.copyfile(found.path, made)
        replayed = _complete(made, content.entries)
        damaged, is_live = content.damaged + replayed.unusable, found is not None and found is live
        if is_live and not replayed.sentence:
            return Restored(None, 0, damaged, None, was_whole=True)
        set_aside = _replace(path, made, aside="before-restore" if is_live else "damaged")
    finally:
        _remove(made)
    backup = None if found is None or is_live else found.path
    return Restored(backup, replayed.events, damaged, set_aside, is_live, replayed.sentence)


def _copy_of_live(path: Path, made: Path) -> BackupInfo | None:
    """Copy the database with its log, and look at the copy: to look at a damaged file may change it."""
    if not path.is_file():
        return None
    for suffix in ("", "-wal"):
        file = path.with_name(path.name + suffix)
        if file.is_file():
            shutil.copyfile(file, made.with_name(made.name + suffix))
    return None if check_file(made) else look_into(made)


def can_rebuild(path: Path, *, backups: Path) -> bool:
    """Say whether a database that is gone, or holds nothing, can be put together again."""
    own = _own_identity(journal.read(path.with_name(journal.NAME)).entries)
    return own is not None or any(look_into(made) for made in list_backups(backups))


def _own_identity(entries: Iterable[Entry]) -> str | None:
    """The project a journal is about, as `BackupInfo` names it; None where it does not say."""
    for entry in entries:
        known = journal.project_of(entry)
        if known is not None:
            return f"{known:%Y-%m-%d %H:%M:%S.%f}"
    return None


def _sound(folder: Path) -> list[BackupInfo | None]:
    return [None if check_file(made) else look_into(made) for made in list_backups(folder)]


def _best(candidates: list[BackupInfo | None], own: str | None) -> BackupInfo | None:
    """The one with the most label events, the first of equals; of the journal's project, where that is known.

    Raises:
        RestoreError: When there is none, and no journal that says what project it is about.
    """
    known = [info for info in candidates if info is not None and own in (None, info.project)]
    if not known and own is None:
        raise RestoreError(
            "there is no sound backup and no label journal that names its project, and the database is not sound either"
        )
    return max(known, key=lambda info: info.events, default=None)


def _complete(made: Path, entries: Iterable[Entry]) -> Replayed:
    try:
        database = connect(sqlite_url(made), create=True)
        try:
            upgrade(database, create=True)
            with database.write() as session:
                replayed = replay(session, entries)
            problems = _problems(database)
        finally:
            database.close()
    except DatabaseError as error:
        raise RestoreError(f"what there is could not be completed from the journal ({error})") from error
    if problems:
        raise RestoreError(f"what was put together is not sound ({problems[0]})")
    make_durable(made)
    return replayed


def _problems(database: Database) -> list[str]:
    with database.read() as session:
        has_project = session.scalar(select(Project.id).limit(1)) is not None
    return check_integrity(database) if has_project else ["it holds no project"]


def _replace(path: Path, made: Path, *, aside: str) -> Path | None:
    """Set the database that was there aside, with SQLite's files beside it, and put the restored one in its place."""
    set_aside = path.with_name(f"{path.stem}-{aside}-{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}{path.suffix}")
    there = path.exists()
    for suffix in (*SIDE_FILES, ""):
        file = path.with_name(path.name + suffix)
        if file.exists():
            file.rename(set_aside.with_name(set_aside.name + suffix))
    made.rename(path)
    make_durable(path.parent)
    return set_aside if there else None


def _remove(made: Path) -> None:
    for suffix in ("", *SIDE_FILES):
        made.with_name(made.name + suffix).unlink(missing_ok=True)
