"""Kinds of samples: what a project's samples are, and the content of those that are in no file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("projects", sa.Column("kind", sa.String(), nullable=False, server_default="image"))
    op.add_column("samples", sa.Column("content", sa.String(), nullable=True))
