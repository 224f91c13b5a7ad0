"""The first schema: projects, samples, append-only label events, rounds and the trainer's state."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = "label events are append-only"


def upgrade() -> None:
    create_projects()
    create_samples()
    create_rounds()
    create_labels()
    create_trainer()
    if op.get_bind().dialect.name == "sqlite":
        protect_events_sqlite()
    else:
        protect_events_postgresql()


def create_projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("name", name=op.f("uq_projects_name")),
    )
    op.create_table(
        "classes",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_classes_project_id")),
        sa.PrimaryKeyConstraint("project_id", "index", name=op.f("pk_classes")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_classes_project_id_name")),
    )
    op.create_table(
        "annotators",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_annotators_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotators")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_annotators_project_id_name")),
    )


def create_samples() -> None:
    op.create_table(
        "samples",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("split", sa.String(), nullable=False),
        sa.Column("class_index", sa.Integer(), nullable=True),
        sa.Column("audit_key", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("split = 'test' OR class_index IS NULL", name=op.f("ck_samples_class_only_for_test")),
        sa.CheckConstraint("split IN ('pool', 'test')", name=op.f("ck_samples_split")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_samples_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_samples")),
        sa.UniqueConstraint("project_id", "sha256", name=op.f("uq_samples_project_id_sha256")),
    )
    op.create_index(op.f("ix_samples_project_id_split_id"), "samples", ["project_id", "split", "id"], unique=False)
    op.create_table(
        "sample_errors",
        sa.Column("sample_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_sample_errors_project_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_sample_errors_sample_id")),
        sa.PrimaryKeyConstraint("sample_id", name=op.f("pk_sample_errors")),
    )
    op.create_index(op.f("ix_sample_errors_project_id"), "sample_errors", ["project_id"], unique=False)
    op.create_table(
        "import_refusals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_import_refusals_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_refusals")),
    )
    op.create_index(op.f("ix_import_refusals_project_id"), "import_refusals", ["project_id"], unique=False)


def create_rounds() -> None:
    op.create_table(
        "rounds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("snapshot_event_id", sa.Integer(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("learner", sa.String(), nullable=False),
        sa.Column("acquisition", sa.String(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fit_seconds", sa.Double(), nullable=True),
        sa.Column("score_seconds", sa.Double(), nullable=True),
        sa.Column("checkpoint", sa.String(), nullable=True),
        sa.Column("checkpoint_sha256", sa.String(), nullable=True),
        sa.Column("checkpoint_bytes", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('training', 'scoring', 'open', 'closed', 'failed')", name=op.f("ck_rounds_state")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_rounds_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rounds")),
        sa.UniqueConstraint("project_id", "number", name=op.f("uq_rounds_project_id_number")),
    )
    op.create_index(
        "uq_rounds_open",
        "rounds",
        ["project_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "queries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("acquisition_probability", sa.Double(), nullable=True),
        sa.Column("suggestion", sa.Integer(), nullable=True),
        sa.Column("suggestion_probability", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_queries_round_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_queries_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queries")),
        sa.UniqueConstraint("round_id", "rank", name=op.f("uq_queries_round_id_rank")),
        sa.UniqueConstraint("sample_id", "round_id", name=op.f("uq_queries_sample_id_round_id")),
    )
    op.create_table(
        "metrics",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=True),
        sa.Column("class_index", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_metrics_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metrics")),
    )
    op.create_index(op.f("ix_metrics_round_id"), "metrics", ["round_id"], unique=False)
    op.create_table(
        "confusion",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("true_index", sa.Integer(), nullable=False),
        sa.Column("predicted_index", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_confusion_round_id")),
        sa.PrimaryKeyConstraint("round_id", "dataset", "true_index", "predicted_index", name=op.f("pk_confusion")),
    )


def create_labels() -> None:
    op.create_table(
        "label_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("annotator_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("class_index", sa.Integer(), nullable=True),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("round_number", sa.Integer(), nullable=True),
        sa.Column("acquisition", sa.String(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("acquisition_probability", sa.Double(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("model_version", sa.String(), nullable=True),
        sa.Column("suggestion_shown", sa.Boolean(), nullable=False),
        sa.Column("lead_time_s", sa.Double(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("supersedes", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(action = 'label') = (class_index IS NOT NULL)", name=op.f("ck_label_events_class_only_for_label")
        ),
        sa.CheckConstraint("action IN ('label', 'skip', 'flag', 'undo')", name=op.f("ck_label_events_action")),
        sa.CheckConstraint("purpose IN ('train', 'audit', 'recheck')", name=op.f("ck_label_events_purpose")),
        sa.ForeignKeyConstraint(["annotator_id"], ["annotators.id"], name=op.f("fk_label_events_annotator_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_label_events_project_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_label_events_sample_id")),
        sa.ForeignKeyConstraint(["supersedes"], ["label_events.id"], name=op.f("fk_label_events_supersedes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_events")),
        sa.UniqueConstraint("request_id", name=op.f("uq_label_events_request_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_label_events_project_id_action"), "label_events", ["project_id", "action"], unique=False)
    op.create_index(
        op.f("ix_label_events_project_id_annotator_id_id"),
        "label_events",
        ["project_id", "annotator_id", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_label_events_project_id_id"), "label_events", ["project_id", "id"], unique=False)
    op.create_index(op.f("ix_label_events_sample_id_id"), "label_events", ["sample_id", "id"], unique=False)
    op.create_index(op.f("ix_label_events_supersedes_action"), "label_events", ["supersedes", "action"], unique=False)
    op.create_table(
        "current_decisions",
        sa.Column("sample_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["label_events.id"], name=op.f("fk_current_decisions_event_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_current_decisions_project_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_current_decisions_sample_id")),
        sa.PrimaryKeyConstraint("sample_id", name=op.f("pk_current_decisions")),
    )
    op.create_index(
        op.f("ix_current_decisions_project_id_action"), "current_decisions", ["project_id", "action"], unique=False
    )
    op.create_table(
        "claims",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("annotator_id", sa.Integer(), nullable=False),
        sa.Column("query_id", sa.Integer(), nullable=True),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["annotator_id"], ["annotators.id"], name=op.f("fk_claims_annotator_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_claims_project_id")),
        sa.ForeignKeyConstraint(["query_id"], ["queries.id"], name=op.f("fk_claims_query_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_claims_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
        sa.UniqueConstraint("sample_id", name=op.f("uq_claims_sample_id")),
        sa.UniqueConstraint("token", name=op.f("uq_claims_token")),
    )
    op.create_index(op.f("ix_claims_project_id_annotator_id"), "claims", ["project_id", "annotator_id"], unique=False)


def create_trainer() -> None:
    op.create_table(
        "heartbeats",
        sa.Column("project_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("beat", sa.Integer(), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("round_number", sa.Integer(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("epochs", sa.Integer(), nullable=True),
        sa.Column("done", sa.Integer(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("eta_s", sa.Double(), nullable=True),
        sa.Column("handled_request_id", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_heartbeats_project_id")),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "trainer_errors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("round_number", sa.Integer(), nullable=True),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("traceback", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_trainer_errors_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trainer_errors")),
    )
    op.create_index(op.f("ix_trainer_errors_project_id"), "trainer_errors", ["project_id"], unique=False)
    op.create_table(
        "trainer_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("annotator_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('train', 'retry', 'stop')", name=op.f("ck_trainer_requests_kind")),
        sa.ForeignKeyConstraint(["annotator_id"], ["annotators.id"], name=op.f("fk_trainer_requests_annotator_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_trainer_requests_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trainer_requests")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_trainer_requests_project_id"), "trainer_requests", ["project_id"], unique=False)


def protect_events_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER label_events_no_{change.lower()} BEFORE {change} ON label_events "
            f"BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END"
        )
    # INSERT OR REPLACE deletes without firing a DELETE trigger.
    op.execute(
        "CREATE TRIGGER label_events_no_replace BEFORE INSERT ON label_events WHEN EXISTS "
        "(SELECT 1 FROM label_events WHERE id = NEW.id OR request_id = NEW.request_id) "
        f"BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}: id or request id is already there'); END"
    )


def protect_events_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{APPEND_ONLY}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER label_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON label_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_event_change()"
    )
