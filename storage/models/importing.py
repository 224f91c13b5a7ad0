"""Tables of what came with a source beside its samples; written by the screens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import Base


class Import(Base):
    """One import that brought labels; its label events carry its key in their request ids."""

    __tablename__ = "imports"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    key: Mapped[str] = mapped_column(unique=True)
    source: Mapped[str]  # what the person named
    format: Mapped[str]
    created_at: Mapped[datetime]


class ImportedPrediction(Base):
    """A model's answer that came with a source."""

    __tablename__ = "imported_predictions"
    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id"))
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"), index=True)
    class_index: Mapped[int]
    probability: Mapped[float | None]
    model_version: Mapped[str]
