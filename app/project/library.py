"""The projects of this machine: which there are, and copying, archiving, deleting and bringing them back.

Known is what was made or run here: folders in `projects.json` of LabelLoop's home. Nothing is ever taken from a disk: a
project that is deleted is moved into a hidden folder beside it, and lies there until somebody empties that.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from app.errors import ProjectError, TrainerRunningError
from app.project.home import home_folder
from app.project.lock import trainer_lock
from app.project.project import DATABASE_URL_VARIABLE, Project, new_project, open_project
from app.project.settings import write_atomically

logger = logging.getLogger(__name__)

TRASH = ".labelloop-trash"  # beside the project: a move on the same disk, whatever its size
_NOT_COPIED = ("supervisor.lock", "trainer.lock", "address.json", "note.json", "logs")


@dataclass(frozen=True)
class Entry:
    """A project that is known here."""

    folder: Path  # where it is; of a deleted one in the trash
    archived: bool = False
    deleted_from: Path | None = None  # where it was

    @property
    def called(self) -> Path:
        """The folder under which people know it."""
        return self.deleted_from or self.folder


def known_projects() -> list[Entry]:
    """List the projects by folder; what was moved away by other means is left out."""
    found = [entry for entry in _read() if Project(entry.folder).settings_path.is_file()]
    return sorted(found, key=lambda entry: str(entry.called))


def note_project(folder: Path) -> None:
    """Remember a project that is made or run; where the list cannot be written, that is said in the log."""
    folder = folder.expanduser().resolve()
    try:
        if all(entry.folder != folder for entry in _read()):
            _change(lambda entries: [*entries, Entry(folder)])
    except (OSError, ProjectError) as error:  # nobody must be kept from labeling by a list
        logger.warning("%s is not noted in the list of projects: %s", folder, error)


def copy_project(folder: Path, to: Path) -> Project:
    """Copy a project with its labels, rounds and what was uploaded; files that it only refers to stay where they are.

    Raises:
        ProjectError: It runs, its labels are not in this folder, or the new folder is not empty.
    """
    project, target = open_project(folder), new_project(to)
    if project.is_elsewhere:
        raise ProjectError(
            f"The labels are in another database ({DATABASE_URL_VARIABLE}); 'labelloop move' copies them."
        )
    if target.folder.is_relative_to(project.folder):
        raise ProjectError(f"{target.folder} lies inside the project; give the copy a folder of its own.")
    target.folder.parent.mkdir(parents=True, exist_ok=True)
    half = target.folder.with_name(f".{target.folder.name}.copying")
    with _at_rest(project):
        try:
            shutil.copytree(project.folder, half, symlinks=True, ignore=shutil.ignore_patterns(*_NOT_COPIED))
            if target.folder.is_dir():
                target.folder.rmdir()
            half.rename(target.folder)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise
    note_project(target.folder)
    return target


def archive_project(folder: Path) -> Project:
    """Put a project aside: it is listed apart, and nothing of it changes."""
    project = open_project(folder)
    note_project(project.folder)
    _change(lambda entries: [replace(one, archived=one.archived or one.folder == project.folder) for one in entries])
    return project


def delete_project(folder: Path) -> Entry:
    """Move a project into the trash beside it; `bring_back` moves it here again.

    Raises:
        ProjectError: It is none, it runs, or it cannot be moved.
    """
    project = open_project(folder)
    trash = project.folder.parent / TRASH
    place = trash / f"{project.folder.name}-{datetime.now().astimezone():%Y%m%d-%H%M%S-%f}"
    with _at_rest(project), _said("moved", project.folder):
        trash.mkdir(exist_ok=True)
        project.folder.rename(place)
    entry = Entry(place, deleted_from=project.folder)
    _change(lambda entries: [*(one for one in entries if one.folder != project.folder), entry])
    return entry


def bring_back(folder: Path) -> str:
    """Bring a project back that was archived, or else deleted, the last one that was there; say which.

    Raises:
        ProjectError: Nothing is to be brought back, or something else is in its place.
    """
    folder = folder.expanduser().resolve()
    found = [entry for entry in known_projects() if folder in (entry.folder, entry.deleted_from)]
    if any(entry.archived for entry in found):
        _change(lambda entries: [replace(one, archived=one.archived and one.folder != folder) for one in entries])
        return f"{folder} is among the projects again."
    deleted = [entry for entry in found if entry.deleted_from is not None]
    if not deleted:
        raise ProjectError(f"No project was deleted from {folder}, or archived there; 'labelloop projects' lists them.")
    return _out_of_trash(max(deleted, key=lambda entry: entry.folder.name))


def _out_of_trash(entry: Entry) -> str:
    place = entry.called
    if os.path.lexists(place):
        raise ProjectError(f"{place} is taken by now; move what is there, then bring the project back.")
    with _said("moved back", entry.folder):
        place.parent.mkdir(parents=True, exist_ok=True)
        entry.folder.rename(place)
    _change(lambda entries: [Entry(place) if one.folder == entry.folder else one for one in entries])
    return f"{place} is back."


@contextmanager
def _at_rest(project: Project) -> Iterator[None]:
    """Hold a project that neither runs nor is trained, so that nobody starts to."""
    with ExitStack() as stack:
        try:
            for path in (project.supervisor_lock_path, project.lock_path):
                stack.enter_context(trainer_lock(path))
        except TrainerRunningError:
            raise ProjectError(f"{project.folder} is running; close it first: Ctrl+C where it was started.") from None
        yield


@contextmanager
def _said(done: str, folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ProjectError(f"{folder} could not be {done}: {error.strerror}.") from error


def _list_path() -> Path:
    return home_folder() / "projects.json"


def _read() -> list[Entry]:
    path = _list_path()
    if not path.is_file():
        return []
    try:
        return [_entry(row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError, KeyError) as error:
        raise ProjectError(
            f"The list of projects, {path}, cannot be read: {error}. Delete it to begin anew."
        ) from error


def _entry(row: dict[str, Any]) -> Entry:
    before = row["deleted_from"]
    return Entry(Path(row["folder"]), bool(row["archived"]), Path(before) if before else None)


def _change(change: Callable[[list[Entry]], list[Entry]]) -> None:
    path = _list_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        rows = [
            {
                "folder": str(entry.folder),
                "archived": entry.archived,
                "deleted_from": str(entry.deleted_from) if entry.deleted_from else None,
            }
            for entry in change(_read())
        ]
        write_atomically(path, json.dumps(rows, indent=1).encode())
