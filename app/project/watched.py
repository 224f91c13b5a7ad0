"""Sources that are watched: which they are, and what came in from each last.

A person says what is watched (`watched.json`, written by screens and command line); the trainer's process looks and
notes what it saw (`watched/`, a file of its own for each source).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from filelock import FileLock

from app.errors import ProjectError
from app.formats.connection import is_address, shown
from app.project.project import Project
from app.project.settings import write_atomically

FOLDER = "watched"
Seen = dict[str, tuple[int, int]]  # by name: bytes, and nanoseconds of the last change


@dataclass(frozen=True)
class Watched:
    """A source whose new samples come in by themselves."""

    source: str  # an absolute path, or an address
    labeled: bool = False  # whether its labels are taken over
    format: str = ""  # where it cannot be told by looking
    text_column: str = ""
    label_column: str = ""
    outside: bool = False  # whether files outside its folder come in
    new_names: dict[str, str] = field(default_factory=dict)  # of classes, by their names in the source

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is at an address."""
        return is_address(self.source)


@dataclass(frozen=True)
class Outcome:
    """What became of a source last."""

    said: str = ""  # a sentence; empty: nothing has come in yet
    at: datetime | None = None  # of that
    trouble: str = ""  # why it cannot be looked at just now


def watched_sources(project: Project) -> list[Watched]:
    """List the sources, in the order in which they were named."""
    path = _list_path(project)
    if not path.is_file():
        return []
    try:
        return [Watched(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as error:
        raise ProjectError(f"{path} cannot be read: {error}. Delete it, and name the sources again.") from error


def watched_as(source: Path | str, **how: Any) -> Watched:  # noqa: ANN401 - the fields of one
    """Return what a person named as a source to watch.

    Raises:
        ProjectError: It cannot be watched.
    """
    if isinstance(source, str) and is_address(source):
        if shown(source) != source:
            raise ProjectError("An address with a password or a key in it is not kept, so it cannot be watched.")
        return Watched(source, **how)
    path = Path(source).expanduser().resolve()
    if path.suffix.lower() in (".zip", ".tar", ".gz", ".tgz"):
        raise ProjectError(f"{path.name} is an archive: a folder, a list or an address can be watched.")
    return Watched(str(path), **how)


def watch(project: Project, watched: Watched, seen: Seen) -> None:
    """Watch a source from now on.

    Args:
        project: Gets what comes.
        watched: The source.
        seen: What was there before its import began; that, as it was then, is not looked at again.
    """
    note_seen(project, watched, seen)
    _change(project, [one for one in watched_sources(project) if one.source != watched.source] + [watched])


def unwatch(project: Project, source: str) -> None:
    """Watch a source no longer.

    Raises:
        ProjectError: It was not watched.
    """
    found = watched_sources(project)
    kept = [one for one in found if source not in (one.source, shown(one.source)) and not _is_path(source, one.source)]
    if len(kept) == len(found):
        raise ProjectError(f"{source} is not watched; 'labelloop watch {project.folder}' lists what is.")
    _change(project, kept)


def seen_of(project: Project, watched: Watched) -> Seen:
    """What was there when the source was last looked at; nothing where nobody has looked, or the file is damaged."""
    try:
        rows = json.loads(_path(project, watched, "seen").read_text(encoding="utf-8"))
        return {name: (int(size), int(changed)) for name, (size, changed) in rows.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def note_seen(project: Project, watched: Watched, seen: Seen) -> None:
    """Keep what is there."""
    _write(project, watched, "seen", seen)


def outcome_of(project: Project, watched: Watched) -> Outcome:
    """What became of a source last."""
    try:
        row = json.loads(_path(project, watched, "outcome").read_text(encoding="utf-8"))
        at = datetime.fromisoformat(row["at"]) if row["at"] else None
        return Outcome(str(row["said"]), at, str(row["trouble"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Outcome()


def note_outcome(project: Project, watched: Watched, *, said: str = "", trouble: str = "") -> None:
    """Keep what became of a source; what was said before stays beside a trouble."""
    before = outcome_of(project, watched)
    at = datetime.now(timezone.utc) if said else before.at
    row = {"said": said or before.said, "at": at.isoformat() if at else "", "trouble": trouble}
    _write(project, watched, "outcome", row)


def _is_path(given: str, source: str) -> bool:
    return not is_address(source) and str(Path(given).expanduser().resolve()) == source


def _list_path(project: Project) -> Path:
    return project.folder / "watched.json"


def _path(project: Project, watched: Watched, what: str) -> Path:
    digest = hashlib.sha256(watched.source.encode()).hexdigest()[:16]
    return project.folder / FOLDER / f"{digest}.{what}.json"


def _write(project: Project, watched: Watched, what: str, content: object) -> None:
    path = _path(project, watched, what)
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, json.dumps(content).encode())


def _change(project: Project, sources: list[Watched]) -> None:
    with FileLock(_list_path(project).with_suffix(".lock")):
        write_atomically(_list_path(project), json.dumps([asdict(one) for one in sources], indent=1).encode())
