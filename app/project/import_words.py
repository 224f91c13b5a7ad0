"""What became of an import, in words: one line per kind of refusal, not one per file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.project.importing import ImportReport
from app.project.project import Project
from storage.imported import undo_import
from storage.projects import get_or_create_annotator

UNDOER = "imported"  # who takes an import back on the command line, where nobody has a name

# How reasons begin that differ from file to file.
_KINDS = ("is the same", "is at", "has two labels in the test set,")
_CONTRADICTED = "; no label was taken over"


def report_lines(report: ImportReport, what: str) -> Iterator[str]:
    """Yield what a person reads about an import.

    Args:
        report: of the import.
        what: was added, in the plural.
    """
    yield from by_kind("refused", ((file.name, file.reason) for file in report.refused))
    yield from by_kind("duplicate", ((file.name, file.reason) for file in report.duplicates))
    yield from by_kind("moved", ((file.name, file.reason) for file in report.moved))
    yield from by_kind("contradiction", ((file.name, file.reason) for file in report.taken.contradictions))
    yield from by_kind("no label for", ((file.name, file.reason) for file in report.taken.unknown))
    yield from report.notes
    if report.refused_before:
        yield f"{report.refused_before:,} were refused as before."
    yield from label_sentences(report)
    refused, duplicates = len(report.refused), len(report.duplicates)
    yield f"{report.added:,} {what} added, {refused:,} refused, {duplicates:,} duplicates."


def label_sentences(report: ImportReport) -> Iterator[str]:
    """Yield what became of the labels that came with a source."""
    taken = report.taken
    if report.labels_ignored:
        yield (
            f"{report.labels_ignored:,} labels of the pool were not taken over: people give those. To take them over, "
            "import the source again with --labeled."
        )
    if taken.import_id is not None:
        parts = [f"{taken.labels:,} labels"]
        parts += [f"{taken.skips:,} skips"] if taken.skips else []
        parts += [f"{taken.predictions:,} predictions"] if taken.predictions else []
        parts += [f"{taken.known:,} labels that were known already"] if taken.known else []
        yield f"Taken over as import {taken.import_id}: {', '.join(parts)}."


def by_kind(word: str, files: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield one line per kind of reason, with a count and the first file of it."""
    kinds: dict[str, list[tuple[str, str]]] = {}
    for name, reason in files:
        kinds.setdefault(_kind(reason), []).append((name, reason))
    for found in kinds.values():
        name, reason = found[0]
        more = f" (and {len(found) - 1:,} more of this kind)" if len(found) > 1 else ""
        yield f"{word} {name}: {reason}{more}"


def _kind(reason: str) -> str:
    """The part of a reason that all of its kind have."""
    if reason.endswith(_CONTRADICTED):
        return _CONTRADICTED
    return next((kind for kind in _KINDS if reason.startswith(kind)), reason)


def undo_labels(project: Project, import_id: int) -> str:
    """Take back the labels that an import brought; say how many.

    Raises:
        UnknownImportError: When the project has no such import.
    """
    database = project.open_database()
    try:
        project_id = project.project_id(database)
        with database.write() as session:
            annotator_id = get_or_create_annotator(session, project_id=project_id, name=UNDOER)
            count = undo_import(session, project_id=project_id, import_id=import_id, annotator_id=annotator_id)
    finally:
        database.close()
    return f"{count:,} decisions of import {import_id} were taken back; the samples stay."
