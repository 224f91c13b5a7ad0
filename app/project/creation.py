"""Making a project and adding samples to one: what ``init``, ``import`` and the demo have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.formats.sources import Source, open_source
from app.project.given_rows import check_all_have_rows
from app.project.importing import ImportReport, run_import
from app.project.own_embedding import check_embedding
from app.project.project import Project, check_classes, create_project, new_project
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
    classes: Sequence[str],
    images: Path,
    test: Path | None = None,
    progress: Progress | None = None,
) -> Created:
    """Make a project from images, and a test set where there is one.

    The sources are opened first, so that a mistyped path leaves no half-made project behind.

    Args:
        folder: a new or empty folder.
        settings: of the project.
        classes: in the order of their keys.
        images: folder, CSV manifest or zip archive of the pool.
        test: CSV manifest ``path,label`` of the test set.
        progress: called with (files done, files in all).
    """
    check_classes(classes)
    uploads = new_project(folder).uploads_dir
    pool_source = open_source(images, uploads=uploads)
    test_source = open_source(test, uploads=uploads) if test is not None else None
    project = create_with_embedding(folder, settings=settings, classes=classes, images=pool_source, test=test_source)
    # Test samples first: an image that is in both lists must not be trained on, and the second one is the duplicate.
    test_report = add_test_set(project, test_source, progress=progress) if test_source is not None else None
    return Created(project, add_to_pool(project, pool_source, progress=progress), test_report)


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


def add_to_pool(project: Project, source: Source | Path, *, progress: Progress | None = None) -> ImportReport:
    """Add a source's good images to the pool; the others are listed in the report."""
    opened = open_source(source, uploads=project.uploads_dir) if isinstance(source, Path) else source
    check_all_have_rows(project, opened)
    database = project.open_database()
    try:
        return run_import(database, project_id=project.project_id(database), source=opened, progress=progress)
    finally:
        database.close()


def add_test_set(project: Project, source: Source | Path, *, progress: Progress | None = None) -> ImportReport:
    """Add a source's good images, with their labels, to the test set."""
    opened = open_source(source, uploads=project.uploads_dir) if isinstance(source, Path) else source
    check_all_have_rows(project, opened)
    database = project.open_database()
    try:
        project_id = project.project_id(database)
        with database.read() as session:
            classes = [entry.name for entry in list_classes(session, project_id=project_id)]
        return run_import(
            database, project_id=project_id, source=opened, split="test", classes=classes, progress=progress
        )
    finally:
        database.close()
