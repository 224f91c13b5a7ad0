"""Tables that the screens write: projects, samples, decisions, claims and requests to the trainer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base


class Project(Base):
    """A project; a SQLite file holds one, a PostgreSQL database may hold several."""

    __tablename__ = "projects"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    seed: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(server_default="image")  # of its samples


class Class(Base):
    """A class; its index is what label events store, so it never changes."""

    __tablename__ = "classes"
    __table_args__ = (UniqueConstraint("project_id", "name"),)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    retired: Mapped[bool] = mapped_column(server_default=false())  # nobody is asked for it any more
    description: Mapped[str] = mapped_column(server_default="")
    position: Mapped[int | None]  # its place on the screens, from 0 on; None: its index
    color: Mapped[str] = mapped_column(server_default="")  # as #rrggbb; empty: by its place


class ClassChange(Base):
    """What was done to a class; append only, an undo is a row of its own."""

    __tablename__ = "class_changes"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('rename', 'merge', 'split', 'retire', 'add', 'describe', 'order', 'color', 'undo')", name="kind"
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    key: Mapped[str] = mapped_column(unique=True)  # of a merge, the label events carry it in their request ids
    kind: Mapped[str]
    class_index: Mapped[int]
    into_index: Mapped[int | None]  # of a merge
    before: Mapped[str]  # what was; as JSON of a merge its test samples, of a split what it added, of an order indices
    after: Mapped[str]
    who: Mapped[str]
    undoes: Mapped[int | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class Annotator(Base):
    """A person who labels."""

    __tablename__ = "annotators"
    __table_args__ = (
        UniqueConstraint("project_id", "name"),
        Index("uq_annotators_account", "project_id", "issuer", "subject", unique=True),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]  # as it is shown; of an account that shares it with another, with a number
    issuer: Mapped[str | None]  # of the account; None: a name that was typed
    subject: Mapped[str | None]  # the account at its issuer
    created_at: Mapped[datetime]


class Sample(Base):
    """A sample: a file by reference, or its content itself; only its place may change after its import."""

    __tablename__ = "samples"
    __table_args__ = (
        UniqueConstraint("project_id", "sha256"),
        Index(None, "project_id", "split", "id"),
        Index(None, "project_id", "uri"),
        CheckConstraint("split IN ('pool', 'test')", name="split"),
        CheckConstraint("split = 'test' OR class_index IS NULL", name="class_only_for_test"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    uri: Mapped[str]
    sha256: Mapped[str]
    width: Mapped[int]  # pixels; 0: it has none
    height: Mapped[int]  # likewise
    split: Mapped[str]
    class_index: Mapped[int | None]
    audit_key: Mapped[float]  # uniform in [0, 1)
    created_at: Mapped[datetime]
    content: Mapped[str | None]  # what is kept here instead of in a file; last, so that a scan need not read past it


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
        CheckConstraint("purpose IN ('train', 'audit', 'recheck', 'imported')", name="purpose"),
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
    seeded_suggestion: Mapped[int | None]  # the class that was shown in place of the model's answer, on purpose
    lead_time_s: Mapped[float | None]
    shown_together: Mapped[int] = mapped_column(server_default="1")  # samples on screen at once
    why_shown: Mapped[bool] = mapped_column(server_default=false())
    predictor: Mapped[str | None]  # who asked
    predictor_version: Mapped[str | None]
    predictor_labels: Mapped[int | None]  # it had seen
    # Kept, but it stands for nothing: somebody else had decided meanwhile, and whoever gave it did not know.
    aside: Mapped[bool] = mapped_column(server_default=false())
    group_key: Mapped[str | None]  # of the group that the sample was judged or labeled in
    group_draw: Mapped[int | None]  # the draw that the person judged, from 1 on; None: labeled with the rest, unseen
    group_bound: Mapped[float | None]  # of the rest: at most this share of it is of another class, at 95 %
    request_id: Mapped[str] = mapped_column(unique=True)
    supersedes: Mapped[int | None] = mapped_column(ForeignKey("label_events.id"))
    created_at: Mapped[datetime]


class Group(Base):
    """A group of samples offered as one decision; after a split, what stays is a further part under the same key."""

    __tablename__ = "groups"
    __table_args__ = (UniqueConstraint("key", "part"), Index(None, "project_id", "annotator_id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotators.id"))  # whose decision it is
    key: Mapped[str]
    part: Mapped[int]  # 0: as it was offered
    class_index: Mapped[int]
    origin: Mapped[str]  # how the members were found
    seed: Mapped[int] = mapped_column(BigInteger)  # of the order of the draws
    allowed: Mapped[float]  # share of the rest that may be of another class, 0..1
    classes: Mapped[str] = mapped_column(server_default="")  # of each member, as JSON; empty: `class_index`
    members: Mapped[str]  # sample ids in the order of the draws, as JSON
    draws: Mapped[int]  # of the part before, when this one took its place
    closed: Mapped[bool] = mapped_column(server_default=false())  # the rest was taken, or the person left it
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
    """Which page of which annotator has which sample, on screen or fetched ahead, until when."""

    __tablename__ = "claims"
    __table_args__ = (UniqueConstraint("sample_id", "annotator_id"), Index(None, "project_id", "annotator_id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"))
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotators.id"))
    query_id: Mapped[int | None] = mapped_column(ForeignKey("queries.id"))
    page: Mapped[str] = mapped_column(server_default="")  # the tab; two tabs of one person never share a sample
    token: Mapped[str] = mapped_column(unique=True)
    acquisition: Mapped[str | None]  # of a sample that no query asked about
    acquisition_probability: Mapped[float | None]
    claimed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    seen: Mapped[bool] = mapped_column(server_default=true())  # False: fetched ahead, never on screen
    in_grid: Mapped[bool] = mapped_column(server_default=false())  # shown among many, not in the queue


class JournalMark(Base):
    """How far database and label journal are known to agree; one row."""

    __tablename__ = "journal_mark"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset: Mapped[int] = mapped_column(BigInteger)  # bytes of the journal that are in this database
    tail: Mapped[str]  # checksum of the bytes before it: another file is told by it
    event_id: Mapped[int]  # events up to this one are in the journal
    sample_id: Mapped[int]  # samples, the same
    classes: Mapped[int]  # how many classes are in the journal


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
