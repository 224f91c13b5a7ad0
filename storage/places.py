"""Where the files of samples are: a sample is its bytes, and its place may change."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import delete, func, literal, select, update

from storage.engine import Database, Session
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


def mark_whole(session: Session, *, sample_ids: Sequence[int]) -> None:
    """Note that samples which could not be read can be read again; they may be asked."""
    for chunk in chunks(sample_ids):
        session.execute(delete(SampleError).where(SampleError.sample_id.in_(chunk)))


def move_uploads(database: Database, *, old: str, new: str) -> int:
    """Note that the folder with unpacked archives has moved with its project; return how many samples are in it.

    Args:
        database: of the project.
        old: where the folder was; empty: not known, it is told by a sample in a folder of that name.
        new: where it is.
    """
    with database.write() as session:
        found = old or _folder_of_uploads(session, new.rpartition("/")[2])
        if not found or found == new:
            return 0
        below = Sample.uri.startswith(f"{found}/", autoescape=True)
        count = session.scalar(select(func.count()).select_from(Sample).where(below)) or 0
        moved = literal(new).concat(func.substr(Sample.uri, len(found) + 1))
        session.execute(update(Sample).where(below).values(uri=moved).execution_options(synchronize_session=False))
        return count


def _folder_of_uploads(session: Session, name: str) -> str:
    """The folder of a name that holds folders named by a SHA-256, in which some sample is."""
    uris = session.scalars(select(Sample.uri).where(Sample.uri.contains(f"/{name}/", autoescape=True)).limit(1))
    matches = (re.match(rf"(.*/{re.escape(name)})/[0-9a-f]{{64}}/", uri) for uri in uris)
    return next((match[1] for match in matches if match), "")


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
