"""The map of the samples: near on the map is near in the embedding. Drawn once, and again when the pool has grown."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.project import Project
from app.settings import write_atomically
from loops.embedding_map import draw_map
from loops.features import FeatureStore
from loops.seeding import hash_of_ids, seed_of

MOST_SAMPLES = 3000  # more dots than that nobody can tell apart, and t-SNE of 3,000 takes seconds


def write_map(project: Project, store: FeatureStore, sample_ids: NDArray[np.int64]) -> None:
    """Writes `features/map.parquet` (sample_id, x, y) unless the one there still fits."""
    path = project.features_dir / "map.parquet"
    embedded = np.setdiff1d(sample_ids, store.missing(sample_ids), assume_unique=True)
    chosen = embedded[np.argsort(hash_of_ids(embedded, seed_of("map")), kind="stable")[:MOST_SAMPLES]]
    if not len(chosen) or (path.exists() and _drawn(pq.read_schema(path)) == (store.backbone.name, len(chosen))):
        return
    rows = store.rows(chosen)
    points_N_2 = draw_map(rows.reshape(len(rows), -1).astype("float32"))
    table = pa.table({"sample_id": chosen, "x": points_N_2[:, 0], "y": points_N_2[:, 1]})
    table = table.replace_schema_metadata({"backbone": store.backbone.name, "samples": str(len(chosen))})
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    write_atomically(path, buffer.getvalue().to_pybytes())


def _drawn(schema: pa.Schema) -> tuple[str, int]:
    metadata = schema.metadata or {}
    return metadata.get(b"backbone", b"").decode(), int(metadata.get(b"samples", b"0"))
