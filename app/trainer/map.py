"""The map of the samples: near on the map is near in the embedding. Drawn once, and again when the pool has grown."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.project.pool_map import MapContents, map_contents, map_path, write_map
from app.project.project import Project
from loops.embeddings.embedding_map import draw_map
from loops.embeddings.features import FeatureStore
from loops.seeding import hash_of_ids, seed_of

MOST_SAMPLES = 3000  # more dots than that nobody can tell apart, and t-SNE of 3,000 takes seconds
_FEW_SAMPLES = 300  # are drawn in less time than another process starts
_LOOK_S = 0.1  # between two looks whether to break off


def update_map(project: Project, store: FeatureStore, sample_ids: NDArray[np.int64], check: Callable[[], None]) -> None:
    """Draws the map and writes it unless the one there still fits.

    Args:
        project: Gets the map.
        store: Has the features of some of the samples.
        sample_ids: Of the pool.
        check: Called several times a second; what it raises breaks off.
    """
    path = map_path(project.features_dir)
    embedded = np.setdiff1d(sample_ids, store.missing(sample_ids), assume_unique=True)
    chosen = embedded[np.argsort(hash_of_ids(embedded, seed_of("map")), kind="stable")[:MOST_SAMPLES]]
    if not len(chosen) or map_contents(path) == MapContents(store.backbone.name, len(chosen)):
        return
    rows = store.rows(chosen)
    features_N_D = rows.reshape(len(rows), -1).astype(np.float32)
    points_N_2 = draw_map(features_N_D) if len(rows) <= _FEW_SAMPLES else _drawn_elsewhere(features_N_D, check)
    write_map(path, chosen, points_N_2, backbone=store.backbone.name)


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
