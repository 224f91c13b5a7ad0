"""A tiny project whose classes anybody could learn: bright left half, bright right half, bright everywhere."""

from dataclasses import replace

import numpy as np
import pytest

from loops.embeddings.features import FeatureStore
from loops.embeddings.images import candidates
from loops.predictors.network_spec import choose_network

NUM_CLASSES = 3


def draw(sample_id):
    """An 16 x 16 gray image of class `sample_id % 3`."""
    pixels = np.random.default_rng(sample_id).integers(0, 120, (16, 16), dtype=np.uint8)
    columns = [slice(0, 8), slice(8, 16), slice(0, 16)][sample_id % NUM_CLASSES]
    pixels[:, columns] += 100
    return pixels


@pytest.fixture
def store(tmp_path):
    """Features of samples 0..59; class = id % 3."""
    feature_store = FeatureStore(tmp_path / "features", "pixels-16")
    ids = np.arange(60)
    feature_store.append(ids, np.stack([draw(i) for i in ids])[:, None])
    return feature_store


@pytest.fixture
def quick_cnn():
    """The cnn predictor, fitted for four epochs of three steps."""
    return replace(choose_network("cnn", candidates([(16, 16)])), epochs=4, min_steps_per_epoch=3, score_batch_size=8)
