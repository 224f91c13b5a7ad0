"""What a process held and what was free when it was last looked at, before it ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("endings", sa.Column("held_bytes", sa.BigInteger(), nullable=True))
    op.add_column("endings", sa.Column("free_bytes", sa.BigInteger(), nullable=True))
