"""All rows of one database into another, empty one: from SQLite to a server and back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, insert, select, text

from storage import journal
from storage.engine import Database, Session, is_sqlite, parse
from storage.errors import DatabaseDamagedError, DatabaseNotEmptyError, ForeignDatabaseError, JournalThereError
from storage.models import Base, JournalMark, Project
from storage.opening import create_database

AT_ONCE = 1_000  # rows

_OF_THIS_FILE = (JournalMark.__tablename__,)  # about a journal that stays where it is


def copy_database(source: Database, target_url: str) -> dict[str, int]:
    """Copy every row, in one transaction of the target.

    Args:
        source: Is read.
        target_url: A file that is not there yet, or a server's database that holds no project.

    Returns:
        Rows by table, as they were counted in the target afterwards.

    Raises:
        DatabaseNotEmptyError: When the target holds a project.
        ForeignDatabaseError: When it is a file of something else.
        JournalThereError: When the label journal of another database lies where the new file would have its own.
    """
    with closing(_made(target_url)) as target, source.read() as reading, target.write() as writing:
        if writing.scalar(select(func.count()).select_from(Project)):
            raise DatabaseNotEmptyError
        tables = [table for table in Base.metadata.sorted_tables if table.name not in _OF_THIS_FILE]
        for table in tables:
            _copy(reading, writing, table)
        _go_on_counting(writing, tables)
        return {table.name: writing.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def _made(target_url: str) -> Database:
    url = parse(target_url)
    if is_sqlite(url) and not (path := Path(url.database or "")).exists() and path.with_name(journal.NAME).exists():
        raise JournalThereError(path.parent)  # or it would be put into the new file, and be the journal of both
    try:
        return create_database(target_url)
    except DatabaseDamagedError as error:  # a file that is there, and no project's whose labels could be restored
        raise ForeignDatabaseError(repr(url)) from error  # a password is not shown by it


def _copy(reading: Session, writing: Session, table: Table) -> None:
    keys = list(table.primary_key.columns)
    rows = reading.execute(select(table).order_by(*keys)).mappings()
    for part in rows.partitions(AT_ONCE):
        writing.execute(insert(table), [_plain(row) for row in part])


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def _go_on_counting(session: Session, tables: list[Table]) -> None:
    """A server counts ids by itself, and would begin with 1."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for table in tables:
        if "id" in table.columns and table.columns["id"].autoincrement is not False:
            highest = session.scalar(select(func.max(table.columns["id"])))
            if highest is not None:
                said = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :highest)")
                session.execute(said, {"name": table.name, "highest": highest})
