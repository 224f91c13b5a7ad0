"""Changing what a check constraint allows, on SQLite without a copy of the table."""

from __future__ import annotations

from alembic import op


def replace_check(table: str, name: str, before: str, after: str) -> None:
    """Change a check in place.

    The usual copy of a table on SQLite would drop its triggers, and the foreign keys of other tables refuse to let it
    go. SQLite's documentation allows the change of what is not in the rows.

    Args:
        table: Whose check.
        name: Of the constraint.
        before: Its condition, as it was written.
        after: The condition that takes its place.
    """
    bind = op.get_bind()
    if bind.dialect.name != "sqlite":
        op.drop_constraint(name, table, type_="check")
        op.create_check_constraint(name, table, after)
        return
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema=ON")
    bind.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ?", (before, after, table)
    )
    bind.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema=OFF")
