"""The graph of a pool, built from a store."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.embeddings.images import EFFICIENTNET
from loops.embeddings.named_classes import last_layer


def test_photographs_are_connected_by_what_the_network_takes_them_for_too(tmp_path: Path) -> None:
    weight, _ = last_layer()
    noise = np.random.default_rng(0).normal(size=(40, 2560))
    store = FeatureStore(tmp_path, EFFICIENTNET)
    store.append(np.arange(40), (noise + 20 * weight[np.repeat([5, 500], 20)].numpy()).astype(np.float32))
    graph = GraphOfPool(store, num_classes=2)
    graph.hold(range(40))
    assert graph.embedding.name == "features and named classes"
    graph.refit({0: 0, 39: 1})
    assert graph.probs(np.arange(40)).argmax(1).tolist() == [0] * 20 + [1] * 20
    assert GraphOfPool(store, num_classes=2).embedding.name == graph.embedding.name, "as it lies on disk"
