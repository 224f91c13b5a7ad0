"""Bringing the schema up to date: one transaction, after a verified backup; a newer schema is refused.

Alembic is imported only when there is something to do: the screens must start in a second.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from storage.backup import FOLDER, backup, look_into
from storage.engine import Database
from storage.errors import ForeignDatabaseError, NoDatabaseError, SchemaTooNewError

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0015"  # the newest file of migrations/versions


def upgrade(database: Database, *, create: bool = False) -> None:
    """Upgrade the schema to `HEAD` if it is older.

    Args:
        database: To be upgraded.
        create: Whether an empty database gets its tables.

    Raises:
        NoDatabaseError: When it is empty, and stays so.
        SchemaTooNewError: When the schema is newer than this program.
        ForeignDatabaseError: When the tables are not LabelLoop's.
    """
    with database.read() as session:  # the usual case must not wait for whoever is writing
        if _revision(session.connection(), database) == HEAD:
            return
    with database.connect_to_write() as connection, connection.begin():
        # Asked again inside the writing transaction: another process may have upgraded it meanwhile.
        found = _revision(connection, database)
        if found == HEAD:
            return
        if found is not None:
            _refuse_newer(found)
            _back_up(database)
        elif not create:
            raise NoDatabaseError(database.url.render_as_string(hide_password=True))
        _migrate(connection)


def is_current(database: Database) -> bool:
    """Say whether the schema is this program's."""
    with database.read() as session:
        return _revision(session.connection(), database) == HEAD


def _revision(connection: Connection, database: Database) -> str | None:
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables or "label_events" not in tables:
        raise ForeignDatabaseError(database.url.render_as_string(hide_password=True))
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def _refuse_newer(found: str) -> None:
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if found not in known:
        raise SchemaTooNewError(found=found, newest_known=HEAD)


def _back_up(database: Database) -> None:
    """On a database server backups are the server's own business; a database without a project needs none."""
    if database.path is not None and look_into(database.path) is not None:
        backup(database, folder=database.path.parent / FOLDER, name=f"before-{HEAD}")


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
