"""Labels and predictions that came with a source: events of purpose ``imported``, grouped by import; moved files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.checks import replace_check

revision = "0008"
down_revision = "0004"
branch_labels = None
depends_on = None

BEFORE, AFTER = "('train', 'audit', 'recheck')", "('train', 'audit', 'recheck', 'imported')"


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_imports_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("key", name=op.f("uq_imports_key")),
    )
    op.create_index(op.f("ix_imports_project_id"), "imports", ["project_id"], unique=False)
    op.create_table(
        "imported_predictions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("class_index", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_imported_predictions_import_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_imported_predictions_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imported_predictions")),
    )
    op.create_index(op.f("ix_imported_predictions_sample_id"), "imported_predictions", ["sample_id"], unique=False)
    op.create_index(op.f("ix_samples_project_id_uri"), "samples", ["project_id", "uri"], unique=False)
    replace_check("label_events", op.f("ck_label_events_purpose"), f"purpose IN {BEFORE}", f"purpose IN {AFTER}")
