"""Samples that a person looks for by what they know of them."""

from __future__ import annotations

from sqlalchemy import or_, select

from storage.engine import Session
from storage.errors import UnknownSampleError
from storage.models import Sample
from storage.samples import SAMPLE_COLUMNS, SampleInfo, chunks, get_sample, is_broken

MOST_DIGITS = 18  # of a number that a database can hold


def find_samples(session: Session, *, project_id: int, wanted: str) -> frozenset[int]:
    """Find samples by their number, by a part of the file's name, or by a part of a text."""
    holds = or_(Sample.uri.icontains(wanted, autoescape=True), Sample.content.icontains(wanted, autoescape=True))
    of_project = select(Sample.id, Sample.uri, Sample.content).where(Sample.project_id == project_id)
    is_number = wanted.isdecimal() and len(wanted) <= MOST_DIGITS
    rows = session.execute(of_project.where(or_(holds, Sample.id == int(wanted)) if is_number else holds))
    return frozenset(row[0] for row in rows if str(row[0]) == wanted or _names(wanted.casefold(), row[1], row[2]))


def search_samples(
    session: Session, *, project_id: int, split: str, wanted: str, after_id: int = 0, limit: int
) -> list[SampleInfo]:
    """List the samples of a split that a search finds, by id, without the broken ones: one page.

    Args:
        session: A session.
        project_id: The project.
        split: `pool` or `test`.
        wanted: As in `find_samples`.
        after_id: Only samples with a larger id.
        limit: How many at most.
    """
    ids = sorted(i for i in find_samples(session, project_id=project_id, wanted=wanted) if i > after_id)
    of_split = select(*SAMPLE_COLUMNS).where(Sample.split == split, ~is_broken()).order_by(Sample.id)
    found: list[SampleInfo] = []
    for chunk in chunks(ids):
        found += [SampleInfo(*row) for row in session.execute(of_split.where(Sample.id.in_(chunk)))]
        if len(found) >= limit:
            break
    return found[:limit]


def sample_of(session: Session, *, project_id: int, sample_id: int) -> SampleInfo:
    """Return one sample of a project.

    Raises:
        UnknownSampleError: When the project has none of this id.
    """
    if session.scalar(select(Sample.project_id).where(Sample.id == sample_id)) != project_id:
        raise UnknownSampleError(sample_id)
    return get_sample(session, sample_id=sample_id)


def _names(wanted: str, uri: str, content: str | None) -> bool:
    """The folders of a file are no part of its name."""
    return wanted in uri.rpartition("/")[2].casefold() or wanted in (content or "").casefold()
