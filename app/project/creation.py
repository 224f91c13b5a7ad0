"""Making a project and adding samples to one: what ``init``, ``import`` and the demo have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import ProjectError
from app.formats.reading import AS_IT_IS, Reading
from app.formats.sources import Source, open_source
from app.kinds.kind import kind_named
from app.project.given_rows import check_all_have_rows
from app.project.importing import ImportReport, Split, run_import
from app.project.own_embedding import check_embedding
from app.project.project import Project, check_classes, create_project, new_project
from app.project.settings import ProjectSettings
from storage.engine import Database
from storage.projects import kind_of_samples, list_classes

Progress = Callable[[int, int], None]  # samples done, samples in all


@dataclass(frozen=True)
class Created:
    """A new project, and what became of the samples given for it."""

    project: Project
    pool: ImportReport
    test: ImportReport | None


def make_project(
    folder: Path,
    *,
    settings: ProjectSettings,
    classes: Sequence[str],
    data: Path,
    test: Path | None = None,
    reading: Reading = AS_IT_IS,
    progress: Progress | None = None,
) -> Created:
    """Make a project from samples, and a test set where there is one.

    The sources are opened first, so that a mistyped path leaves no half-made project behind.

    Args:
        folder: a new or empty folder.
        settings: of the project.
        classes: in the order of their keys; none: those that the data names.
        data: the pool, as `open_source` takes it.
        test: the test set, likewise, with a label for each sample.
        reading: what the person says of the two.
        progress: called with (samples done, samples in all).
    """
    if classes:
        check_classes(classes)
    uploads = new_project(folder).uploads_dir
    pool_source = open_source(data, uploads=uploads, reading=reading)
    as_pool = replace(reading, kind=pool_source.kind)
    test_source = open_source(test, uploads=uploads, reading=as_pool) if test is not None else None
    classes = classes or pool_source.class_names or (test_source.class_names if test_source else ())
    project = create_with_embedding(folder, settings=settings, classes=classes, pool=pool_source, test=test_source)
    # Test samples first: an image that is in both lists must not be trained on, and the second one is the duplicate.
    test_report = add_test_set(project, test_source, progress=progress) if test_source is not None else None
    return Created(project, add_to_pool(project, pool_source, progress=progress), test_report)


def create_with_embedding(
    folder: Path, *, settings: ProjectSettings, classes: Sequence[str], pool: Source, test: Source | None
) -> Project:
    """Make a project without samples; somebody's own embedding is tried on these images first.

    Raises:
        ProjectError: When there is an embedding, and none can be computed of such samples.
    """
    if not settings.embedding:
        return create_project(folder, settings=settings, classes=classes, kind=pool.kind)
    if not kind_named(pool.kind).TAKES_EMBEDDINGS:
        raise ProjectError(f"An embedding of one's own is for images; these are {kind_named(pool.kind).NOUNS}.")
    checked = check_embedding(settings.embedding, pool, test)
    project = create_project(
        folder, settings=replace(settings, embedding=checked.source), classes=classes, kind=pool.kind
    )
    checked.keep_order(project)
    return project


def add_to_pool(
    project: Project,
    source: Source | Path,
    *,
    reading: Reading = AS_IT_IS,
    progress: Progress | None = None,
) -> ImportReport:
    """Add a source's good samples to the pool; the others are listed in the report."""
    return _add(project, source, "pool", reading, progress)


def add_test_set(project: Project, source: Source | Path, *, progress: Progress | None = None) -> ImportReport:
    """Add a source's good samples, with their labels, to the test set."""
    return _add(project, source, "test", AS_IT_IS, progress)


def _add(
    project: Project, source: Source | Path, split: Split, reading: Reading, progress: Progress | None
) -> ImportReport:
    database = project.open_database()
    try:
        project_id = project.project_id(database)
        opened = source if isinstance(source, Source) else open_for(project, database, source, reading)
        check_all_have_rows(project, opened)
        with database.read() as session:
            classes = [entry.name for entry in list_classes(session, project_id=project_id)]
        return run_import(
            database, project_id=project_id, source=opened, split=split, classes=classes, progress=progress
        )
    finally:
        database.close()


def open_for(
    project: Project,
    database: Database,
    path: Path,
    reading: Reading = AS_IT_IS,
) -> Source:
    """Open further samples of a project, which are of the kind that it has."""
    with database.read() as session:
        kind = kind_of_samples(session, project_id=project.project_id(database))
    if reading.kind not in ("", kind):
        raise ProjectError(f"The samples of this project are {kind_named(kind).NOUNS}; a project has one kind.")
    return open_source(path, uploads=project.uploads_dir, reading=replace(reading, kind=kind))
