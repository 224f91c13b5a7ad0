"""Tables that the trainer writes: rounds, rankings, what was measured, suspected labels and its own state."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base


class SampleError(Base):
    """A sample whose image could not be read after its import."""

    __tablename__ = "sample_errors"
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"), primary_key=True, autoincrement=False)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    reason: Mapped[str]
    created_at: Mapped[datetime]


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
    predictor: Mapped[str] = mapped_column("learner")  # as the column was called before
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
    annotators: Mapped[int] = mapped_column(server_default="1")  # how many should decide, each blind to the others
    predictor: Mapped[str | None]  # who asks
    predictor_version: Mapped[str | None]
    predictor_labels: Mapped[int | None]  # it had seen


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


class Suspect(Base):
    """A label that models which never saw it contradict; it counts only while that label event stands."""

    __tablename__ = "suspects"
    __table_args__ = (
        CheckConstraint("suspicion BETWEEN 0 AND 1", name="suspicion"),
        CheckConstraint("given_index <> suggested_index", name="contradiction"),
    )
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"), primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("label_events.id"))
    given_index: Mapped[int]
    suggested_index: Mapped[int]
    suspicion: Mapped[float]  # higher is likelier wrong


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


class Ending(Base):
    """How a process of the project ended without being asked to; written by the supervisor."""

    __tablename__ = "endings"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    child: Mapped[str]
    status: Mapped[int]  # its exit code; a signal's number below zero
    seconds: Mapped[float]  # it had lived
    last_words: Mapped[str]  # the last line of its log
    created_at: Mapped[datetime]
    held_bytes: Mapped[int | None] = mapped_column(BigInteger)  # of memory, when it was last looked at
    free_bytes: Mapped[int | None] = mapped_column(BigInteger)  # of the machine's memory, then
