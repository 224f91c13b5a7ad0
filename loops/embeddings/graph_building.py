"""Building the graph of a pool from its stored rows, and hanging further samples on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from loops.embeddings.computed_embedding import Embedding, choose_embedding
from loops.embeddings.copies import points_of_copies
from loops.embeddings.embedders import distortion_of
from loops.embeddings.features import FeatureStore
from loops.embeddings.stored_graph import StoredGraph
from loops.graph.graph import build_graph, choose_landmarks

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]

TILE = 2_048  # rows read at once


def built_graph(store: FeatureStore, sample_ids: Ids, seed: int, check: Callable[[], None]) -> StoredGraph:
    """A graph of these samples: built of landmarks among them, on which the others are hung.

    Args:
        store: Gives the rows.
        sample_ids: `[N]`, ascending.
        seed: Of landmarks and embedding.
        check: Called often, for it takes a minute where samples are many; may raise.
    """
    landmarks = choose_landmarks(sample_ids, seed)
    embedding = choose_embedding(store.rows(landmarks), seed, check, backbone=store.backbone.name)
    points = [points_of(embedding, store, landmarks, check)]
    distort = distortion_of(store.backbone)
    if distort is not None:
        points += points_of_copies(distort, embedding.points, store.rows, landmarks, seed, check)
    graph = build_graph(np.concatenate(points), seed, check)
    vectors = graph.vectors_L_M[: len(landmarks)]
    built = StoredGraph(landmarks, vectors, landmarks, len(sample_ids), graph, embedding, store.row_shape)
    return extended(built, store, np.setdiff1d(sample_ids, landmarks), check)


def extended(stored: StoredGraph, store: FeatureStore, sample_ids: Ids, check: Callable[[], None]) -> StoredGraph:
    """A graph on which these samples are hung too."""
    if not len(sample_ids):
        return stored
    ids = np.concatenate([stored.ids, sample_ids])
    coordinates = np.concatenate([stored.coordinates, coordinates_of(stored, store, sample_ids, check)])
    order = np.argsort(ids, kind="stable")
    return replace(stored, ids=ids[order], coordinates=coordinates[order])


def points_of(embedding: Embedding, store: FeatureStore, sample_ids: Ids, check: Callable[[], None]) -> Floats:
    """Points of samples, tile by tile."""
    tiles = []
    for start in range(0, max(1, len(sample_ids)), TILE):
        check()
        tiles.append(embedding.points(store.rows(sample_ids[start : start + TILE])))
    return np.concatenate(tiles)


def coordinates_of(stored: StoredGraph, store: FeatureStore, sample_ids: Ids, check: Callable[[], None]) -> Floats:
    """Where samples stand on a graph, by what is near them, `[N, M]`."""
    tiles = [sample_ids[start : start + TILE] for start in range(0, len(sample_ids), TILE)]
    return np.concatenate([stored.graph.coordinates(points_of(stored.embedding, store, t, check)) for t in tiles])
