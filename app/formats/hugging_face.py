"""Hugging Face: a folder of images with `metadata.jsonl`, tables of images' bytes, of texts or of rows.

Tables are Parquet files, `save_to_disk` folders, and folders of tables with a file per split. Images that lie inside a
table are unpacked into the project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.formats.copies import copy_images
from app.formats.csv_file import read_rows
from app.formats.errors import SourceError
from app.formats.export import Export, Row, Written
from app.formats.folders import IMAGE_BEGINNINGS
from app.formats.format import Format
from app.formats.hugging_face_tables import (
    arrow_files,
    has_named_classes,
    holds_images,
    rows_of,
    split_tables,
    write_parquet,
)
from app.formats.jsonl_file import read_lines, write_lines
from app.formats.label_rows import LABEL_COLUMNS, label_row, own_columns
from app.formats.rows import file_column, label_column, names_no_files, plain_names, source_of_rows
from app.formats.source import Source
from app.kinds.kind import kind_named

METADATA = ("metadata.jsonl", "metadata.csv")
CLASSES_FILE = "classes.json"
TABLE_FILE = "train-00000-of-00001.parquet"


def reads(path: Path) -> bool:
    """A folder with metadata, Arrow files or a table per split; a Parquet file with images or names of classes."""
    if path.is_dir():
        return bool(_metadata(path) or arrow_files(path) or split_tables(path))
    return path.suffix.lower() == ".parquet" and (holds_images(path) or has_named_classes(path))


def rows(path: Path) -> list[Row]:
    """Return the rows of all splits; of samples that are in no files of their own. Each has the columns of all.

    Raises:
        SourceError: a table cannot be read.
    """
    tables = [] if _metadata(path) else _tables(path)
    if any(holds_images(table) for table in tables):
        return []
    found = [row for table in tables for row in rows_of(table)]
    names = dict.fromkeys((name for row in found for name in row), "")
    return [{**names, **row} for row in found]


def _tables(path: Path) -> list[Path]:
    return [path] if path.is_file() else arrow_files(path) or split_tables(path)


def read(path: Path, uploads: Path) -> Source:
    """Read images, by their metadata or out of tables.

    Raises:
        SourceError: it cannot be read.
    """
    metadata = _metadata(path)
    return _read_metadata(path, metadata) if metadata else _read_tables(_tables(path), uploads)


def _metadata(folder: Path) -> list[Path]:
    """The metadata of a folder: one file, or one per split below it."""
    return [found for name in METADATA for found in sorted((*folder.glob(name), *folder.glob(f"*/{name}")))]


def _read_metadata(folder: Path, metadata: Sequence[Path]) -> Source:
    root, names = folder.resolve(), _class_names(folder)
    listed: list[dict[str, Any]] = []
    for found in metadata:
        read_one = read_lines(found) if found.suffix == ".jsonl" else read_rows(found)
        for row in read_one:
            plain = dict(zip(plain_names(row), row.values(), strict=True))
            file = plain.get("file_name") or plain.get("image")
            if isinstance(file, str):
                below = (found.parent / file).relative_to(folder).as_posix()
                listed.append(_named_class(plain, names) | {"file_name": below, "path": below})
    return source_of_rows(listed, root)


def _class_names(folder: Path) -> list[str]:
    """The names of classes that are numbers in the metadata, where a list lies beside it."""
    path = folder / CLASSES_FILE
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return [str(name) for name in found] if isinstance(found, list) else []


def _named_class(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    column = label_column(list(row))
    value = row.get(column)
    is_index = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names)
    return dict(row) | ({"label": names[value]} if is_index and value is not None else {})


def _read_tables(files: Sequence[Path], uploads: Path) -> Source:
    """Unpack the images of tables and read their rows; those of texts alone are read before, where that is told."""
    digest = sha256("\n".join(f"{path.resolve()}:{path.stat().st_mtime_ns}" for path in files).encode()).hexdigest()
    folder = uploads / digest
    folder.mkdir(parents=True, exist_ok=True)
    told = (row for path in files for row in rows_of(path))
    unpacked = [_unpacked(row, folder, number) for number, row in enumerate(told)]
    if unpacked and not any(row["path"] for row in unpacked) and not any(map(holds_images, files)):
        raise SourceError(names_no_files(files[0], next(rows_of(files[0]), {})))
    root = folder if any(folder.iterdir()) else files[0].parent
    return source_of_rows([row for row in unpacked if row["path"]], root.resolve())


def _unpacked(row: Row, folder: Path, number: int) -> dict[str, Any]:
    """The row with its image as a file; a table may name its images instead of holding them."""
    image = next((value for value in row.values() if isinstance(value, dict) and "bytes" in value), {})
    plain = {str(column).strip().casefold(): value for column, value in row.items() if not isinstance(value, dict)}
    content = image.get("bytes")
    if not content:
        return plain | {"path": str(image.get("path") or plain.get(file_column(list(plain))) or "")}
    name = _file_name(image.get("path"), content, number)
    target = folder / name
    if not target.is_file() or target.stat().st_size != len(content):
        target.write_bytes(content)
    return plain | {"path": name}


def _file_name(path: object, content: bytes, number: int) -> str:
    """A number, so that no name of the table leads anywhere, and what is left of the name the file had."""
    suffix = next((end for beginning, end in IMAGE_BEGINNINGS.items() if content.startswith(beginning)), "")
    stem = re.sub(r"[^\w-]", "_", Path(str(path or "")).stem)[:80]
    return f"{number:06d}-{stem}{suffix}" if stem else f"{number:06d}{suffix}"


def write(export: Export, folder: Path) -> Written:
    """Write below `data` copies of the images with their metadata beside, or a table of texts or rows.

    With metadata the library takes no class from a folder's name: a class may be called `test` or `bullet train`.
    """
    (folder / "data").mkdir()
    if not kind_named(export.kind).IN_FILES:
        write_parquet(folder / "data" / TABLE_FILE, _columns(export), export.classes)
        return Written(folder, len(export.labeled), 0)
    copies = copy_images(export.labeled, folder, below="data")
    samples = [sample for sample in export.labeled if sample.id in copies.names]
    rows = ({"file_name": copies.names[sample.id].removeprefix("data/"), **label_row(sample)} for sample in samples)
    write_lines(folder / "data" / METADATA[0], rows)
    (folder / "data" / CLASSES_FILE).write_text(json.dumps(list(export.classes), ensure_ascii=False), encoding="utf-8")
    return Written(folder, len(samples), 0, tuple(copies.left_out))


def _columns(export: Export) -> dict[str, list[Any]]:
    index = {name: place for place, name in enumerate(export.classes)}
    told = [label_row(sample) | {"label": index[sample.label]} for sample in export.labeled]
    return {name: [row.get(name) for row in told] for name in (*LABEL_COLUMNS, *own_columns(export.labeled))}


FORMAT = Format(
    name="hugging-face",
    sentence="Hugging Face: images or a table of texts or rows, for load_dataset",
    reads=reads,
    read=read,
    write=write,
    rows=rows,
    contents=True,
    holds=("annotators", "times", "lead times", "purposes", "flags"),
)
