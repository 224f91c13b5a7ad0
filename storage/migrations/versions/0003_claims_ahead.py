"""Claims ahead of the screen and by several annotators, how many a query wants, and how a sample was shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("claims") as claims:
        claims.drop_constraint(op.f("uq_claims_sample_id"), type_="unique")
        claims.create_unique_constraint(op.f("uq_claims_sample_id_annotator_id"), ["sample_id", "annotator_id"])
        claims.add_column(sa.Column("seen", sa.Boolean(), nullable=False, server_default=sa.true()))
        claims.add_column(sa.Column("in_grid", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("queries", sa.Column("annotators", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("label_events", sa.Column("shown_together", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("label_events", sa.Column("why_shown", sa.Boolean(), nullable=False, server_default=sa.false()))
