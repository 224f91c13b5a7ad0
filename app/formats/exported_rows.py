"""Texts and rows as our own exports have them: what a sample holds stands in columns beside who labeled it and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from app.formats.csv_file import LABEL_COLUMNS, PREDICTION_COLUMNS
from app.formats.format import Rows
from app.formats.in_rows import cell
from app.formats.reading import Reading
from app.formats.rows import Row, cell_text, named_entries
from app.formats.source import Source
from app.kinds.kind import kind_named
from app.kinds.table import name_before_export

_BESIDE = ("path", *LABEL_COLUMNS, *PREDICTION_COLUMNS)  # what is not of the sample itself


def has_contents(columns: Iterable[str]) -> bool:
    """Whether a table is an own list of labels that holds the samples too."""
    names = set(columns)
    return names.issuperset(LABEL_COLUMNS) and not names.issubset(_BESIDE)


def source_of_folder(folder: Path, read_rows: Rows) -> Source | None:
    """Make a source of a folder that holds an own export of texts or rows; None where it is of files."""
    lists = {path.stem: path for path in folder.iterdir() if path.stem in ("labels", "events", "predictions")}
    labels, events, predictions = (
        list(read_rows(lists[name])) if name in lists else [] for name in ("labels", "events", "predictions")
    )
    if not labels or not has_contents(labels[0]):
        return None
    return source_of_export(labels, folder.resolve(), events=events, predictions=predictions)


def source_of_export(
    labels: Sequence[Row], root: Path, *, events: Sequence[Row] = (), predictions: Sequence[Row] = ()
) -> Source:
    """Make a source of the texts or rows of an own export, with all that people and models said of them.

    Args:
        labels: of the list of labels, by column; at least one.
        root: the folder of the list.
        events: every label event, where they are beside; a sample that no list holds is left out, and a note says so.
        predictions: what models answered, with what the samples hold.
    """
    kind = "text" if _own(labels[0]) == ["text"] else "table"
    held = {cell_text(row["sha256"]): _content(row, kind) for row in (*predictions, *labels) if _own(row)}
    said = events or [{name: row.get(name) for name in LABEL_COLUMNS} for row in labels]
    named = named_entries(said, root, predictions)
    entries = tuple(
        replace(entry, name=name, text=held[entry.sha256], sha256="") for name, entry in named if entry.sha256 in held
    )
    missing = len(named) - len(entries)
    notes = (f"{missing:,} samples without a label are not in the export, and stay out.",) if missing else ()
    given = sum(any(decision.class_name for decision in entry.given) for entry in entries)
    return Source(root, entries, labels_given=given, kind=kind, notes=notes)


def _own(row: Row) -> list[str]:
    return [name for name in row if name not in _BESIDE]


def _content(row: Row, kind: str) -> str:
    of_kind = kind_named(kind)
    before = name_before_export if of_kind.HAS_COLUMNS else str
    values = {before(name): cell(row[name]) for name in _own(row)}
    return of_kind.text_of(values, Reading(kind, "text", "")) or ""
