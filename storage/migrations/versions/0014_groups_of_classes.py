"""A group may be of several classes: each member is said to be of one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("groups", sa.Column("classes", sa.String(), nullable=False, server_default=""))
