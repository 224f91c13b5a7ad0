"""What could not be used: samples that cannot be read any more, and files that an import left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from storage.engine import Session
from storage.errors import UnknownSampleError
from storage.models import ImportRefusal, Sample, SampleError
from storage.plain import to_info, utc_now


@dataclass(frozen=True)
class BrokenSample:
    """A sample that could not be read after its import."""

    sample_id: int
    uri: str
    reason: str


@dataclass(frozen=True)
class Refusal:
    """A file an import left out."""

    uri: str
    reason: str
    created_at: datetime


def mark_broken(session: Session, *, sample_id: int, reason: str) -> None:
    """Note that a sample cannot be read; it is never asked again. The first reason stands.

    Raises:
        UnknownSampleError: When there is no such sample.
    """
    project_id = session.scalar(select(Sample.project_id).where(Sample.id == sample_id))
    if project_id is None:
        raise UnknownSampleError(sample_id)
    if session.get(SampleError, sample_id) is None:
        session.add(SampleError(sample_id=sample_id, project_id=project_id, reason=reason, created_at=utc_now()))
        session.flush()


def list_broken(session: Session, *, project_id: int) -> list[BrokenSample]:
    """List the samples that could not be read, by id."""
    rows = session.execute(
        select(SampleError.sample_id, Sample.uri, SampleError.reason)
        .join(Sample, Sample.id == SampleError.sample_id)
        .where(SampleError.project_id == project_id)
        .order_by(SampleError.sample_id)
    )
    return [BrokenSample(*row) for row in rows]


def record_refusals(session: Session, *, project_id: int, refusals: Sequence[tuple[str, str]]) -> None:
    """Note the files an import left out, as ``(uri, reason)``."""
    now = utc_now()
    rows = [{"project_id": project_id, "uri": uri, "reason": why, "created_at": now} for uri, why in refusals]
    if rows:
        session.execute(insert(ImportRefusal), rows)


def list_refusals(session: Session, *, project_id: int) -> list[Refusal]:
    """List the refused files, latest first."""
    rows = session.scalars(
        select(ImportRefusal).where(ImportRefusal.project_id == project_id).order_by(ImportRefusal.id.desc())
    )
    return [to_info(Refusal, row) for row in rows]
