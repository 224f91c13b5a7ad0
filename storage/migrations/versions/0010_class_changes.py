"""Classes change: what was done to them, and which of them are no longer asked about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("classes", sa.Column("retired", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("classes", sa.Column("description", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "class_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("class_index", sa.Integer(), nullable=False),
        sa.Column("into_index", sa.Integer(), nullable=True),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('rename', 'merge', 'retire', 'add', 'describe', 'undo')", name=op.f("ck_class_changes_kind")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_class_changes_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_changes")),
        sa.UniqueConstraint("key", name=op.f("uq_class_changes_key")),
        sa.UniqueConstraint("undoes", name=op.f("uq_class_changes_undoes")),
    )
    op.create_index(op.f("ix_class_changes_project_id"), "class_changes", ["project_id"], unique=False)
