"""Texts and rows as our own exports have them: what a sample holds stands in columns beside who labeled it and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from app.formats.format import Rows
from app.formats.label_rows import LABEL_COLUMNS
from app.formats.records import kept
from app.formats.rows import Row, cell_text, named_entries
from app.formats.source import Entry, Source
from app.kinds.kind import kind_named
from app.kinds.table import TAKEN, name_before_export

_LISTS = ("labels", "unlabeled", "events", "predictions")


def has_contents(columns: Iterable[str]) -> bool:
    """Whether a table is an own list of labels that holds the samples too."""
    names = set(columns)
    return names.issuperset(LABEL_COLUMNS) and not names.issubset(TAKEN)


def source_of_folder(folder: Path, read_rows: Rows) -> Source | None:
    """Make a source of a folder that holds an own export of texts or rows; None where it is of files."""
    lists = {path.stem: path for path in folder.iterdir() if path.stem in _LISTS}
    labels, unlabeled, events, predictions = (list(read_rows(lists[name])) if name in lists else [] for name in _LISTS)
    if not unlabeled and not (labels and has_contents(labels[0])):
        return None
    return source_of_export(labels, folder.resolve(), unlabeled=unlabeled, events=events, predictions=predictions)


def source_of_export(
    labels: Sequence[Row],
    root: Path,
    *,
    unlabeled: Sequence[Row] = (),
    events: Sequence[Row] = (),
    predictions: Sequence[Row] = (),
) -> Source:
    """Make a source of the texts or rows of an own export, with all that people and models said of them.

    Args:
        labels: of the list of labels, by column.
        root: the folder of the list.
        unlabeled: the samples without a label; of this list and that of the labels there is at least one row.
        events: every label event, where they are beside; a sample that no list holds is left out, and a note says so.
        predictions: what models answered, with what the samples hold.
    """
    whole = [*predictions, *unlabeled, *labels]
    kind = "text" if _own(whole[-1]) == ["text"] else "table"
    held = {cell_text(row["sha256"]): _content(row, kind) for row in whole if _own(row)}
    said = events or [{name: row.get(name) for name in LABEL_COLUMNS} for row in labels]
    named = named_entries(said, root, predictions)
    entries = [
        replace(entry, name=name, text=held[entry.sha256], sha256="") for name, entry in named if entry.sha256 in held
    ]
    missing = len(named) - len(entries)
    notes = (f"{missing:,} samples without a label are not in the export, and stay out.",) if missing else ()
    mentioned = {entry.sha256 for _, entry in named}
    silent = [row for row in unlabeled if cell_text(row["sha256"]) not in mentioned]
    entries += [Entry(root, cell_text(row["uri"]), text=held[cell_text(row["sha256"])]) for row in silent]
    given = sum(any(decision.class_name for decision in entry.given) for entry in entries)
    return Source(root, tuple(entries), labels_given=given, kind=kind, notes=notes)


def _own(row: Row) -> list[str]:
    return [name for name in row if name not in TAKEN]


def _content(row: Row, kind: str) -> str:
    values = {name_before_export(name): row[name] for name in _own(row)}
    return kept(values if kind_named(kind).HAS_COLUMNS else row["text"], kind)
