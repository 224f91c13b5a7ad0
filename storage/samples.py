"""Samples: references to files or their content, their duplicates, and what could not be read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Exists, bindparam, exists, func, insert, select

from storage.engine import COUNTED, Session
from storage.entries import is_journaled, note_samples
from storage.errors import InvalidSampleError, UnknownSampleError
from storage.models import CurrentDecision, Sample, SampleError
from storage.plain import pairs, utc_now
from storage.projects import count_classes, get_project

T = TypeVar("T")

CHUNK = 1_000  # rows a statement; SQLite takes 32,766 variables


@dataclass(frozen=True)
class NewSample:
    """A checked sample to be added; only those of the test set bring a class."""

    uri: str
    sha256: str  # of the file's bytes, or of the content, hexadecimal
    width: int  # pixels; 0: it has none
    height: int  # likewise
    split: str  # "pool" or "test"
    class_index: int | None = None
    content: str | None = None  # what is kept in the database, instead of in a file


@dataclass(frozen=True)
class Duplicate:
    """A sample that the project already has."""

    uri: str
    first_uri: str


@dataclass(frozen=True)
class AddedSamples:
    """What became of an import."""

    added: int
    duplicates: list[Duplicate]


@dataclass(frozen=True, slots=True)  # a million of them at a time
class SampleInfo:
    """A stored sample."""

    id: int
    uri: str
    sha256: str
    width: int
    height: int
    split: str
    class_index: int | None
    audit_key: float  # audit reserve iff below the audit share
    content: str | None = None


@dataclass(frozen=True)
class SampleCounts:
    """Where the samples stand; the four of the pool split add up to it."""

    pool: int  # may still be asked
    test: int
    labeled: int
    skipped: int
    broken: int  # of the pool, and not decided


SAMPLE_COLUMNS = (  # of a `SampleInfo`, in its order
    Sample.id,
    Sample.uri,
    Sample.sha256,
    Sample.width,
    Sample.height,
    Sample.split,
    Sample.class_index,
    Sample.audit_key,
    Sample.content,
)
_BY_ID = select(*SAMPLE_COLUMNS).where(
    Sample.id.in_(bindparam("ids", expanding=True))
)  # built once: at every key press


def audit_key(*, seed: int, sha256: str) -> float:
    """Draw a sample's place in [0, 1) from its content, so that the audit reserve is the same after every import.

    53 bits: with all 64 the largest values would round up to 1.0.
    """
    digest = hashlib.sha256(f"{seed}:{sha256}".encode()).digest()
    return float((int.from_bytes(digest[:8], "big") >> 11) / 2**53)


def add_samples(session: Session, *, project_id: int, samples: Sequence[NewSample]) -> AddedSamples:
    """Add samples; one that is the same as one already there is reported and left out.

    Raises:
        InvalidSampleError: When a class is given for the pool, or is none of the project's. Nothing is added then.
    """
    project = get_project(session, project_id=project_id)
    classes = count_classes(session, project_id=project_id)
    added, duplicates, now = 0, list[Duplicate](), utc_now()
    last = session.scalar(select(func.max(Sample.id))) or 0
    for chunk in chunks(samples):
        first_uris = _stored_uris(session, project_id, [sample.sha256 for sample in chunk])
        rows = []
        for sample in chunk:
            _check(sample, classes)
            if sample.sha256 in first_uris:
                duplicates.append(Duplicate(sample.uri, first_uris[sample.sha256]))
                continue
            first_uris[sample.sha256] = sample.uri
            key = audit_key(seed=project.seed, sha256=sample.sha256)
            rows.append({**vars(sample), "project_id": project_id, "audit_key": key, "created_at": now})
        if rows:
            session.connection().execute(insert(Sample), rows)  # not the ORM's insert: a third of the time
        added += len(rows)
    if added and is_journaled(session):
        note_samples(session, after_id=last)
    return AddedSamples(added, duplicates)


def get_sample(session: Session, *, sample_id: int) -> SampleInfo:
    """Return one sample.

    Raises:
        UnknownSampleError: When there is none of this id.
    """
    row = session.execute(select(*SAMPLE_COLUMNS).where(Sample.id == sample_id)).one_or_none()
    if row is None:
        raise UnknownSampleError(sample_id)
    return SampleInfo(*row)


def get_samples(session: Session, *, sample_ids: Sequence[int]) -> dict[int, SampleInfo]:
    """Return samples by id; unknown ids are left out."""
    found: dict[int, SampleInfo] = {}
    for chunk in chunks(sample_ids):
        for row in session.execute(_BY_ID, {"ids": [int(sample_id) for sample_id in chunk]}):
            found[row[0]] = SampleInfo(*row)
    return found


def samples_by_name(session: Session, *, project_id: int, name: str) -> list[SampleInfo]:
    """Return the samples whose file has a name, whatever its folder; two of them are enough to see that it tells none.

    Args:
        session: Any.
        project_id: The project.
        name: Of a file, without folders.
    """
    ends = Sample.uri.endswith(f"/{name}", autoescape=True) | (Sample.uri == name)
    rows = session.execute(select(*SAMPLE_COLUMNS).where(Sample.project_id == project_id, ends).limit(2))
    return [SampleInfo(*row) for row in rows]


def ids_by_name(session: Session, *, project_id: int, part: str) -> list[int]:
    """Return the ids of a project's samples whose path or name holds a text, whatever its case."""
    holds = Sample.uri.icontains(part, autoescape=True)
    return list(session.scalars(select(Sample.id).where(Sample.project_id == project_id, holds)))


def list_samples(
    session: Session, *, project_id: int, split: str, after_id: int = 0, limit: int | None = None
) -> list[SampleInfo]:
    """List a split by id, without the broken ones: all, or one page of it (see `read_columns` for a million)."""
    rows = session.execute(
        select(*SAMPLE_COLUMNS)
        .where(Sample.project_id == project_id, Sample.split == split, Sample.id > after_id, ~is_broken())
        .order_by(Sample.id)
        .limit(limit)
    )
    return [SampleInfo(*row) for row in rows]


def count_samples(session: Session, *, project_id: int) -> SampleCounts:
    """Count where the samples stand."""
    decided = pairs(
        session.execute(
            select(CurrentDecision.action, func.count())
            .where(CurrentDecision.project_id == project_id)
            .group_by(CurrentDecision.action)
        )
    )
    labeled, skipped = decided.get("label", 0), decided.get("skip", 0)
    broken = {split: _count_broken(session, project_id, split) for split in ("pool", "test")}
    return SampleCounts(
        pool=_count_split(session, project_id, "pool") - labeled - skipped - broken["pool"],
        test=_count_split(session, project_id, "test") - broken["test"],
        labeled=labeled,
        skipped=skipped,
        broken=broken["pool"] + broken["test"],
    )


def has_undecided(session: Session, *, project_id: int) -> bool:
    """Say whether any sample of the pool may still be asked; looks no further than to the first of them."""
    decided = exists().where(CurrentDecision.sample_id == Sample.id)
    of_pool = (Sample.project_id == project_id, Sample.split == "pool")
    return session.scalar(select(Sample.id).where(*of_pool, ~decided, ~is_broken()).limit(1)) is not None


def last_added_at(session: Session, *, project_id: int, split: str = "pool") -> datetime | None:
    """Say when the newest sample of a split was imported; None: there is none."""
    newest = select(Sample.created_at).where(Sample.project_id == project_id, Sample.split == split)
    return session.scalar(newest.order_by(Sample.id.desc()).limit(1))


def added_by(session: Session, *, project_id: int, at: datetime) -> list[int]:
    """List the ids of the samples of the pool that were there by a time."""
    there = (Sample.project_id == project_id, Sample.split == "pool", Sample.created_at <= at)
    return list(session.scalars(select(Sample.id).where(*there).order_by(Sample.id)))


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut into pieces that one statement can take."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def _stored_uris(session: Session, project_id: int, hashes: list[str]) -> dict[str, str]:
    stored = select(Sample.sha256, Sample.uri).where(Sample.project_id == project_id, Sample.sha256.in_(hashes))
    return pairs(session.execute(stored))


def _check(sample: NewSample, classes: int) -> None:
    if sample.split not in ("pool", "test"):
        raise InvalidSampleError(f"{sample.uri}: the split is 'pool' or 'test', not {sample.split!r}.")
    if sample.class_index is None:
        return
    if sample.split == "pool":
        raise InvalidSampleError(f"{sample.uri}: a pool sample gets its class from a person, not from an import.")
    if not 0 <= sample.class_index < classes:
        raise InvalidSampleError(f"{sample.uri}: class {sample.class_index} is none of the project's {classes}.")


def is_broken() -> Exists:
    """Say of a row of ``Sample`` whether it could not be read."""
    return exists().where(SampleError.sample_id == Sample.id)


def _count_split(session: Session, project_id: int, split: str) -> int:
    """Count the samples that came since a reading session counted them last: pages ask for it every second."""
    counted = session.info.get(COUNTED, {})
    last, before = counted.get((project_id, split), (0, 0))
    newer = (Sample.project_id == project_id, Sample.split == split, Sample.id > last)
    found, newest = session.execute(select(func.count(), func.max(Sample.id)).where(*newer)).one()
    if found:
        counted[project_id, split] = newest, before + found
    return int(before + found)


def _count_broken(session: Session, project_id: int, split: str) -> int:
    undecided = ~exists().where(CurrentDecision.sample_id == Sample.id)
    broken = select(func.count()).select_from(SampleError).join(Sample, Sample.id == SampleError.sample_id)
    return session.scalar(broken.where(SampleError.project_id == project_id, Sample.split == split, undecided)) or 0
