"""The network's own last layer."""

from __future__ import annotations

import numpy as np
import pytest

from loops.embeddings.named_classes import named_classes, tells_something


def test_rows_are_roots_of_probabilities() -> None:
    features = np.random.default_rng(0).normal(size=(3, 1280)).astype(np.float32)
    named = named_classes(features)
    assert named.shape == (3, 1000)
    assert np.square(named).sum(1) == pytest.approx(np.ones(3), abs=1e-5)


def test_the_network_recognizes_images_of_which_it_is_more_than_half_sure() -> None:
    def sure(probability: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.sqrt(np.array([[probability, 1 - probability, 0.0], [0.3, 0.3, 0.4]], np.float32))

    assert tells_something(sure(0.7)), "(.7 + .4) / 2"
    assert not tells_something(sure(0.55)), "(.55 + .4) / 2"
