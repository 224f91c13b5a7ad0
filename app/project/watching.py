"""One look at a watched source after another: what is new comes in, what moved, changed or is gone is named.

A look asks for size and time of each file and opens none. What is new waits until both have stood still from one look
to the next: it may be half written. A source that is away as a whole, a disk or a connection, marks nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.formats.errors import LostConnectionError
from app.formats.folders import files_below
from app.formats.reading import Reading
from app.formats.source import Entry, Source, printable
from app.project.creation import add_to_pool, open_for
from app.project.importing import ImportReport
from app.project.moved_files import REPLACED
from app.project.project import Project
from app.project.watched import Seen, Watched, note_outcome, note_seen, outcome_of, seen_of
from storage.places import samples_at

ITSELF = ""  # the name of a list among what is seen; no file below a folder has it
AWAY = "is not there just now; nothing was changed, and it is looked for again."


@dataclass
class SourceWatch:
    """What is known of one watched source; `look` is called again and again."""

    project: Project
    watched: Watched
    known: Seen = field(default_factory=dict)  # what was imported, as it was then
    _before: Seen = field(default_factory=dict)  # the look before this one

    def __post_init__(self) -> None:
        """Go on from what was seen before."""
        self.known = seen_of(self.project, self.watched)

    def look(self) -> bool:
        """Look once, and bring in what has settled; return whether anything was said.

        Raises:
            AppError, ImportingError, StorageError, OSError: It could not be brought in; the next look tries again.
        """
        try:
            seen, source = self._see()
        except (LostConnectionError, FileNotFoundError) as error:
            return self._is_away(str(error) if isinstance(error, LostConnectionError) else "")
        if self.known and not seen:  # an empty folder where a disk was
            return self._is_away("")
        settled = {
            name
            for name, state in seen.items()
            if state != self.known.get(name) and (self.watched.is_elsewhere or self._before.get(name) == state)
        }
        is_calm = all(state == self.known.get(name) or name in settled for name, state in seen.items())
        self._before = seen
        report = self._bring_in(settled, source) if settled else None
        gone = sorted(self.known.keys() - seen.keys()) if is_calm else []
        return self._note(report, gone, {name: seen[name] for name in settled})

    def _see(self) -> tuple[Seen, Source | None]:
        """What is there now; an address is opened for that."""
        if self.watched.is_elsewhere:
            source = self._opened()
            return seen_in(source.entries), source
        path = Path(self.watched.source)
        if path.is_dir():
            return dict(_of_files(path)), None
        named = (path.parent / name for name in {**self.known, **self._before} if name != ITSELF)
        return {ITSELF: _state(path), **dict(_those_there(path.parent, named))}, None

    def _opened(self) -> Source:
        watched = self.watched
        place = watched.source if watched.is_elsewhere else Path(watched.source)
        reading = Reading("", watched.text_column, watched.label_column, watched.outside)
        found = open_for(self.project, place, reading=reading, format=watched.format)
        return found.with_classes_renamed(watched.new_names)

    def _bring_in(self, settled: set[str], source: Source | None) -> ImportReport | None:
        source = source or self._opened()
        # A list may name files that nobody has looked at yet: from the next look on.
        named = seen_in([one for one in source.entries if one.text is None and not Path(self.watched.source).is_dir()])
        self._before = named | self._before
        entries = tuple(one for one in source.entries if self._is_wanted(one, settled))
        if not entries:
            return None
        wanted = replace(source, entries=entries, refused=tuple(r for r in source.refused if r.name in settled))
        return add_to_pool(self.project, wanted, labeled=self.watched.labeled, given_as=self.watched.source)

    def _is_wanted(self, entry: Entry, settled: set[str]) -> bool:
        """What has settled; of a list that changed, its rows, and with labels all that it names."""
        if entry.text is not None:
            return ITSELF in settled
        return entry.name in settled or (self.watched.labeled and ITSELF in settled and entry.name in self.known)

    def _is_away(self, why: str) -> bool:
        trouble = why or f"{self.watched.source} {AWAY}"
        is_news = outcome_of(self.project, self.watched).trouble != trouble
        if is_news:
            note_outcome(self.project, self.watched, trouble=trouble)
        return is_news

    def _note(self, report: ImportReport | None, gone: Sequence[str], settled: Seen) -> bool:
        said = self._sentence(report, gone)
        if settled or gone:
            self.known = {name: state for name, state in (self.known | settled).items() if name not in gone}
            note_seen(self.project, self.watched, self.known)
        if said or outcome_of(self.project, self.watched).trouble:
            note_outcome(self.project, self.watched, said=said)
        return bool(said)

    def _sentence(self, report: ImportReport | None, gone: Sequence[str]) -> str:
        parts: list[str] = []
        if report is not None:
            replaced = sum(one.reason == REPLACED for one in report.moved)
            moved = [one for one in report.moved if one.reason != REPLACED]
            parts += [f"{_counted(report.added, 'new sample')} came in"] if report.added else []
            parts += [f"{_counted(report.taken.labels, 'label')} taken over"] if report.taken.labels else []
            parts += [f"{len(report.refused):,} refused"] if report.refused else []
            parts += [f"{len(moved):,} found at another place, such as {moved[0].name}"] if moved else []
            parts += [f"{_counted(replaced, 'other picture')} under a known name"] if replaced else []
        lost = self._still_said_to_be(gone)
        parts += [f"{len(lost):,} gone, such as {printable(lost[0])}"] if lost else []
        return f"{'; '.join(parts)}." if parts else ""

    def _still_said_to_be(self, gone: Sequence[str]) -> list[str]:
        """The names of files that are gone and that a sample is said to be at: those that moved have another place."""
        if not gone or self.watched.is_elsewhere:
            return []
        path = Path(self.watched.source)
        root = path if path.is_dir() else path.parent
        with self.project.opened_to_read(settle=False) as database, database.read() as session:
            project_id = self.project.project_id(database)
            there = samples_at(session, project_id=project_id, uris=[str(root / name) for name in gone])
        return sorted(Path(sample.uri).name for sample in there)


def seen_in(entries: Sequence[Entry]) -> Seen:
    """What an opened source shows: the state of each file, and of all rows together."""
    texts = [entry.text for entry in entries if entry.text is not None]
    rows: Seen = {ITSELF: (len(texts), zlib.crc32("\0".join(texts).encode()))} if texts else {}
    files = [entry for entry in entries if entry.text is None]
    return rows | {entry.name: _state(entry.path) for entry in files if entry.path.is_file()}


def seen_now(source: Source, watched: Watched) -> Seen:
    """What a source shows that is about to be imported."""
    path = Path(watched.source)
    is_list = not watched.is_elsewhere and path.is_file()
    if not watched.is_elsewhere and not is_list:
        return dict(_of_files(path))
    seen = seen_in(source.entries)
    return seen | {ITSELF: _state(path)} if is_list else seen


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _of_files(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    return _those_there(folder, files_below(folder))


def _those_there(root: Path, paths: Iterator[Path]) -> Iterator[tuple[str, tuple[int, int]]]:
    for path in paths:
        with suppress(OSError):  # it went while we looked, or is a link to nothing: the next look sees that
            yield path.relative_to(root).as_posix(), _state(path)


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
