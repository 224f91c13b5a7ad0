from __future__ import annotations

import numpy as np
import pytest

from loops.embeddings.embedding_map import draw_map


def test_samples_of_one_blob_are_neighbors_on_the_map() -> None:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(60, 100)).astype(np.float32) + 20 * (np.arange(60) % 2)[:, None]
    points = draw_map(features)
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1) + np.eye(60) * 1e9
    assert (distances.argmin(1) % 2 == np.arange(60) % 2).all()


@pytest.mark.parametrize("shape", [(1, 5), (2, 5), (3, 1), (9, 4), (12, 1)])
def test_few_samples_and_few_dimensions_give_a_map_too(shape: tuple[int, int]) -> None:
    points = draw_map(np.random.default_rng(0).normal(size=shape).astype(np.float32))
    assert points.shape == (shape[0], 2)
    assert np.isfinite(points).all()


def test_samples_that_are_all_the_same_lie_on_one_point() -> None:
    points = draw_map(np.full((30, 16), 3.0, np.float32))
    assert (points == points[0]).all()
