"""The features that the trainer keeps on disk, read without the trainer's code: the screens load no torch.

A store is a folder with ``meta.json`` (the shape of a row), ``ids.bin`` and ``rows-C.bin`` that grow together. What is
mapped is never copied as a whole: 60,000 photographs are 300 MB.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
_CHUNK = 1024  # rows compared at once; 5 MB of a photograph's features


@dataclass(frozen=True)
class StoredFeatures:
    """One backbone's rows as they are on disk now; row i belongs to ``sample_ids[i]``."""

    sample_ids: Ids
    rows_N_D: NDArray[Any]  # memory-mapped

    def positions(self, sample_ids: Ids) -> Ids:
        """Where the samples' rows are, -1 for a sample that has none yet."""
        if not len(self.sample_ids):
            return np.full(len(sample_ids), -1, np.int64)
        order = np.argsort(self.sample_ids, kind="stable")
        found = np.searchsorted(self.sample_ids, sample_ids, sorter=order).clip(max=len(order) - 1)
        places = order[found]
        return np.where(self.sample_ids[places] == sample_ids, places, -1)

    def directions(self, positions: Ids) -> NDArray[np.float32]:
        """The rows, centered and of length 1: their products are correlations. A row without contrast is all zero."""
        rows = np.asarray(self.rows_N_D[positions], np.float32)
        rows -= rows.mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-6))


def newest_store(features_dir: Path) -> Path | None:
    """The folder of the backbone that was written to last; None before the trainer has looked at an image."""
    stores = [meta.parent for meta in features_dir.glob("*/meta.json") if (meta.parent / "ids.bin").is_file()]
    return max(stores, key=lambda folder: (folder / "ids.bin").stat().st_mtime_ns, default=None)


def open_features(folder: Path) -> StoredFeatures:
    """Map a store; rows that are still being written are left out.

    Raises:
        OSError: When a file cannot be read.
        ValueError: When the files are none of a store's.
        KeyError: When ``meta.json`` lacks the shape.
    """
    shape = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    backbone, row_shape = shape["backbone"], shape["row_shape"]
    dtype = np.dtype(np.uint8 if backbone.startswith("pixels-") else np.float32)
    width, path = int(np.prod(row_shape)), folder / f"rows-{row_shape[0]}.bin"
    ids = np.fromfile(folder / "ids.bin", np.int64)
    count = min(len(ids), path.stat().st_size // (width * dtype.itemsize))
    rows = np.memmap(path, dtype, "r", shape=(count, width)) if count else np.empty((0, width), dtype)
    return StoredFeatures(ids[:count], rows)


def nearest(features: StoredFeatures, sample_ids: Ids, among: Ids, *, count: int) -> tuple[Ids, NDArray[np.float32]]:
    """The most similar of other samples, by the correlation of their rows.

    Args:
        features: all rows.
        sample_ids: ``[N]``, samples that have rows.
        among: ``[M]``, samples that have rows; a sample is never its own neighbor.
        count: how many.

    Returns:
        Ids and correlations, ``[N, count]`` or fewer columns, most similar first; a sample's own place has
        correlation -2 and comes last.
    """
    own = features.directions(features.positions(sample_ids))
    places = features.positions(among)
    similarity = np.empty((len(sample_ids), len(among)), np.float32)
    for start in range(0, len(among), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        similarity[:, chunk] = own @ features.directions(places[chunk]).T
    similarity[sample_ids[:, None] == among[None, :]] = -2.0
    best = np.argsort(-similarity, axis=1, kind="stable")[:, :count]
    return among[best], np.take_along_axis(similarity, best, axis=1)
