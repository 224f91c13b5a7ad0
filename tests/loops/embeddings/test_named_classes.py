"""The network's own last layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loops.embeddings.images import LITE_NETWORKS
from loops.embeddings.lite_networks import network
from loops.embeddings.named_classes import named_classes, tells_something


def test_rows_are_roots_of_probabilities() -> None:
    features = np.random.default_rng(0).normal(size=(3, 2560)).astype(np.float32)
    named = named_classes(features)
    assert named.shape == (3, 1000)
    assert np.square(named).sum(1) == pytest.approx(np.ones(3), abs=1e-5)


def test_the_network_recognizes_images_of_which_it_is_more_than_half_sure() -> None:
    def sure(probability: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.sqrt(np.array([[probability, 1 - probability, 0.0], [0.3, 0.3, 0.4]], np.float32))

    assert tells_something(sure(0.7)), "(.7 + .4) / 2"
    assert not tells_something(sure(0.55)), "(.55 + .4) / 2"


def test_names_are_what_both_networks_say_in_the_geometric_mean() -> None:
    features = np.random.default_rng(1).normal(size=(2, 2560)).astype(np.float32)
    product = np.ones((2, 1000))
    for place, name in enumerate(LITE_NETWORKS):
        with torch.inference_mode():
            own = network(name)._fc(torch.from_numpy(features[:, 1280 * place : 1280 * (place + 1)]))
        product *= own.softmax(dim=1).numpy() ** 0.5
    assert np.square(named_classes(features)) == pytest.approx(product / product.sum(1, keepdims=True), abs=1e-6)
