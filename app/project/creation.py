"""Making a project and adding samples to one: what ``init``, ``import`` and the demo have in common."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import UsageError
from app.formats.errors import SourceError
from app.formats.registry import open_source
from app.formats.source import Source
from app.project.given_rows import check_all_have_rows
from app.project.importing import ImportReport, Split, refuse_unusable, run_import
from app.project.own_embedding import check_embedding
from app.project.project import LEAST_CLASSES, Project, check_classes, create_project, new_project
from app.project.settings import ProjectSettings
from storage.projects import list_classes

Progress = Callable[[int, int], None]  # files done, files in all


@dataclass(frozen=True)
class Created:
    """A new project, and what became of the files given for it."""

    project: Project
    pool: ImportReport
    test: ImportReport | None


def make_project(
    folder: Path,
    *,
    settings: ProjectSettings,
    classes: Sequence[str] = (),
    images: Path,
    test: Path | None = None,
    labeled: bool = False,
    format: str = "",  # noqa: A002 - the option's own word
    new_names: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Created:
    """Make a project from images, and a test set where there is one.

    The sources are opened first, so that a mistyped path leaves no half-made project behind.

    Args:
        folder: a new or empty folder.
        settings: of the project.
        classes: in the order of their keys; none: those that the images' source names.
        images: of the pool, in any format that can be read.
        test: CSV manifest ``path,label`` of the test set.
        labeled: whether the labels that come with the images are taken over.
        format: of the images, where it cannot be told by looking.
        new_names: other names for classes of the source.
        progress: called with (files done, files in all).

    Raises:
        UsageError: No classes are given, and the source names none.
        ProjectError: None of the images can be used; no project is left behind then.
    """
    if classes:
        check_classes(classes)
    uploads = new_project(folder).uploads_dir
    with nothing_left_behind(folder):
        pool_source = _open(images, uploads, format, new_names, must_name_classes=not classes)
        test_source = open_source(test, uploads=uploads) if test is not None else None
        classes = classes or pool_source.class_names
        check_classes(classes)
        refuse_unusable(pool_source)
    project = create_with_embedding(folder, settings=settings, classes=classes, images=pool_source, test=test_source)
    # Test samples first: an image that is in both lists must not be trained on, and the second one is the duplicate.
    test_report = add_test_set(project, test_source, progress=progress) if test_source is not None else None
    pool_report = add_to_pool(project, pool_source, labeled=labeled, given_as=str(images), progress=progress)
    return Created(project, pool_report, test_report)


def _open(
    images: Path, uploads: Path, format_: str, new_names: Mapping[str, str] | None, *, must_name_classes: bool
) -> Source:
    """Open the pool's source; where no classes are given it has to name them, and what keeps it from that is usage."""
    try:
        found = open_source(images, uploads=uploads, format=format_).with_classes_renamed(new_names or {})
    except SourceError as error:
        raise (UsageError(f"Give the classes with --classes A,B: {error}") if must_name_classes else error) from error
    if must_name_classes and len(found.class_names) < LEAST_CLASSES:
        raise UsageError(f"Give the classes with --classes A,B: {images} names {len(found.class_names)}.")
    return found


@contextmanager
def nothing_left_behind(folder: Path) -> Iterator[None]:
    """Take away what was unpacked into a folder that is to become a project and does not."""
    was_there = folder.expanduser().exists()
    uploads = new_project(folder).uploads_dir
    had_uploads = uploads.exists()
    try:
        yield
    except BaseException:
        if not had_uploads:
            shutil.rmtree(uploads, ignore_errors=True)
        if not was_there and folder.expanduser().is_dir() and not any(folder.expanduser().iterdir()):
            folder.expanduser().rmdir()
        raise


def create_with_embedding(
    folder: Path, *, settings: ProjectSettings, classes: Sequence[str], images: Source, test: Source | None
) -> Project:
    """Make a project without samples; somebody's own embedding is tried on these images first."""
    if not settings.embedding:
        return create_project(folder, settings=settings, classes=classes)
    checked = check_embedding(settings.embedding, images, test)
    project = create_project(folder, settings=replace(settings, embedding=checked.source), classes=classes)
    checked.keep_order(project)
    return project


def add_to_pool(
    project: Project,
    source: Source | Path,
    *,
    labeled: bool = False,
    given_as: str = "",
    progress: Progress | None = None,
) -> ImportReport:
    """Add a source's good images to the pool, and its labels if they are wanted; the others are listed."""
    opened = open_source(source, uploads=project.uploads_dir) if isinstance(source, Path) else source
    given_as = given_as or (str(source) if isinstance(source, Path) else "")
    return _add(project, opened, split="pool", labeled=labeled, given_as=given_as, progress=progress)


def add_test_set(project: Project, source: Source | Path, *, progress: Progress | None = None) -> ImportReport:
    """Add a source's good images, with their labels, to the test set."""
    opened = open_source(source, uploads=project.uploads_dir) if isinstance(source, Path) else source
    return _add(project, opened, split="test", labeled=False, given_as="", progress=progress)


def _add(
    project: Project, opened: Source, *, split: Split, labeled: bool, given_as: str, progress: Progress | None
) -> ImportReport:
    check_all_have_rows(project, opened)
    database = project.open_database()
    try:
        project_id = project.project_id(database)
        with database.read() as session:
            classes = [entry.name for entry in list_classes(session, project_id=project_id)]
        return run_import(
            database,
            project_id=project_id,
            source=opened,
            split=split,
            classes=classes,
            labeled=labeled,
            given_as=given_as,
            progress=progress,
        )
    finally:
        database.close()
