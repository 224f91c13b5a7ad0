"""One import: look at every sample, add the good ones, list the others by name and reason; then their labels."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from app.formats.errors import RefusedSampleError, SourceError
from app.formats.source import Entry, Refused, Source, alike, printable
from app.kinds.kind import KINDS, Admitted, Kind, kind_named
from app.project.carried_labels import CarriedLabels, ImportedLabels, take_labels
from app.project.moved_files import MovedFiles
from storage.engine import Database
from storage.projects import kind_of_samples
from storage.refusals import list_refusals, record_refusals
from storage.samples import NewSample, add_samples

T = TypeVar("T")
Split = Literal["pool", "test"]
Progress = Callable[[int, int], None]
Outcome = Admitted | RefusedSampleError
Pair = tuple[Entry, Outcome]

BATCH = 100  # samples per transaction: an insert of more rows would hold the labelers' saves up
MAX_WORKERS = 4  # decoding threads; each may hold one decoded image of 64 million pixels


@dataclass(frozen=True)
class ImportReport:
    """What became of every sample of an import."""

    added: int
    refused: tuple[Refused, ...]  # those that no earlier import has listed
    duplicates: tuple[Refused, ...]
    labels_ignored: int  # labels given for samples of the pool that nobody asked to take over
    moved: tuple[Refused, ...] = ()  # samples whose file was found at another place, or holds another picture by now
    taken: ImportedLabels = field(default_factory=ImportedLabels)  # labels that came with the source
    notes: tuple[str, ...] = ()  # sentences of the format's reader
    refused_before: int = 0  # files that an earlier import has refused for the same reason

    @property
    def brought_nothing(self) -> bool:
        """True when every file was refused."""
        came = self.added or self.duplicates or self.moved or self.taken.labels or self.taken.skips
        return not came and bool(self.refused or self.refused_before)


@dataclass
class _Import:
    """The state of one running import."""

    project_id: int
    kind: Kind
    split: Split
    classes: Sequence[str]
    places: MovedFiles
    added: int = 0
    refused: list[Refused] = field(default_factory=list)
    duplicates: list[Refused] = field(default_factory=list)
    first_by_content: dict[bytes, Entry] = field(default_factory=dict)  # by half of the SHA-256, which takes less room
    carried: CarriedLabels = field(default_factory=CarriedLabels)


def run_import(
    database: Database,
    *,
    project_id: int,
    source: Source,
    split: Split = "pool",
    classes: Sequence[str] = (),
    labeled: bool = False,
    given_as: str = "",
    progress: Progress | None = None,
) -> ImportReport:
    """Add every good sample of a source to the project; bad ones and duplicates are listed and change nothing.

    Killed half-way, it leaves whole batches behind; run again, it adds the rest.

    Args:
        database: the project's.
        project_id: of the project.
        source: from `app.formats.registry`.
        split: `pool` to be labeled by people, or `test` with labels from the source.
        classes: the project's classes in order of their index; needed for `test` and for labels.
        labeled: whether the labels and predictions that a pool source carries become the project's.
        given_as: what the person named, to find the import again that is to be undone.
        progress: called with (samples done, samples in all).
    """
    with database.read() as session:
        kind = kind_named(kind_of_samples(session, project_id=project_id))
    if labeled or split == "test":
        source = source.with_classes_of(classes)
    running = _Import(project_id, kind, split, classes, MovedFiles(project_id), refused=list(source.refused))
    held: list[Pair] = []  # of a test set: a label that comes later may contradict
    with ThreadPoolExecutor(max_workers=min(MAX_WORKERS, os.cpu_count() or 1)) as threads:
        done = 0
        for batch in _batches(source.entries):
            pairs = list(zip(batch, threads.map(lambda entry: _check(entry, running), batch), strict=True))
            if split == "test":
                held += pairs
            else:
                _store(database, running, pairs)
            done += len(batch)
            if progress is not None:
                progress(done, len(source.entries))
    for part in _batches(_without_contradictions(held, running)):
        _store(database, running, part)
    moved = running.places.finish(database)
    taken = ImportedLabels()
    if labeled and split == "pool":
        taken = take_labels(
            database, running.carried, project_id=project_id, classes=classes, source=source, given_as=given_as
        )
    new = _newly_refused(database, running)
    return ImportReport(
        running.added,
        new,
        tuple(running.duplicates),
        source.labels_given if split == "pool" and not labeled else 0,
        moved,
        taken,
        source.notes,
        len(running.refused) - len(new),
    )


def refuse_unusable(source: Source) -> None:
    """Look for one sample that can be used; usually it is the first.

    Raises:
        SourceError: there is none; it says the commonest reason.
    """
    reasons = Counter(refused.reason for refused in source.refused)
    looking = _Import(0, kind_named(source.kind), "pool", (), MovedFiles(0))
    for entry in source.entries:
        outcome = _check(entry, looking)
        if not isinstance(outcome, RefusedSampleError):
            return
        reasons[outcome.reason] += 1
    where, noun = (
        printable(source.listed_in or str(source.root)),
        "file" if looking.kind.IN_FILES else looking.kind.NOUN,
    )
    if not reasons:
        raise SourceError(f"{where} holds nothing that can be imported.")
    reason, count = reasons.most_common(1)[0]
    if reasons.total() == 1:
        raise SourceError(f"The only {noun} of {where} cannot be imported: it {reason}.{_if_rows(source)}")
    which = "each" if count == reasons.total() else f"{count:,} of them"
    said = f"None of the {reasons.total():,} {noun}s of {where} can be imported; {which}: {reason}."
    raise SourceError(f"{said}{_if_rows(source)}")


def _if_rows(source: Source) -> str:
    """What else a list may be of which no file is there, or where that is; empty where one is there."""
    if not source.entries or any(os.path.lexists(entry.path) for entry in source.entries):
        return ""
    near = _folder_nearby(source.root, Path(source.entries[0].name).name)
    if near is not None:
        return f" {printable(near.name)} is in {printable(str(near.parent))}: put the list there."
    if not source.listed_in:
        return ""
    kinds = " or ".join(f"--kind {name}" for name in KINDS if not kind_named(name).IN_FILES)
    return f" If its rows are the samples themselves, make the project with 'labelloop init' and {kinds}."


def _folder_nearby(root: Path, name: str) -> Path | None:
    """Where a file is that a list names: in a folder beside the list or beside its own, as other tools lay them out."""
    readable = (parent for parent in (root, root.parent) if os.access(parent, os.R_OK | os.X_OK))
    beside = (folder / name for parent in readable for folder in sorted(parent.iterdir()))
    return next((path for path in beside if os.access(path, os.R_OK)), None)


def _batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]


def _check(entry: Entry, running: _Import) -> Outcome:
    """Look at one sample in a thread; a refusal is a result, so that the others go on."""
    try:
        _check_storable(entry.path)
        _class_index(entry, running)
        admitted = running.kind.admit(entry)
        _check_hash(entry, admitted)
    except RefusedSampleError as refusal:
        return refusal
    except Exception as error:  # noqa: BLE001 - one sample must never end an import; the reason is listed
        return RefusedSampleError(f"cannot be read: {type(error).__name__}")
    return admitted


def _check_storable(path: Path) -> None:
    """Refuse names that are no text: a database cannot hold them."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise RefusedSampleError("its name is not valid UTF-8; rename it") from None


def _check_hash(entry: Entry, checked: Admitted) -> None:
    """Labels go with the bytes they were given for."""
    if entry.sha256 and checked.sha256 != entry.sha256:
        raise RefusedSampleError("holds other bytes than when the list was written")


def _class_index(entry: Entry, running: _Import) -> int | None:
    if running.split == "pool":
        return None
    name = _standing_class(entry)
    if not name:
        raise RefusedSampleError("has no label, and a test sample needs one")
    names = [alike(known) for known in running.classes]
    if alike(name) not in names:
        raise RefusedSampleError(f"its label {printable(name)} is none of the project's classes")
    return names.index(alike(name))


def _standing_class(entry: Entry) -> str:
    return next((given.class_name for given in reversed(entry.given) if given.action != "flag"), "")


def _without_contradictions(pairs: Sequence[Pair], running: _Import) -> list[Pair]:
    """Refuse what has two labels in a test set: neither may count."""
    names: dict[str, dict[str, str]] = {}  # by content: a file with each class
    for entry, outcome in pairs:
        if not isinstance(outcome, RefusedSampleError):
            names.setdefault(outcome.sha256, {}).setdefault(alike(_standing_class(entry)), entry.name)
    good: list[Pair] = []
    for entry, outcome in pairs:
        said = {} if isinstance(outcome, RefusedSampleError) else names[outcome.sha256]
        if len(said) > 1:
            told = " and ".join(f"{printable(name)} as {printable(file)}" for name, file in said.items())
            running.refused.append(Refused(printable(entry.name), f"has two labels in the test set, {told}"))
        else:
            good.append((entry, outcome))
    return good


def _store(database: Database, running: _Import, batch: Sequence[Pair]) -> None:
    """Add the good ones of a batch in one transaction and list the others."""
    good: dict[str, Entry] = {}  # by uri
    samples: list[NewSample] = []
    for entry, outcome in batch:
        if isinstance(outcome, RefusedSampleError):
            running.refused.append(Refused(printable(entry.name), printable(outcome.reason)))
            continue
        running.carried.add(outcome.sha256, entry)
        if _is_first(entry, outcome, running):
            samples.append(_new_sample(entry, outcome, running))
            good[samples[-1].uri] = entry
    moves = running.places.look_at(database, samples) if running.kind.IN_FILES else []
    with database.write() as session:
        running.places.apply(session, moves)
        result = add_samples(session, project_id=running.project_id, samples=samples)
    running.added += result.added
    for duplicate in result.duplicates:
        reason = _same_as(duplicate.first_uri, running)
        known = duplicate.first_uri == duplicate.uri
        if not running.places.has_moved_to(duplicate.uri):
            _list_duplicate(running, good[duplicate.uri], "is in the project already" if known else reason)


def _is_first(entry: Entry, checked: Admitted, running: _Import) -> bool:
    """Tell whether this import has not met the same before; if it has, list the sample as a duplicate."""
    first = running.first_by_content.setdefault(bytes.fromhex(checked.sha256)[:16], entry)
    if first is not entry:
        _list_duplicate(running, entry, _same_as(first.name, running))
    return first is entry


def _same_as(name: str, running: _Import) -> str:
    return f"is the same {running.kind.NOUN} as {printable(name)}"


def _list_duplicate(running: _Import, entry: Entry, reason: str) -> None:
    running.duplicates.append(Refused(printable(entry.name), reason))


def _new_sample(entry: Entry, checked: Admitted, running: _Import) -> NewSample:
    return NewSample(
        uri=checked.uri,
        sha256=checked.sha256,
        width=checked.width,
        height=checked.height,
        content=checked.content,
        split=running.split,
        class_index=_class_index(entry, running),
    )


def _newly_refused(database: Database, running: _Import) -> tuple[Refused, ...]:
    """Keep the list for the Setup screen, also when the import ran on the command line; what is on it is not news."""
    with database.read() as session:
        known = {(row.uri, row.reason) for row in list_refusals(session, project_id=running.project_id)}
    new = tuple(refused for refused in running.refused if (refused.name, refused.reason) not in known)
    if new:
        with database.write() as session:
            record_refusals(session, project_id=running.project_id, refusals=[(r.name, r.reason) for r in new])
    return new
