from __future__ import annotations

import numpy as np
import pytest

from app.simulation.pool_features import build_graphs, folder_of_run
from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_choice import GraphChoice, read_choice, write_choice
from loops.embeddings.stored_graph import path_of_graph


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Forty gray images, of which the pool has forty-one."""
    store = FeatureStore(tmp_path_factory.mktemp("features"), "pixels-16")
    rows = np.random.default_rng(0).integers(0, 256, size=(40, 1, 16, 16)).astype(np.uint8)
    store.append(range(40), rows)
    progress = []
    build_graphs(store, range(41), num_classes=2, seed=3, progress=progress.append)
    assert progress == [], "so few are not learned from"
    return store


def test_the_graph_of_a_seed_is_built_once_for_all_its_runs(store):
    assert path_of_graph(store.folder, 3, learned=False).exists()
    with folder_of_run(store) as own:
        assert path_of_graph(own.folder, 3, learned=False).exists()
        assert np.array_equal(own.rows([7, 2]), store.rows([7, 2]))


def test_which_graph_is_in_force_is_each_runs_own_matter(store):
    with folder_of_run(store) as own:
        write_choice(GraphChoice(learned=True, computed_doubt=0.5), own.folder, 3)
        assert read_choice(own.folder, 3).learned
    assert not read_choice(store.folder, 3).learned
