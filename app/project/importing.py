"""One import: look at every sample, add the good ones, list the others by name and reason."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from app.formats.errors import RefusedSampleError
from app.formats.sources import Entry, Refused, Source, printable
from app.kinds.kind import Admitted, Kind, kind_named
from storage.engine import Database
from storage.projects import kind_of_samples
from storage.samples import NewSample, add_samples, record_refusals

Split = Literal["pool", "test"]
Progress = Callable[[int, int], None]

BATCH = 100  # samples per transaction: an insert of more rows would hold the labelers' saves up
MAX_WORKERS = 4  # decoding threads; each may hold one decoded image of 25 million pixels


@dataclass(frozen=True)
class ImportReport:
    """What became of every sample of an import."""

    added: int
    refused: tuple[Refused, ...]
    duplicates: tuple[Refused, ...]
    labels_ignored: int  # labels given for samples of the pool: people give those, so they are not taken over


@dataclass
class _Import:
    """The state of one running import."""

    project_id: int
    kind: Kind
    split: Split
    classes: Sequence[str]
    added: int = 0
    refused: list[Refused] = field(default_factory=list)
    duplicates: list[Refused] = field(default_factory=list)
    first_by_content: dict[bytes, Entry] = field(default_factory=dict)  # by half of the SHA-256, which takes less room


def run_import(
    database: Database,
    *,
    project_id: int,
    source: Source,
    split: Split = "pool",
    classes: Sequence[str] = (),
    progress: Progress | None = None,
) -> ImportReport:
    """Add every good sample of a source to the project; bad ones and duplicates are listed and change nothing.

    Killed half-way, it leaves whole batches behind; run again, it adds the rest.

    Args:
        database: the project's.
        project_id: of the project.
        source: from `app.formats.sources`.
        split: `pool` to be labeled by people, or `test` with labels from the source.
        classes: the project's classes in order of their index; needed for `test`.
        progress: called with (samples done, samples in all).
    """
    with database.read() as session:
        kind = kind_named(kind_of_samples(session, project_id=project_id))
    running = _Import(project_id, kind, split, classes, refused=list(source.refused))
    with ThreadPoolExecutor(max_workers=min(MAX_WORKERS, os.cpu_count() or 1)) as threads:
        done = 0
        for batch in _batches(source.entries):
            outcomes = list(threads.map(lambda entry: _check(entry, running), batch))
            _store(database, running, batch, outcomes)
            done += len(batch)
            if progress is not None:
                progress(done, len(source.entries))
    _record_refusals(database, running)
    ignored = source.labels_given if split == "pool" else 0
    return ImportReport(running.added, tuple(running.refused), tuple(running.duplicates), ignored)


def _batches(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(entries), BATCH):
        yield entries[start : start + BATCH]


def _check(entry: Entry, running: _Import) -> Admitted | RefusedSampleError:
    """Look at one sample in a thread; a refusal is a result, so that the others go on."""
    try:
        _check_storable(entry.path)
        _class_index(entry, running)
        return running.kind.admit(entry)
    except RefusedSampleError as refusal:
        return refusal
    except Exception as error:  # noqa: BLE001 - one sample must never end an import; the reason is listed
        return RefusedSampleError(f"cannot be read: {type(error).__name__}")


def _check_storable(path: Path) -> None:
    """Refuse names that are no text: a database cannot hold them."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise RefusedSampleError("its name is not valid UTF-8; rename it") from None


def _class_index(entry: Entry, running: _Import) -> int | None:
    if running.split == "pool":
        return None
    if not entry.class_name:
        raise RefusedSampleError("has no label, and a test sample needs one")
    if entry.class_name not in running.classes:
        raise RefusedSampleError(f"its label {printable(entry.class_name)} is none of the project's classes")
    return list(running.classes).index(entry.class_name)


def _store(
    database: Database,
    running: _Import,
    batch: Sequence[Entry],
    outcomes: Sequence[Admitted | RefusedSampleError],
) -> None:
    """Add the good ones of a batch in one transaction and list the others."""
    good: dict[str, Entry] = {}  # by uri
    samples: list[NewSample] = []
    for entry, outcome in zip(batch, outcomes, strict=True):
        if isinstance(outcome, RefusedSampleError):
            running.refused.append(Refused(printable(entry.name), printable(outcome.reason)))
        elif _is_first(entry, outcome, running):
            samples.append(_new_sample(entry, outcome, running))
            good[samples[-1].uri] = entry
    with database.write() as session:
        result = add_samples(session, project_id=running.project_id, samples=samples)
    running.added += result.added
    for duplicate in result.duplicates:
        reason = _same_as(duplicate.first_uri, running)
        known = duplicate.first_uri == duplicate.uri
        _list_duplicate(running, good[duplicate.uri], "is in the project already" if known else reason)


def _is_first(entry: Entry, admitted: Admitted, running: _Import) -> bool:
    """Tell whether this import has not met the same before; if it has, list the sample as a duplicate."""
    first = running.first_by_content.setdefault(bytes.fromhex(admitted.sha256)[:16], entry)
    if first is not entry:
        _list_duplicate(running, entry, _same_as(first.name, running))
    return first is entry


def _same_as(name: str, running: _Import) -> str:
    return f"is the same {running.kind.NOUN} as {printable(name)}"


def _list_duplicate(running: _Import, entry: Entry, reason: str) -> None:
    running.duplicates.append(Refused(printable(entry.name), reason))


def _new_sample(entry: Entry, admitted: Admitted, running: _Import) -> NewSample:
    return NewSample(
        uri=admitted.uri,
        sha256=admitted.sha256,
        width=admitted.width,
        height=admitted.height,
        content=admitted.content,
        split=running.split,
        class_index=_class_index(entry, running),
    )


def _record_refusals(database: Database, running: _Import) -> None:
    """Keep the list for the Setup screen, also when the import ran on the command line."""
    refusals = [(refused.name, refused.reason) for refused in running.refused]
    if refusals:
        with database.write() as session:
            record_refusals(session, project_id=running.project_id, refusals=refusals)
