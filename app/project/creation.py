"""Making a project and adding samples to one: what ``init``, ``import`` and the demo have in common."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import ProjectError, UsageError
from app.formats.connection import shown
from app.formats.errors import LostConnectionError
from app.formats.reading import AS_IT_IS, Reading
from app.formats.registry import open_source
from app.formats.source import Source, printable
from app.kinds.kind import kind_named
from app.project.class_names import LEAST_CLASSES, check_classes
from app.project.given_rows import check_all_have_rows
from app.project.hub import Consent
from app.project.importing import ImportReport, Split, refuse_unusable, run_import
from app.project.other_columns import with_other_columns_said
from app.project.own_embedding import check_embedding
from app.project.project import Project, create_project, new_project
from app.project.settings import ProjectSettings
from storage.projects import kind_of_samples, list_classes

Progress = Callable[[int, int], None]  # samples done, samples in all

WRITTEN_FOR_NONE = frozenset(("NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "null"))
_LIKE_NONE = (
    "The class {name}, of {count} labels, is called as programs write a label that is missing; if it is that, make the "
    "project with --rename {name}= and they are left out."
)


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
    classes: Sequence[str] = (),
    data: Path | str,
    test: Path | str | None = None,
    reading: Reading = AS_IT_IS,
    labeled: bool = False,
    format: str = "",  # noqa: A002 - the option's own word
    new_names: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    consent: Consent | None = None,
) -> Created:
    """Make a project from samples, and a test set where there is one.

    The sources are opened first, so that a mistyped path leaves no half-made project behind.

    Args:
        folder: a new or empty folder.
        settings: of the project.
        classes: in the order of their keys; none: those that the data names.
        data: of the pool, in any format that can be read; as text it may be an address.
        test: of the test set, likewise, with a label for each sample.
        reading: what the person says of the two.
        labeled: whether the labels that come with the data are taken over.
        format: of the data, where it cannot be told by looking.
        new_names: other names for classes of the source.
        progress: called with (samples done, samples in all).
        consent: to the download of the network that the settings name; None: nothing is downloaded.

    Raises:
        UsageError: No classes are given, and the source names none.
        ProjectError: None of the samples can be used; no project is left behind then.
    """
    if classes:
        check_classes(classes)
    uploads = new_project(folder).uploads_dir
    with nothing_left_behind(folder):
        pool_source = _open(
            data, uploads, format, new_names, reading, progress, must_name_classes=not classes and test is None
        )
        as_pool = replace(reading, kind=pool_source.kind)
        test_source = open_source(test, uploads=uploads, reading=as_pool, progress=progress) if test else None
        classes = classes or pool_source.class_names or (test_source.class_names if test_source else ())
        check_classes(classes)
        refuse_unusable(pool_source)
        if test_source is not None:
            refuse_unusable(test_source)
        project = create_with_embedding(
            folder, settings=settings, classes=classes, pool=pool_source, test=test_source, consent=consent
        )
    # Test samples first: an image that is in both lists must not be trained on, and the second one is the duplicate.
    test_report = add_test_set(project, test_source, progress=progress) if test_source is not None else None
    pool_report = add_to_pool(project, pool_source, labeled=labeled, given_as=shown(data), progress=progress)
    return Created(project, pool_report, test_report)


def _open(
    data: Path | str,
    uploads: Path,
    format_: str,
    new_names: Mapping[str, str] | None,
    reading: Reading,
    progress: Progress | None,
    *,
    must_name_classes: bool,
) -> Source:
    """Open the pool's source; where no classes are given it has to name them."""
    opened = open_source(data, uploads=uploads, format=format_, reading=reading, progress=progress)
    found = opened.with_classes_renamed(new_names or {})
    if must_name_classes and len(found.class_names) < LEAST_CLASSES:
        raise UsageError(_without_classes(found, shown(data)))
    return _with_missing_labels_said(found) if must_name_classes else found


def _without_classes(source: Source, data: str) -> str:
    is_table = not kind_named(source.kind).IN_FILES and not source.class_names
    column = ", or the column of their labels with --label-column NAME" if is_table else ""
    return f"Give the classes with --classes A,B{column}: {data} names {len(source.class_names)}."


def _with_missing_labels_said(source: Source) -> Source:
    """A note on classes that are called as programs write a label that is not there; they may be meant."""
    doubtful = [name for name in source.class_names if name in WRITTEN_FOR_NONE]
    counts = source.labels_per_class
    notes = [_LIKE_NONE.format(name=printable(name), count=f"{counts[name]:,}") for name in doubtful]
    return replace(source, notes=(*source.notes, *notes))


@contextmanager
def nothing_left_behind(folder: Path) -> Iterator[None]:
    """Take away what was unpacked into a folder that is to become a project and does not."""
    was_there = folder.expanduser().exists()
    uploads = new_project(folder).uploads_dir
    had_uploads = uploads.exists()
    try:
        yield
    except LostConnectionError:  # the next try goes on with what is there
        raise
    except BaseException:
        if not had_uploads:
            shutil.rmtree(uploads, ignore_errors=True)
        if not was_there and folder.expanduser().is_dir() and not any(folder.expanduser().iterdir()):
            folder.expanduser().rmdir()
        raise


def create_with_embedding(
    folder: Path,
    *,
    settings: ProjectSettings,
    classes: Sequence[str],
    pool: Source,
    test: Source | None,
    consent: Consent | None = None,
) -> Project:
    """Make a project without samples; somebody's own embedding is tried on these first.

    Raises:
        ProjectError: When there is an embedding, and none can be computed of such samples.
    """
    if not settings.embedding:
        return create_project(folder, settings=settings, classes=classes, kind=pool.kind)
    checked = check_embedding(settings.embedding, pool, test, consent)
    chosen = replace(settings, embedding=checked.source)
    project = create_project(folder, settings=chosen, classes=classes, kind=pool.kind)
    checked.keep(project)
    return project


def add_to_pool(
    project: Project,
    source: Source | Path,
    *,
    labeled: bool = False,
    given_as: str = "",
    progress: Progress | None = None,
) -> ImportReport:
    """Add a source's good samples to the pool, and its labels if they are wanted; the others are listed."""
    opened = open_for(project, source) if isinstance(source, Path) else source
    given_as = given_as or (str(source) if isinstance(source, Path) else "")
    return _add(project, opened, split="pool", labeled=labeled, given_as=given_as, progress=progress)


def add_test_set(project: Project, source: Source | Path, *, progress: Progress | None = None) -> ImportReport:
    """Add a source's good samples, with their labels, to the test set."""
    opened = open_for(project, source) if isinstance(source, Path) else source
    return _add(project, opened, split="test", labeled=False, given_as="", progress=progress)


def open_for(
    project: Project,
    path: Path | str,
    *,
    reading: Reading = AS_IT_IS,
    format: str = "",  # noqa: A002 - the option's own word
    progress: Progress | None = None,
) -> Source:
    """Open further samples of a project, which are of the kind that it has."""
    database = project.open_database()
    try:
        with database.read() as session:
            kind = kind_of_samples(session, project_id=project.project_id(database))
    finally:
        database.close()
    if reading.kind not in ("", kind):
        raise ProjectError(f"The samples of this project are {kind_named(kind).NOUNS}; a project has one kind.")
    as_the_others = replace(reading, kind=kind)
    return open_source(path, uploads=project.uploads_dir, format=format, reading=as_the_others, progress=progress)


def _add(
    project: Project, opened: Source, *, split: Split, labeled: bool, given_as: str, progress: Progress | None
) -> ImportReport:
    check_all_have_rows(project, opened)
    database = project.open_database()
    try:
        project_id = project.project_id(database)
        with database.read() as session:
            classes = [entry.name for entry in list_classes(session, project_id=project_id)]
            opened = with_other_columns_said(session, opened, project_id=project_id)
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
