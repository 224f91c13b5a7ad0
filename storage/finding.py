"""Samples that a person looks for by what they know of them."""

from __future__ import annotations

from sqlalchemy import or_, select

from storage.engine import Session
from storage.models import Sample

MOST_DIGITS = 18  # of a number that a database can hold


def find_samples(session: Session, *, project_id: int, wanted: str) -> frozenset[int]:
    """Find samples by their number, by a part of the file's name, or by a part of a text."""
    holds = or_(Sample.uri.icontains(wanted, autoescape=True), Sample.content.icontains(wanted, autoescape=True))
    of_project = select(Sample.id, Sample.uri, Sample.content).where(Sample.project_id == project_id)
    is_number = wanted.isdecimal() and len(wanted) <= MOST_DIGITS
    rows = session.execute(of_project.where(or_(holds, Sample.id == int(wanted)) if is_number else holds))
    return frozenset(row[0] for row in rows if str(row[0]) == wanted or _names(wanted.casefold(), row[1], row[2]))


def sample_names(session: Session, *, project_id: int) -> dict[int, str]:
    """The name of each sample's file, without its folders, by sample id."""
    rows = session.execute(select(Sample.id, Sample.uri).where(Sample.project_id == project_id))
    return {row[0]: row[1].rpartition("/")[2] for row in rows}


def _names(wanted: str, uri: str, content: str | None) -> bool:
    """The folders of a file are no part of its name."""
    return wanted in uri.rpartition("/")[2].casefold() or wanted in (content or "").casefold()
