"""The tables, typed; ORM objects never leave this package.

Screens write projects, classes, annotators, samples, refusals, label_events, current_decisions, claims and
trainer_requests; the trainer writes rounds, queries, metrics, confusion, sample_errors, heartbeats and trainer_errors.
"""

from __future__ import annotations

from datetime import datetime, timezone

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    MetaData,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in and out; SQLite keeps them as sortable UTC text without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive datetimes: a guessed zone would shift leases by hours."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}; storage takes timezone-aware ones only")
        utc = value.astimezone(timezone.utc)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give UTC back."""
        if value is None:
            return None
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


class Base(DeclarativeBase):
    """Names every constraint, so that a later migration can name what it drops."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, float: Double()}  # noqa: RUF012 (SQLAlchemy reads the plain attribute)


class Project(Base):
    """A project; a SQLite file holds one, a PostgreSQL database may hold several."""

    __tablename__ = "projects"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    seed: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]


class Class(Base):
    """A class; its index is what label events store, so it never changes."""

    __tablename__ = "classes"
    __table_args__ = (UniqueConstraint("project_id", "name"),)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Annotator(Base):
    """A person who labels."""

    __tablename__ = "annotators"
    __table_args__ = (UniqueConstraint("project_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]
    created_at: Mapped[datetime]


class Sample(Base):
    """An image, by reference; never changed after its import."""

    __tablename__ = "samples"
    __table_args__ = (
        UniqueConstraint("project_id", "sha256"),
        Index(None, "project_id", "split", "id"),
        CheckConstraint("split IN ('pool', 'test')", name="split"),
        CheckConstraint("split = 'test' OR class_index IS NULL", name="class_only_for_test"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    uri: Mapped[str]
    sha256: Mapped[str]
    width: Mapped[int]  # pixels
    height: Mapped[int]  # pixels
    split: Mapped[str]
    class_index: Mapped[int | None]
    audit_key: Mapped[float]  # uniform in [0, 1)
    created_at: Mapped[datetime]


class SampleError(Base):
    """A sample whose image could not be read after its import."""

    __tablename__ = "sample_errors"
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"), primary_key=True, autoincrement=False)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    reason: Mapped[str]
    created_at: Mapped[datetime]


class ImportRefusal(Base):
    """A file an import left out, and why."""

    __tablename__ = "import_refusals"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    uri: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]


class LabelEvent(Base):
    """What a person did, for ever: triggers refuse UPDATE, DELETE and REPLACE."""

    __tablename__ = "label_events"
    __table_args__ = (
        Index(None, "project_id", "id"),
        Index(None, "project_id", "annotator_id", "id"),
        Index(None, "project_id", "action"),
        Index(None, "sample_id", "id"),
        Index(None, "supersedes", "action"),
        CheckConstraint("action IN ('label', 'skip', 'flag', 'undo')", name="action"),
        CheckConstraint("(action = 'label') = (class_index IS NOT NULL)", name="class_only_for_label"),
        CheckConstraint("purpose IN ('train', 'audit', 'recheck')", name="purpose"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"))
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotators.id"))
    action: Mapped[str]
    class_index: Mapped[int | None]
    purpose: Mapped[str]
    round_number: Mapped[int | None]
    acquisition: Mapped[str | None]
    score: Mapped[float | None]
    acquisition_probability: Mapped[float | None]
    rank: Mapped[int | None]
    model_version: Mapped[str | None]
    suggestion_shown: Mapped[bool]
    lead_time_s: Mapped[float | None]
    request_id: Mapped[str] = mapped_column(unique=True)
    supersedes: Mapped[int | None] = mapped_column(ForeignKey("label_events.id"))
    created_at: Mapped[datetime]


class CurrentDecision(Base):
    """The fold of a sample's events, kept in the event's own transaction: claims and counts must not scan events."""

    __tablename__ = "current_decisions"
    __table_args__ = (Index(None, "project_id", "action"),)
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"), primary_key=True, autoincrement=False)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("label_events.id"))
    action: Mapped[str]


class Claim(Base):
    """Which annotator has which sample on screen, until when."""

    __tablename__ = "claims"
    __table_args__ = (Index(None, "project_id", "annotator_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"), unique=True)  # a sample belongs to one project
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotators.id"))
    query_id: Mapped[int | None] = mapped_column(ForeignKey("queries.id"))
    token: Mapped[str] = mapped_column(unique=True)
    claimed_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Round(Base):
    """One turn of the loop."""

    __tablename__ = "rounds"
    __table_args__ = (
        UniqueConstraint("project_id", "number"),
        # The pointer to the ranking in force: the database itself allows one open round per project.
        Index(
            "uq_rounds_open",
            "project_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        CheckConstraint("state IN ('training', 'scoring', 'open', 'closed', 'failed')", name="state"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    number: Mapped[int]
    state: Mapped[str]
    generation: Mapped[int]
    trigger: Mapped[str]
    reason: Mapped[str | None]
    snapshot_event_id: Mapped[int]
    labels: Mapped[int]
    learner: Mapped[str]
    acquisition: Mapped[str]
    model_version: Mapped[str]
    started_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    fit_seconds: Mapped[float | None]
    score_seconds: Mapped[float | None]
    checkpoint: Mapped[str | None]
    checkpoint_sha256: Mapped[str | None]
    checkpoint_bytes: Mapped[int | None] = mapped_column(BigInteger)


class Query(Base):
    """One line of a round's ranking."""

    __tablename__ = "queries"
    __table_args__ = (UniqueConstraint("round_id", "rank"), UniqueConstraint("sample_id", "round_id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"))
    rank: Mapped[int]
    purpose: Mapped[str]
    score: Mapped[float | None]  # a cold start has none
    acquisition_probability: Mapped[float | None]
    suggestion: Mapped[int | None]
    suggestion_probability: Mapped[float | None]


class Metric(Base):
    """One number of one round, with its interval where it has one."""

    __tablename__ = "metrics"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), index=True)
    name: Mapped[str]
    value: Mapped[float]
    low: Mapped[float | None]
    high: Mapped[float | None]
    n: Mapped[int | None]
    class_index: Mapped[int | None]


class Confusion(Base):
    """One cell of one round's confusion matrix; empty cells are not stored."""

    __tablename__ = "confusion"
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    dataset: Mapped[str] = mapped_column(primary_key=True)
    true_index: Mapped[int] = mapped_column(primary_key=True)
    predicted_index: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]


class TrainerHeartbeat(Base):
    """What the project's one trainer is doing."""

    __tablename__ = "heartbeats"
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True, autoincrement=False)
    generation: Mapped[int]
    pid: Mapped[int]
    state: Mapped[str]
    message: Mapped[str]
    beat: Mapped[int]
    beat_at: Mapped[datetime]
    round_number: Mapped[int | None]
    epoch: Mapped[int | None]
    epochs: Mapped[int | None]
    done: Mapped[int | None]
    total: Mapped[int | None]
    eta_s: Mapped[float | None]
    handled_request_id: Mapped[int]
    device: Mapped[str | None]


class TrainerError(Base):
    """A failure of the trainer, kept with its traceback."""

    __tablename__ = "trainer_errors"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    round_number: Mapped[int | None]
    step: Mapped[str]
    message: Mapped[str]
    traceback: Mapped[str]
    created_at: Mapped[datetime]


class TrainerRequest(Base):
    """A wish of a person to the trainer; which one it handled last stands in its heartbeat."""

    __tablename__ = "trainer_requests"
    __table_args__ = (
        CheckConstraint("kind IN ('train', 'retry', 'stop')", name="kind"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    kind: Mapped[str]
    annotator_id: Mapped[int | None] = mapped_column(ForeignKey("annotators.id"))
    created_at: Mapped[datetime]
