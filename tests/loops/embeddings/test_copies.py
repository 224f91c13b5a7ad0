"""Distorted copies on the graph of a small pool."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from loops.embeddings import copies
from loops.embeddings.copies import copies_for, distorted, points_of_copies
from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.embeddings.images import EFFICIENTNET

POOL = np.arange(30)


@pytest.mark.parametrize(("samples", "each"), [(1, 9), (2_000, 9), (2_001, 8), (10_000, 1), (10_001, 0), (60_000, 0)])
def test_a_graph_has_twenty_thousand_points_at_most_and_an_image_nine_copies(samples: int, each: int) -> None:
    assert copies_for(samples) == each


def test_there_is_one_copy_of_each_image_then_another_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_TILE", 2)
    flat = np.full((5, 1, 8, 8), np.arange(5).reshape(5, 1, 1, 1), np.uint8)  # whatever its distortion, of one gray
    tiles = points_of_copies(
        distorted, lambda rows: rows.mean((1, 2, 3)).astype(np.float32), flat.__getitem__, np.arange(5), 0
    )
    assert np.concatenate(tiles).tolist() == [0, 1, 2, 3, 4] * 9


def test_copies_differ_and_are_the_same_again_whatever_a_round_draws_beside() -> None:
    crosses, _ = crosses_and_rings(4)

    def points(rows: NDArray[np.generic]) -> NDArray[np.float32]:
        torch.rand(1)
        return rows.reshape(len(rows), -1).astype(np.float32)

    ids = np.arange(4)
    once, again, other = (
        np.concatenate(points_of_copies(distorted, points, crosses.__getitem__, ids, seed)) for seed in (0, 0, 1)
    )
    assert (once == again).all()
    assert (once != other).any()
    assert len(np.unique(once, axis=0)) == 36


def test_two_labels_are_enough_where_copies_stand_between_the_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, classes = crosses_and_rings(40)
    right = {}
    for most in (0, 9):
        monkeypatch.setattr(copies, "MOST", most)
        store = FeatureStore(tmp_path / str(most), "pixels-16")
        store.append(np.arange(40), images)
        graph = GraphOfPool(store, num_classes=2)
        graph.hold(POOL)
        graph.refit({4: 0, 7: 1})
        right[most] = (graph.probs(np.arange(40)).argmax(1) == classes).mean()  # ten of them are not on the graph
        assert graph.stored.coordinates.shape[0] == 30
        assert (graph.stored.copies, len(graph.stored.graph.points_L_D)) == (most, 30 * (1 + most))
        assert graph.sentence.endswith("9 distorted copies of each image stand among them." if most else "ixels.")
        again = GraphOfPool(store, num_classes=2)
        again.refit({4: 0, 7: 1})
        assert np.allclose(again.probs(np.arange(40)), graph.probs(np.arange(40)), atol=1e-5), "as it lies on disk"
    assert right[9] == 1.0
    assert right[0] < 0.75


def test_of_features_there_are_no_copies(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, EFFICIENTNET)
    store.append(POOL, np.random.default_rng(0).normal(size=(30, 2560)).astype(np.float32))
    graph = GraphOfPool(store, num_classes=2)
    graph.hold(POOL)
    assert graph.stored.copies == 0
    assert graph.sentence == "Neighbors are looked for in features."


def crosses_and_rings(n: int) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    """Every other one a ring, all of them turned, sheared and moved: uint8 `[n, 1, 16, 16]`, and classes."""
    shapes, classes = np.zeros((2, 1, 16, 16), np.uint8), np.arange(n) % 2
    shapes[0, 0, 7:9, 3:13] = shapes[0, 0, 3:13, 7:9] = 255
    radius = np.hypot(*(np.mgrid[:16, :16] - 7.5))
    shapes[1, 0, (radius > 3.5) & (radius < 5.8)] = 255
    generator = torch.Generator().manual_seed(0)
    return distorted(distorted(shapes[classes], generator), generator), classes
