"""The tables of a Hugging Face data set, in the files that its library writes and loads; with classes by their names.

Arrow and Parquet files are read as they are; the library `datasets` is not needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.formats import csv_file
from app.formats.errors import SourceError
from app.formats.export import Row
from app.formats.json_file import read_list
from app.formats.jsonl_file import read_lines
from app.formats.source import printable

if TYPE_CHECKING:
    import pyarrow as pa

_TYPED = (".parquet", ".arrow")
_TABLES = (".parquet", ".csv", ".tsv", ".jsonl", ".json")
_BESIDE = (".md", ".txt", ".json", ".yaml", "")  # what may lie beside the tables: README.md, LICENSE, ...
# The library finds splits by these words, wherever they stand in a file's name.
_SPLIT = re.compile(r"(^|[^a-z])(train|training|test|testing|validation|valid|dev|val|eval)($|[^a-z])")


def arrow_files(folder: Path) -> list[Path]:
    """Return the files of a `save_to_disk` folder, of a data set or of several splits."""
    if not any((folder / name).is_file() for name in ("dataset_info.json", "dataset_dict.json", "state.json")):
        return []
    return sorted((*folder.glob("*.arrow"), *folder.glob("*/*.arrow")))


def split_tables(folder: Path) -> list[Path]:
    """Return the tables of a folder that is a data set of tables alone, below `data` or not: `train.csv`, `test.csv`.

    A folder with anything else is none: its tables may be lists of files that lie beside.
    """
    for inside in (folder, folder / "data"):
        found = [path for path in inside.iterdir() if not path.name.startswith(".")] if inside.is_dir() else []
        if not all(_belongs(path) for path in found):
            return []
        tables = [path for path in found if path.suffix.lower() in _TABLES and _SPLIT.search(path.stem.lower())]
        if tables:
            return sorted(tables)
    return []


def _belongs(path: Path) -> bool:
    if path.is_dir():
        return path.name == "data"
    return path.suffix.lower() in (*_TABLES, *_BESIDE)


def holds_images(path: Path) -> bool:
    """Whether a table has a column of images' bytes."""
    return path.suffix.lower() in _TYPED and image_column(schema_of(path)) != ""


def has_named_classes(path: Path) -> bool:
    """Whether a table says what its classes are called, as only the library's do."""
    return path.suffix.lower() in _TYPED and bool(_names_in(schema_of(path)))


def schema_of(path: Path) -> pa.Schema:
    """Return the columns of an Arrow or Parquet file.

    Raises:
        SourceError: it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.ipc as ipc
    import pyarrow.parquet as pq

    try:
        if path.suffix.lower() == ".parquet":
            return pq.read_schema(path)
        with pa.memory_map(str(path)) as file:
            return ipc.open_stream(file).schema
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{printable(path.name)} cannot be read: {error}.") from error


def image_column(schema: pa.Schema) -> str:
    """Return the column whose values are `{bytes, path}`; empty: there is none."""
    for field in schema:
        children = {field.type.field(index).name for index in range(field.type.num_fields)}
        if "bytes" in children:
            return str(field.name)
    return ""


def rows_of(path: Path) -> Iterator[Row]:
    """Yield the rows of a table by column, with classes by their names.

    Raises:
        SourceError: it cannot be read.
    """
    if path.suffix.lower() in _TYPED:
        names = _names_in(schema_of(path))
        for row in _typed_rows(path):
            yield row | {column: _class_name(row.get(column), told) for column, told in names.items()}
    elif path.suffix.lower() in (".csv", ".tsv"):
        yield from csv_file.rows(path)
    else:
        yield from (row for row in read_list(path) or read_lines(path) if isinstance(row, dict))


def _names_in(schema: pa.Schema) -> dict[str, list[str]]:
    """The class names by column, as the library keeps them in a table's metadata."""
    found = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    features = found.get("info", {}).get("features", {})
    return {column: told["names"] for column, told in features.items() if isinstance(told, dict) and "names" in told}


def _class_name(value: object, names: Sequence[str]) -> object:
    """The name of a class; of -1, by which the library says that there is no label, nothing."""
    is_index = isinstance(value, int) and not isinstance(value, bool)
    if not is_index or not isinstance(value, int):
        return value
    return names[value] if 0 <= value < len(names) else ""


def _typed_rows(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.ipc as ipc
    import pyarrow.parquet as pq

    try:
        if path.suffix.lower() == ".parquet":
            for batch in pq.ParquetFile(path).iter_batches(batch_size=256):
                yield from batch.to_pylist()
            return
        with pa.memory_map(str(path)) as file:
            for batch in ipc.open_stream(file):
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{printable(path.name)} cannot be read: {error}.") from error


def write_parquet(path: Path, columns: dict[str, list[Any]], classes: Sequence[str]) -> None:
    """Write columns of texts, numbers or truth, with `label` as the library's ClassLabel.

    Args:
        path: Of the file.
        columns: Their values; of `label` the indices of classes.
        classes: Their names by index.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"label": pa.int64(), "lead_time_s": pa.float64(), "flagged": pa.bool_()}
    arrays = {name: pa.array(values, kinds.get(name, pa.string())) for name, values in columns.items()}
    dtypes = {pa.int64(): "int64", pa.float64(): "float64", pa.bool_(): "bool", pa.string(): "string"}
    values = {name: {"dtype": dtypes[array.type], "_type": "Value"} for name, array in arrays.items()}
    features = {**values, "label": {"names": list(classes), "_type": "ClassLabel"}}
    told = json.dumps({"info": {"features": features}}, ensure_ascii=False)
    pq.write_table(pa.table(arrays).replace_schema_metadata({"huggingface": told}), path)
