"""Who asked, whose page holds a sample, who an account is, how far the journal is in, and how a process ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("queries", "label_events"):
        op.add_column(table, sa.Column("predictor", sa.String()))
        op.add_column(table, sa.Column("predictor_version", sa.String()))
        op.add_column(table, sa.Column("predictor_labels", sa.Integer()))
    op.add_column("label_events", sa.Column("aside", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("claims", sa.Column("page", sa.String(), nullable=False, server_default=""))
    op.add_column("claims", sa.Column("acquisition", sa.String()))
    op.add_column("claims", sa.Column("acquisition_probability", sa.Double()))
    op.add_column("annotators", sa.Column("issuer", sa.String()))
    op.add_column("annotators", sa.Column("subject", sa.String()))
    op.create_index(op.f("uq_annotators_account"), "annotators", ["project_id", "issuer", "subject"], unique=True)
    create_journal_mark()
    create_endings()


def create_journal_mark() -> None:
    op.create_table(
        "journal_mark",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("tail", sa.String(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("classes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_mark")),
    )


def create_endings() -> None:
    op.create_table(
        "endings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("child", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("last_words", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_endings_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endings")),
    )
    op.create_index(op.f("ix_endings_project_id"), "endings", ["project_id"], unique=False)
