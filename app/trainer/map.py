"""The map of the samples: near on the map is near in the embedding. Drawn once, and again when the pool has grown."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.project.project import Project
from app.project.settings import write_atomically
from loops.embeddings.embedding_map import draw_map
from loops.embeddings.features import FeatureStore
from loops.seeding import hash_of_ids, seed_of

MOST_SAMPLES = 3000  # more dots than that nobody can tell apart, and t-SNE of 3,000 takes seconds
_FEW_SAMPLES = 300  # are drawn in less time than another process starts
_LOOK_S = 0.1  # between two looks whether to break off


def write_map(project: Project, store: FeatureStore, sample_ids: NDArray[np.int64], check: Callable[[], None]) -> None:
    """Writes `features/map.parquet` (sample_id, x, y) unless the one there still fits.

    Args:
        project: Gets the map.
        store: Has the features of some of the samples.
        sample_ids: Of the pool.
        check: Called several times a second; what it raises breaks off.
    """
    path = project.features_dir / "map.parquet"
    embedded = np.setdiff1d(sample_ids, store.missing(sample_ids), assume_unique=True)
    chosen = embedded[np.argsort(hash_of_ids(embedded, seed_of("map")), kind="stable")[:MOST_SAMPLES]]
    if not len(chosen) or (path.exists() and _drawn(pq.read_schema(path)) == (store.backbone.name, len(chosen))):
        return
    rows = store.rows(chosen)
    features_N_D = rows.reshape(len(rows), -1).astype(np.float32)
    points_N_2 = draw_map(features_N_D) if len(rows) <= _FEW_SAMPLES else _drawn_elsewhere(features_N_D, check)
    table = pa.table({"sample_id": chosen, "x": points_N_2[:, 0], "y": points_N_2[:, 1]})
    table = table.replace_schema_metadata({"backbone": store.backbone.name, "samples": str(len(chosen))})
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    write_atomically(path, buffer.getvalue().to_pybytes())


def _drawn_elsewhere(features_N_D: NDArray[np.float32], check: Callable[[], None]) -> NDArray[np.float32]:
    """Draws in a process of its own: t-SNE is one call of many seconds, and nothing but a kill breaks it off."""
    with tempfile.TemporaryDirectory() as folder:
        features, points = Path(folder) / "features.npy", Path(folder) / "points.npy"
        np.save(features, features_N_D)
        command = [sys.executable, "-W", "ignore", "-m", "loops.embeddings.embedding_map", str(features), str(points)]
        with subprocess.Popen(command) as child:
            try:
                while child.poll() is None:
                    check()
                    _wait(child)
            finally:
                child.kill()
        return np.asarray(np.load(points), np.float32)


def _wait(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(_LOOK_S)


def _drawn(schema: pa.Schema) -> tuple[str, int]:
    metadata = schema.metadata or {}
    return metadata.get(b"backbone", b"").decode(), int(metadata.get(b"samples", b"0"))
