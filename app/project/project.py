"""A project is a folder: settings, database, features, rounds and thumbnails. This module knows what lies where."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import ProjectError
from app.kinds.kind import kind_named
from app.project.class_names import check_classes
from app.project.settings import ProjectSettings, check_choice, load_settings, save_settings, write_atomically
from loops.acquisition import catalog

if TYPE_CHECKING:
    from storage.engine import Database

logger = logging.getLogger(__name__)

PLACE_FILE = "place.txt"  # among the unpacked images: where they were when the database was last opened
DATABASE_URL_VARIABLE = "LABELLOOP_DATABASE_URL"


@dataclass(frozen=True)
class Project:
    """One project's folder; opening it reads nothing yet."""

    folder: Path  # absolute

    @property
    def settings_path(self) -> Path:
        """``settings.toml``: what makes a folder a project."""
        return self.folder / "settings.toml"

    @property
    def database_path(self) -> Path:
        """The SQLite file: that of the URL in force, or this folder's, though a server's is in force."""
        named = os.environ.get(DATABASE_URL_VARIABLE)
        if not named or self.is_on_server:
            return self._own_database_path
        from storage.engine import parse

        return Path(parse(named).database or "").absolute()

    @property
    def _own_database_path(self) -> Path:
        return self.folder / "labelloop.db"

    @property
    def database_file(self) -> tuple[int, int] | None:
        """Which file the SQLite file is, by device and number; None where there is none.

        Whoever opened one before another was put in its place must open it again: storage refuses to go on.
        """
        from storage.filesystem import file_at

        return None if self.is_on_server else file_at(self.database_path)

    @property
    def database_url(self) -> str:
        """The URL in ``LABELLOOP_DATABASE_URL``, or this folder's SQLite file."""
        return os.environ.get(DATABASE_URL_VARIABLE) or self._own_url

    @property
    def features_dir(self) -> Path:
        """Memory-mapped arrays, one folder per backbone."""
        return self.folder / "features"

    @property
    def rounds_dir(self) -> Path:
        """``rounds/NNNN/``: a round's checkpoint and its scores."""
        return self.folder / "rounds"

    @property
    def thumbnails_dir(self) -> Path:
        """Small copies of images for galleries and the history."""
        return self.folder / "thumbnails"

    @property
    def uploads_dir(self) -> Path:
        """What came in a zip file, or from elsewhere."""
        return self.folder / "uploads"

    @property
    def logs_dir(self) -> Path:
        """The output of screens and trainer."""
        return self.folder / "logs"

    @property
    def lock_path(self) -> Path:
        """Held by the one trainer of this project."""
        return self.folder / "trainer.lock"

    @property
    def supervisor_lock_path(self) -> Path:
        """Held by the one supervisor of this project."""
        return self.folder / "supervisor.lock"

    @property
    def address_path(self) -> Path:
        """Says where the screens are, while the project runs."""
        return self.folder / "address.json"

    @property
    def note_path(self) -> Path:
        """What the screens ask their supervisor for: to open or close another project."""
        return self.folder / "note.json"

    def settings(self) -> ProjectSettings:
        """Read the settings as they are now; a person may edit them while the project runs."""
        return load_settings(self.settings_path)

    @property
    def is_on_server(self) -> bool:
        """Whether a database server holds the labels, and not a file of this folder."""
        return not self.database_url.startswith("sqlite")

    @property
    def is_elsewhere(self) -> bool:
        """Whether the labels are in another database than this folder's file, on a server or not."""
        return self.database_url != self._own_url

    @property
    def _own_url(self) -> str:
        from storage.engine import sqlite_url  # SQLAlchemy, which no command's help needs

        return sqlite_url(self._own_database_path)

    def open_database(self) -> Database:
        """Open the project's database to be written: migrated if needed, and with all that its journal has.

        What had to be put back is said in the log, which for a command is the terminal.
        """
        from storage.opening import open_database  # the command line's --help must not pay for SQLAlchemy

        database = open_database(self.database_url)
        if database.recovered:
            logger.warning(database.recovered)
        if self.uploads_dir.is_dir():
            self._follow_uploads(database)
        return database

    @contextmanager
    def opened_to_read(self, *, settle: bool = True) -> Iterator[Database]:
        """Open the project's database for a look, also where nothing can be written; a lost one is not made anew.

        Args:
            settle: where it can be written, put back what its journal has.
        """
        from storage.errors import DatabaseReadOnlyError
        from storage.opening import opened_to_read

        if settle and (self.is_on_server or (self.database_path.is_file() and self._is_writable())):
            try:
                database = self.open_database()
            except DatabaseReadOnlyError:  # a disk that is mounted so lets even root write nothing
                database = None
            if database is not None:
                with closing(database):
                    yield database
                return
        with opened_to_read(self.database_url) as database:
            yield database

    def _is_writable(self) -> bool:
        return all(os.access(path, os.W_OK) for path in (self.database_path.parent, self.database_path))

    def _follow_uploads(self, database: Database) -> None:
        """Note where the unpacked images are now, when the project's folder was moved or copied with them."""
        marker, here = self.uploads_dir / PLACE_FILE, str(self.uploads_dir)
        known = marker.read_text(encoding="utf-8") if marker.is_file() else ""
        if known == here:
            return
        from storage.places import move_uploads

        move_uploads(database, old=known, new=here)
        write_atomically(marker, here.encode())

    def project_id(self, database: Database) -> int:
        """Find this project's row.

        Raises:
            ProjectError: When the database holds no project of this name.
        """
        from storage.projects import find_project

        name = self.settings().name
        with database.read() as session:
            info = find_project(session, name=name)
        if info is None:
            raise ProjectError(
                f"The database of {self.folder} holds no project named {name!r}. Was 'name' in settings.toml changed, "
                f"or {DATABASE_URL_VARIABLE} set or taken away? If the database was lost, 'labelloop restore' brings "
                "it back."
            )
        return info.id


def open_project(folder: Path | str) -> Project:
    """Open the project in a folder.

    Raises:
        ProjectError: When the folder is not there or is no project.
        SettingsError: When its settings cannot be used.
    """
    project = Project(Path(folder).expanduser().resolve())
    if project.folder.is_file():
        raise ProjectError(f"{project.folder} is a file; a project is named by its folder.")
    if not project.folder.is_dir():
        raise ProjectError(f"There is no folder {project.folder}; make a project with 'labelloop init'.")
    if not project.settings_path.is_file():
        raise ProjectError(
            f"{project.folder} is no LabelLoop project (it has no settings.toml); make one with 'labelloop init'."
        )
    project.settings()
    return project


def create_project(
    folder: Path | str, *, settings: ProjectSettings, classes: Sequence[str], kind: str = "image"
) -> Project:
    """Make a project in a new or empty folder.

    ``settings.toml`` is written last: it is what makes the folder a project, so a crash half way leaves none.

    Raises:
        ProjectError: When the folder already is a project or holds other files, or the classes cannot be used.
        SettingsError: When the settings do not suit samples of this kind.
    """
    names = check_classes(classes)
    if not catalog.is_own(settings.predictor):
        check_choice("predictor", settings.predictor, kind_named(kind).PREDICTORS)
    project = new_project(folder)
    try:
        for made in (project.features_dir, project.rounds_dir, project.thumbnails_dir, project.logs_dir):
            made.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(f"The folder {project.folder} could not be made: {error.strerror or error}.") from error
    _fill_database(project, settings, names, kind)
    save_settings(project.settings_path, settings)
    return project


def new_project(folder: Path | str) -> Project:
    """Return the project that a folder may become; nothing is written.

    Raises:
        ProjectError: When the folder already is a project, or holds somebody's files.
    """
    project = Project(Path(folder).expanduser().resolve())
    _check_new(project)
    return project


def _check_new(project: Project) -> None:
    if project.settings_path.exists():
        raise ProjectError(f"{project.folder} already is a LabelLoop project; add samples with 'labelloop import'.")
    if project.folder.exists() and not project.folder.is_dir():
        raise ProjectError(f"{project.folder} is a file; a project needs a folder of its own.")
    # What an interrupted init left behind is fine; anything else is somebody's own. A journal without its database is
    # the record of labels that are still to be brought back.
    own = _OWN_NAMES | ({"labels.journal"} if project._own_database_path.exists() else set())
    foreign = [entry.name for entry in _entries(project.folder) if entry.name not in own]
    if foreign:
        raise ProjectError(
            f"{project.folder} is not empty (it holds {sorted(foreign)[0]!r}); give the project a folder of its own."
        )


_OWN_NAMES = frozenset(
    {
        "labelloop.db", "labelloop.db-wal", "labelloop.db-shm", "labelloop.db-journal", "features", "rounds",
        "thumbnails", "uploads", "logs", "backups", "supervisor.lock", "trainer.lock",
        "address.json", "note.json",
    }
)  # fmt: skip


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _fill_database(project: Project, settings: ProjectSettings, classes: Sequence[str], kind: str) -> None:
    from storage.opening import create_database
    from storage.projects import create_project as insert_project
    from storage.projects import find_project, list_classes

    database = create_database(project.database_url)
    try:
        with database.write() as session:
            info = find_project(session, name=settings.name)
            if info is None:
                insert_project(session, name=settings.name, classes=classes, seed=settings.seed, kind=kind)
                return
            stored = [entry.name for entry in list_classes(session, project_id=info.id)]
            # An init killed between the two writes may be repeated; on a shared database the name is somebody's.
            if os.environ.get(DATABASE_URL_VARIABLE) or (stored, info.seed) != (list(classes), settings.seed):
                raise ProjectError(
                    f"The database already holds a project named {settings.name!r}; choose another name or folder."
                )
    finally:
        database.close()
