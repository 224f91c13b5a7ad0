"""Wrong suggestions, shown on purpose to measure who accepts them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("label_events", sa.Column("seeded_suggestion", sa.Integer(), nullable=True))
