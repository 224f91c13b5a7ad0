"""What the tests of the application share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Connection

from storage import schema
from storage.opening import open_database


@pytest.fixture(scope="session", autouse=True)
def _migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new database gets the tables of one that was migrated; five hundred times migrating was half a minute.

    An older one is migrated, and so is a database server's. (The migrations themselves: tests/storage/test_schema.py.)
    """
    url = f"sqlite:///{tmp_path_factory.mktemp('template') / 'labelloop.db'}"
    made_by_migrating = "SELECT sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    with closing(open_database(url)) as template, template.read() as session:
        statements = session.connection().exec_driver_sql(made_by_migrating).scalars().all()
    migrate = schema._migrate

    def fill(connection: Connection) -> None:
        if connection.dialect.name != "sqlite" or connection.exec_driver_sql("SELECT 1 FROM sqlite_master").first():
            migrate(connection)
            return
        for sql in statements:
            connection.exec_driver_sql(sql)
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (schema.HEAD,))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "_migrate", fill)
        yield
