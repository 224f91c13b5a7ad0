"""Hugging Face: a folder of images with `metadata.jsonl`, Parquet with the images' bytes, and `save_to_disk` folders.

Arrow and Parquet files are read as they are; the library `datasets` is not needed. Images that lie inside a table are
unpacked into the project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.formats.copies import copy_images
from app.formats.csv_file import label_row, read_rows
from app.formats.errors import SourceError
from app.formats.export import Export, Written
from app.formats.format import Format
from app.formats.jsonl_file import read_lines, write_lines
from app.formats.rows import label_column, plain_names, source_of_rows
from app.formats.source import Source, printable

if TYPE_CHECKING:
    import pyarrow as pa

METADATA = ("metadata.jsonl", "metadata.csv")
CLASSES_FILE = "classes.json"
_SUFFIXES = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif", b"BM": ".bmp", b"RIFF": ".webp"}


def reads(path: Path) -> bool:
    """A folder with metadata or Arrow files, or a Parquet file with images in it."""
    if path.is_dir():
        return bool(_metadata(path)) or bool(_arrow_files(path))
    return path.suffix.lower() == ".parquet" and _image_column(_schema(path)) != ""


def read(path: Path, uploads: Path) -> Source:
    """Read whichever of the three it is.

    Raises:
        SourceError: it cannot be read.
    """
    if path.is_file():
        return _read_tables([path], uploads)
    metadata = _metadata(path)
    if metadata:
        return _read_metadata(path, metadata)
    return _read_tables(_arrow_files(path), uploads)


def _metadata(folder: Path) -> list[Path]:
    """The metadata of a folder: one file, or one per split below it."""
    return [found for name in METADATA for found in sorted((*folder.glob(name), *folder.glob(f"*/{name}")))]


def _read_metadata(folder: Path, metadata: Sequence[Path]) -> Source:
    root, names = folder.resolve(), _class_names(folder)
    rows: list[dict[str, Any]] = []
    for found in metadata:
        read_one = read_lines(found) if found.suffix == ".jsonl" else read_rows(found)
        for row in read_one:
            plain = dict(zip(plain_names(row), row.values(), strict=True))
            file = plain.get("file_name") or plain.get("image")
            if isinstance(file, str):
                below = (found.parent / file).relative_to(folder).as_posix()
                rows.append(_named_class(plain, names) | {"file_name": below, "path": below})
    return source_of_rows(rows, root)


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


def _arrow_files(folder: Path) -> list[Path]:
    """The files of a `save_to_disk` folder, of a dataset or of several splits."""
    if not any((folder / name).is_file() for name in ("dataset_info.json", "dataset_dict.json", "state.json")):
        return []
    return sorted((*folder.glob("*.arrow"), *folder.glob("*/*.arrow")))


def _read_tables(files: Sequence[Path], uploads: Path) -> Source:
    """Unpack the images of tables and read their rows."""
    digest = sha256("\n".join(f"{path.resolve()}:{path.stat().st_mtime_ns}" for path in files).encode()).hexdigest()
    folder = uploads / digest
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for path in files:
        table_names = _names_in_schema(_schema(path))
        for row in _rows_of(path):
            rows.append(_unpacked(row, folder, len(rows), table_names))
    # A table may name its images instead of holding them.
    root = folder if any(folder.iterdir()) else files[0].parent
    return source_of_rows([row for row in rows if row["path"]], root.resolve())


def _schema(path: Path) -> pa.Schema:
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


def _image_column(schema: pa.Schema) -> str:
    """The column whose values are `{bytes, path}`."""
    for field in schema:
        children = {field.type.field(index).name for index in range(field.type.num_fields)}
        if "bytes" in children:
            return str(field.name)
    return ""


def _names_in_schema(schema: pa.Schema) -> dict[str, list[str]]:
    """The class names by column, as the library keeps them in a table's metadata."""
    found = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    features = found.get("info", {}).get("features", {})
    return {column: told["names"] for column, told in features.items() if isinstance(told, dict) and "names" in told}


def _rows_of(path: Path) -> Iterator[dict[str, Any]]:
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


def _unpacked(row: Mapping[str, Any], folder: Path, number: int, names: Mapping[str, list[str]]) -> dict[str, Any]:
    """The row with its image as a file, and the names of its classes."""
    image = next((value for value in row.values() if isinstance(value, dict) and "bytes" in value), {})
    plain = {
        str(column).strip().casefold(): _class_name(value, names.get(column, []))
        for column, value in row.items()
        if not isinstance(value, dict)
    }
    content = image.get("bytes")
    if not content:
        return plain | {"path": str(image.get("path") or "")}
    name = _file_name(image.get("path"), content, number)
    target = folder / name
    if not target.is_file() or target.stat().st_size != len(content):
        target.write_bytes(content)
    return plain | {"path": name}


def _class_name(value: Any, names: Sequence[str]) -> Any:  # noqa: ANN401 - a cell
    is_index = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names)
    return names[value] if is_index else value


def _file_name(path: object, content: bytes, number: int) -> str:
    """A number, so that no name of the table leads anywhere, and what is left of the name the file had."""
    suffix = next((end for beginning, end in _SUFFIXES.items() if content.startswith(beginning)), "")
    stem = re.sub(r"[^\w-]", "_", Path(str(path or "")).stem)[:80]
    return f"{number:06d}-{stem}{suffix}" if stem else f"{number:06d}{suffix}"


def write(export: Export, folder: Path) -> Written:
    """Write copies of the images below `data`, and their metadata beside them.

    With metadata the library takes no class from a folder's name: a class may be called `test` or `bullet train`.
    """
    copies = copy_images(export.labeled, folder, below="data")
    samples = [sample for sample in export.labeled if sample.id in copies.names]
    rows = ({"file_name": copies.names[sample.id].removeprefix("data/"), **label_row(sample)} for sample in samples)
    (folder / "data").mkdir(exist_ok=True)
    write_lines(folder / "data" / METADATA[0], rows)
    (folder / "data" / CLASSES_FILE).write_text(json.dumps(list(export.classes), ensure_ascii=False), encoding="utf-8")
    return Written(folder, len(samples), 0, tuple(copies.left_out))


FORMAT = Format(
    name="hugging-face",
    sentence="Hugging Face: images with metadata.jsonl, as load_dataset reads them",
    reads=reads,
    read=read,
    write=write,
    holds=("annotators", "times", "lead times", "purposes", "flags"),
)
