"""Samples that a person looks for by what they know of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from sqlalchemy import or_, select

from storage.engine import Session
from storage.errors import UnknownSampleError
from storage.models import Sample
from storage.samples import SAMPLE_COLUMNS, SampleInfo, chunks, get_sample, is_broken

_CONDITION = re.compile(r"\s*(.+?)\s*(<=|>=|!=|=|<|>)\s*(.+?)\s*")
MOST_DIGITS = 18  # of a number that a database can hold


def find_samples(session: Session, *, project_id: int, wanted: str) -> frozenset[int]:
    """Find samples by their number, by a part of the file's name, by a part of a text, or by the columns of a table.

    Args:
        session: Reads.
        project_id: The project.
        wanted: What a person typed; of rows ``age > 50 and sector = Private`` too, where they have such columns.
    """
    by_columns = _find_rows(session, project_id, wanted)
    if by_columns is not None:
        return by_columns
    holds = or_(Sample.uri.icontains(wanted, autoescape=True), Sample.content.icontains(wanted, autoescape=True))
    of_project = select(Sample.id, Sample.uri, Sample.content).where(Sample.project_id == project_id)
    is_number = wanted.isdecimal() and len(wanted) <= MOST_DIGITS
    rows = session.execute(of_project.where(or_(holds, Sample.id == int(wanted)) if is_number else holds))
    return frozenset(row[0] for row in rows if str(row[0]) == wanted or _names(wanted.casefold(), row[1], row[2]))


def _find_rows(session: Session, project_id: int, wanted: str) -> frozenset[int] | None:
    """The rows that fit all conditions; None where what is wanted is no such thing, or no row has these columns."""
    matches = [_CONDITION.fullmatch(part) for part in wanted.split(" and ")]
    conditions = [(match[1].casefold(), match[2], match[3]) for match in matches if match is not None]
    if len(conditions) < len(matches):
        return None
    of_project = (Sample.project_id == project_id, Sample.content.startswith("{"))
    found: set[int] = set()
    is_known = False
    for sample_id, content in session.execute(select(Sample.id, Sample.content).where(*of_project)):
        row = _row(content or "")
        if all(column in row for column, _, _ in conditions):
            is_known = True
            if all(_fits(row[column], sign, value) for column, sign, value in conditions):
                found.add(sample_id)
    return frozenset(found) if is_known else None


def _row(content: str) -> Mapping[str, str]:
    try:
        told = json.loads(content)
    except ValueError:  # a text that begins with a brace
        return {}
    return {name.casefold(): str(value) for name, value in told.items()} if isinstance(told, dict) else {}


_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}


def _fits(found: str, sign: str, wanted: str) -> bool:
    """Numbers are compared as such; what is none is the same word or another one, and neither more nor less."""
    try:
        return _SIGNS[sign](float(found), float(wanted))
    except ValueError:
        same = found.strip().casefold() == wanted.strip().casefold()
        return same if sign == "=" else not same if sign == "!=" else False


def sample_names(session: Session, *, project_id: int) -> dict[int, str]:
    """The name of each sample's file, without its folders, by sample id."""
    rows = session.execute(select(Sample.id, Sample.uri).where(Sample.project_id == project_id))
    return {row[0]: row[1].rpartition("/")[2] for row in rows}


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
