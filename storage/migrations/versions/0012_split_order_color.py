"""Classes are split, and have a place and a color of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.checks import replace_check

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BEFORE = "('rename', 'merge', 'retire', 'add', 'describe', 'undo')"
AFTER = "('rename', 'merge', 'split', 'retire', 'add', 'describe', 'order', 'color', 'undo')"


def upgrade() -> None:
    op.add_column("classes", sa.Column("position", sa.Integer(), nullable=True))
    op.add_column("classes", sa.Column("color", sa.String(), nullable=False, server_default=""))
    replace_check("class_changes", op.f("ck_class_changes_kind"), f"kind IN {BEFORE}", f"kind IN {AFTER}")
