"""The map of the pool, ``features/map.parquet``: near on the map is near in the embedding. Writing and reading."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.errors import UnreadableMapError
from app.project.settings import write_atomically


@dataclass(frozen=True)
class PoolMap:
    """Where samples lie on the map; the axes have no unit."""

    sample_ids: NDArray[np.int64]
    points_N_2: NDArray[np.float64]


@dataclass(frozen=True)
class MapContents:
    """Of what a map was drawn; the next one is drawn when that changes."""

    backbone: str
    samples: int


def map_path(features_dir: Path) -> Path:
    """Where a project's map lies."""
    return features_dir / "map.parquet"


def write_map(path: Path, sample_ids: NDArray[np.int64], points_N_2: NDArray[np.float32], *, backbone: str) -> None:
    """Write the map; a reader sees the old file or the new one, never half of one."""
    table = pa.table({"sample_id": sample_ids, "x": points_N_2[:, 0], "y": points_N_2[:, 1]})
    table = table.replace_schema_metadata({"backbone": backbone, "samples": str(len(sample_ids))})
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    write_atomically(path, buffer.getvalue().to_pybytes())


def map_contents(path: Path) -> MapContents | None:
    """Of what the map there was drawn; None where there is none that can be read."""
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException):
        return None
    return MapContents(metadata.get(b"backbone", b"").decode(), int(metadata.get(b"samples", b"0")))


def read_map(path: Path) -> PoolMap | None:
    """Read the map; None until the trainer has written it.

    Raises:
        UnreadableMapError: When the file is there and cannot be read.
    """
    if not path.is_file():
        return None
    try:
        with pq.ParquetFile(path) as file:  # opened once: `read_table` would go on in the file that replaced it
            table = file.read(columns=["sample_id", "x", "y"])
        points_N_2 = np.stack([table[axis].to_numpy().astype(float) for axis in ("x", "y")], axis=1)
        return PoolMap(table["sample_id"].to_numpy().astype(np.int64), points_N_2)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise UnreadableMapError(path) from error
