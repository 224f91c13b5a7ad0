"""Suspected labels: what models that never saw a label think it should be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "suspects",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("given_index", sa.Integer(), nullable=False),
        sa.Column("suggested_index", sa.Integer(), nullable=False),
        sa.Column("suspicion", sa.Double(), nullable=False),
        sa.CheckConstraint("suspicion BETWEEN 0 AND 1", name=op.f("ck_suspects_suspicion")),
        sa.CheckConstraint("given_index <> suggested_index", name=op.f("ck_suspects_contradiction")),
        sa.ForeignKeyConstraint(["event_id"], ["label_events.id"], name=op.f("fk_suspects_event_id")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_suspects_round_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_suspects_sample_id")),
        sa.PrimaryKeyConstraint("round_id", "sample_id", name=op.f("pk_suspects")),
    )
