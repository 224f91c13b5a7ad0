"""What an import would bring, before it is made: some rows, the classes, and in sentences what will happen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.formats.registry import all_formats
from app.formats.source import Entry, Source, alike, printable, spelled_otherwise

ROWS = 12


@dataclass(frozen=True)
class Preview:
    """A look at a source; nothing was opened but the list of its files."""

    rows: tuple[tuple[str, str, str], ...]  # (file, label or skip, who)
    classes: Mapping[str, int]  # files per class, the commonest first
    sentences: tuple[str, ...]


def preview_of(source: Source, *, classes: Sequence[str] = ()) -> Preview:
    """Look at a source.

    Args:
        source: to be imported.
        classes: of the project; none: those of the source become its classes.
    """
    counted = dict(source.labels_per_class.most_common())
    return Preview(
        tuple(_row(entry) for entry in source.entries[:ROWS]), counted, tuple(_sentences(source, counted, classes))
    )


def _row(entry: Entry) -> tuple[str, str, str]:
    standing = next((given for given in reversed(entry.given) if given.action != "flag"), None)
    label = "" if standing is None else standing.class_name or "skipped"
    return printable(entry.name), printable(label), printable(standing.annotator) if standing else ""


def _sentences(source: Source, counted: Mapping[str, int], classes: Sequence[str]) -> Iterator[str]:
    what = all_formats()[source.format].sentence.partition(":")[0] if source.format else "Files"
    yield f"{what}: {len(source.entries):,} files, {sum(counted.values()):,} with a label."
    if source.refused:
        first = source.refused[0]
        yield f"{len(source.refused):,} cannot be read, the first is {first.name}: {first.reason}."
    known = {alike(name) for name in classes} | spelled_otherwise(counted, classes).keys()
    foreign = [name for name in counted if name not in known] if classes else []
    if foreign:
        yield f"The project has no class {', '.join(foreign[:5])}: give it another name below, or add the class first."
    people = {given.annotator for entry in source.entries for given in entry.decisions if given.annotator}
    if people:
        yield f"Labeled by {', '.join(sorted(map(printable, people))[:5])}{' and others' if len(people) > 5 else ''}."
    predictions = sum(bool(entry.predictions) for entry in source.entries)
    if predictions:
        yield f"{predictions:,} files come with a model's answer."
    yield from source.notes
