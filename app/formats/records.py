"""Records of labeling tools: each is about a file, a text or the values of a row, and tells what was said of it.

How a tool spells that is its format's business. What kind of samples a list holds, what a project keeps of each, and
what a record of ours is about stands here, once: under `image` a file's name, under `text` a text, under `row` an
object of values by name, each called as its kind's noun.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.formats.copies import Copies, copy_images
from app.formats.errors import SourceError
from app.formats.export import ExportedSample
from app.formats.in_rows import cell
from app.formats.reading import Reading
from app.formats.rows import placed
from app.formats.source import Entry, Refused, Source, printable
from app.kinds.kind import KINDS, Kind, kind_named

_LOOKED_AT = 100  # records, for telling the kind


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a list; what it is about may be told in several ways, of which the kind of the list counts."""

    entry: Entry  # what was said; it has no name yet
    file: str = ""  # as the list calls it
    row: Mapping[str, Any] | None = None  # values by name
    text: str | None = None
    name: str = ""  # what the sample was called in a project of ours


def record_about(data: Mapping[str, Any], entry: Entry, *, file: str, name: str = "") -> Record:
    """Make a record of an object that has a text under `text` or a row under `row`, or is about a file.

    Args:
        data: Of the tool.
        entry: What was said of it.
        file: Empty where it is about none.
        name: What the sample was called in a project of ours, where the tool kept that.
    """
    row, text = data.get("row"), data.get("text")
    of_row, of_text = row if isinstance(row, dict) else None, text if isinstance(text, str) else None
    return Record(entry, file, of_row, of_text, name)


def source_of_records(
    manifest: Path, records: Sequence[Record], *, wanted: str, kind: str = "", notes: tuple[str, ...] = ()
) -> Source:
    """Make a source of the records of a list.

    Args:
        manifest: The list; files are looked for beside it.
        records: In its order.
        wanted: What the format has a record be about, for the sentence when there is none.
        kind: Where the tool says it; else the records tell.
        notes: What the reader could not take over, as sentences.

    Raises:
        SourceError: No record is about anything that can be labeled.
    """
    chosen = kind or _kind_of(records[:_LOOKED_AT]) or _kind_of(records)
    if not chosen or all(_about(record, kind_named(chosen)) is None for record in records):
        raise SourceError(f"{printable(manifest.name)} holds nothing that can be labeled: wanted {wanted}.")
    of_kind, root = kind_named(chosen), manifest.parent.resolve()
    about = [(f"{manifest.name}:{place}", record, _about(record, of_kind)) for place, record in enumerate(records, 1)]
    refused = tuple(Refused(printable(place), f"has no {of_kind.NOUN}") for place, _, value in about if value is None)
    there = [(place, record, value) for place, record, value in about if value is not None]
    if of_kind.IN_FILES:
        source = placed(root, [(str(value), record.entry) for _, record, value in there], notes=notes)
        return replace(source, refused=refused + source.refused)
    # A hash would let a file lie anywhere; of a text nobody needs one.
    entries = tuple(
        replace(record.entry, name=record.name or place, sha256="", text=kept(value, chosen))
        for place, record, value in there
    )
    labels = sum(any(given.class_name for given in entry.given) for entry in entries)
    return Source(root, entries, refused, labels_given=labels, kind=chosen, notes=notes)


def _kind_of(records: Sequence[Record]) -> str:
    """The kind of a list: that of files, where one record has a file, for that may have a text as its caption."""
    kinds = sorted(KINDS, key=lambda name: (not kind_named(name).IN_FILES, not kind_named(name).HAS_COLUMNS))
    return next((name for name in kinds if any(_about(one, kind_named(name)) is not None for one in records)), "")


def _about(record: Record, kind: Kind) -> object:
    """What a record tells of a sample of a kind; None: nothing."""
    if kind.IN_FILES:
        return record.file or None
    return record.row if kind.HAS_COLUMNS else record.text


def kept(value: object, kind: str) -> str:
    """Return a text, or the values of a row by name, as a project keeps it."""
    values = value if isinstance(value, Mapping) else {"text": value}
    cells = {str(name): cell(one) for name, one in values.items()}
    return kind_named(kind).text_of(cells, Reading("", "text")) or ""


def taken_along(samples: Iterable[ExportedSample], folder: Path) -> tuple[list[ExportedSample], Copies]:
    """Copy the samples that are files below `images`; return all that a list can name, and the copies."""
    wanted = list(samples)
    copies = copy_images([one for one in wanted if kind_named(one.kind).IN_FILES], folder, below="images")
    return [one for one in wanted if one.id in copies.names or not kind_named(one.kind).IN_FILES], copies


def about(sample: ExportedSample, copies: Copies) -> dict[str, Any]:
    """Return what a record of a sample is about, by its kind's noun: its copy's name, its text, or its values."""
    kind = kind_named(sample.kind)
    value = copies.names[sample.id] if kind.IN_FILES else kind.load(sample.uri, sample.content)
    return {kind.NOUN: value}


def shown_as_text(sample: ExportedSample) -> dict[str, str]:
    """Return a row's names and values as lines of a `text`, for tools that show no rows; of others nothing."""
    kind = kind_named(sample.kind)
    if not kind.HAS_COLUMNS:
        return {}
    values = kind.load(sample.uri, sample.content)
    return {"text": "\n".join(f"{name}: {value}" for name, value in values.items())}
