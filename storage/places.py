"""Where the files of samples are: a sample is its bytes, and its place may change."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, literal, select, update

from storage.engine import Session
from storage.errors import UnknownSampleError
from storage.models import Sample, SampleError
from storage.samples import SAMPLE_COLUMNS, SampleInfo, chunks


def samples_at(session: Session, *, project_id: int, uris: Sequence[str]) -> list[SampleInfo]:
    """List the samples that are said to be at some places; several, where files were replaced."""
    found: list[SampleInfo] = []
    for chunk in chunks(uris):
        rows = session.execute(select(*SAMPLE_COLUMNS).where(Sample.project_id == project_id, Sample.uri.in_(chunk)))
        found += [SampleInfo(*row) for row in rows]
    return found


def move_sample(session: Session, *, sample_id: int, uri: str) -> None:
    """Note where a sample's file is now; one that could not be read before may be asked again.

    Raises:
        UnknownSampleError: When there is no such sample.
    """
    sample = session.get(Sample, sample_id)
    if sample is None:
        raise UnknownSampleError(sample_id)
    sample.uri = uri
    session.execute(delete(SampleError).where(SampleError.sample_id == sample_id))
    session.flush()


def move_folder(session: Session, *, project_id: int, old: str, new: str) -> int:
    """Note that a folder was moved with the samples in it; return how many they are."""
    below = (Sample.project_id == project_id, Sample.uri.startswith(f"{old}/", autoescape=True))
    count = session.scalar(select(func.count()).select_from(Sample).where(*below)) or 0
    if count:
        moved = literal(new).concat(func.substr(Sample.uri, len(old) + 1))
        session.execute(update(Sample).where(*below).values(uri=moved).execution_options(synchronize_session=False))
    return count


def first_below(session: Session, *, project_id: int, name: str) -> str | None:
    """Return the place of some sample with a folder of a name above it."""
    which = (Sample.project_id == project_id, Sample.uri.contains(f"/{name}/", autoescape=True))
    return session.scalar(select(Sample.uri).where(*which).limit(1))


def replaced_ids(session: Session, *, project_id: int) -> set[int]:
    """Return the samples whose file holds another picture by now: a later sample is at the same place."""
    last = select(Sample.uri, func.max(Sample.id).label("last")).where(Sample.project_id == project_id)
    twice = last.group_by(Sample.uri).having(func.count() > 1).subquery()
    rows = session.scalars(
        select(Sample.id)
        .join(twice, Sample.uri == twice.c.uri)
        .where(Sample.project_id == project_id, Sample.id < twice.c.last)
    )
    return set(rows)
