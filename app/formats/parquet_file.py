"""Parquet: as CSV and JSON lines, with types; ``labels.parquet`` is what is current, ``events.parquet`` all events."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.formats.errors import SourceError
from app.formats.export import EVENT_COLUMNS, Export, Row, Written
from app.formats.exported_rows import source_of_folder
from app.formats.format import Format
from app.formats.label_rows import (
    LABEL_COLUMNS,
    PREDICTION_COLUMNS,
    UNLABELED_COLUMNS,
    label_row,
    own_columns,
    prediction_rows,
    unlabeled_rows,
)
from app.formats.rows import file_column, names_no_files, plain_names, source_of_rows
from app.formats.source import Source, printable

LABELS_FILE, EVENTS_FILE = "labels.parquet", "events.parquet"
PREDICTIONS_FILE, UNLABELED_FILE = "predictions.parquet", "unlabeled.parquet"


def reads(path: Path) -> bool:
    """A `.parquet` file, or the folder of our own export."""
    if path.is_dir():
        return all((path / name).is_file() for name in (LABELS_FILE, EVENTS_FILE))
    return path.suffix.lower() == ".parquet"


def read(path: Path, _uploads: Path) -> Source:
    """Read a table with a column that names files, or our own export by its events.

    Raises:
        SourceError: it is no Parquet, or no column names files.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    own = source_of_folder(path, rows) if path.is_dir() else None
    if own is not None:
        return own
    manifest = path / EVENTS_FILE if path.is_dir() else path
    try:
        table = pq.read_table(manifest)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{printable(manifest.name)} cannot be read: {error}.") from error
    columns = plain_names(table.column_names)
    if not file_column(columns):
        raise SourceError(names_no_files(manifest, table.column_names))
    found = [dict(zip(columns, row.values(), strict=True)) for row in table.to_pylist()]
    beside = manifest.parent / PREDICTIONS_FILE
    told = pq.read_table(beside).to_pylist() if path.is_dir() and beside.is_file() else ()
    return source_of_rows(found, manifest.parent.resolve(), told)


def rows(path: Path) -> list[Row]:
    """Return the rows of a table; of samples that are in no files of their own.

    Raises:
        SourceError: it is no Parquet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.is_dir():
        return []
    try:
        found: list[Row] = pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{printable(path.name)} cannot be read: {error}.") from error
    return found


def write(export: Export, folder: Path) -> Written:
    """Write what is current, every label event, and what models answered."""
    told = list(prediction_rows(export))
    if told:
        _write(folder / PREDICTIONS_FILE, (*PREDICTION_COLUMNS, *own_columns(export.samples)), told)
    rest = list(unlabeled_rows(export))
    if rest:
        _write(folder / UNLABELED_FILE, (*UNLABELED_COLUMNS, *own_columns(export.samples)), rest)
    columns = (*LABEL_COLUMNS, *own_columns(export.labeled))
    _write(folder / LABELS_FILE, columns, [label_row(sample) for sample in export.labeled])
    _write(folder / EVENTS_FILE, EVENT_COLUMNS, export.events)
    return Written(folder, len(export.labeled), len(export.events))


def _write(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    values: dict[str, list[Any]] = {column: [row.get(column) for row in rows] for column in columns}
    arrays = {
        name: pa.array(found) if any(v is not None for v in found) else pa.nulls(len(found), pa.string())
        for name, found in values.items()
    }
    pq.write_table(pa.table(arrays), path)


FORMAT = Format(
    name="parquet",
    sentence="Parquet: what is current, all label events, predictions",
    reads=reads,
    read=read,
    write=write,
    rows=rows,
    contents=True,
    holds=("skips", "flags", "votes", "annotators", "times", "lead times", "purposes", "predictions"),
    generality=1,
)
