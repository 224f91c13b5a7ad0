"""Sixty images, three steps of eight pairs: what is learned is worth nothing, and kept as if it were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loops.embeddings import copies, encoder_training, learned_graph
from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_choice import read_choice
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.embeddings.images import EFFICIENTNET
from loops.embeddings.learned_graph import learn
from loops.errors import TrainingInterruptedError
from loops.graph import group_structure

POOL = np.arange(60)


@pytest.fixture(autouse=True)
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_training, "PAIRS", 8)
    monkeypatch.setattr(learned_graph, "STEPS", 3)
    monkeypatch.setattr(learned_graph, "FEWEST", 60)
    monkeypatch.setattr(group_structure, "DRAWS", 2)


def filled(folder: Path) -> FeatureStore:
    store = FeatureStore(folder, "pixels-16")
    rows = np.random.default_rng(0).integers(0, 256, (70, 1, 16, 16)).astype(np.uint8)
    store.append(np.arange(70), rows)
    return store


def learned(store: FeatureStore, calls: int | None = None) -> tuple[bool, list[int]]:
    """Learns until the check was called so often."""
    percents: list[int] = []
    left = [calls]

    def check() -> None:
        if left[0] is not None:
            left[0] -= 1
            if left[0] < 0:
                raise TrainingInterruptedError(steps=0, wanted=0)

    return learn(store, POOL, seed=0, progress=lambda done, _: percents.append(done), check=check), percents


@pytest.mark.parametrize("most", [0, 9])
def test_a_graph_in_learned_features_lies_beside_the_computed_one_with_a_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(copies, "MOST", most)
    store = filled(tmp_path)
    is_new, percents = learned(store)
    assert is_new
    assert percents == sorted(percents)
    assert (percents[0], percents[-1]) == (0, 95)
    choice = read_choice(tmp_path, 0)
    assert choice.computed_doubt > 0
    assert not choice.learned, "the first labels are the computed graph's"
    graph = GraphOfPool(store, num_classes=2, learned=True)
    assert graph.embedding.name.startswith("learned features and ")
    assert len(graph.stored.graph.points_L_D) == 60, "without copies"
    graph.hold(range(70))  # new samples are hung on it
    graph.refit({0: 0, 69: 1})
    assert graph.probs(np.arange(70)).shape == (70, 2)
    assert learned(store) == (False, []), "there is nothing new to learn"


def test_stopped_anywhere_it_goes_on_and_ends_as_without_the_stop(tmp_path: Path) -> None:
    whole, stopped = filled(tmp_path / "whole"), filled(tmp_path / "stopped")
    learned(whole)
    stops = 0
    for calls in range(9, 1000, 30):  # each time it comes a little further
        try:
            assert learned(stopped, calls)[0]
            break
        except TrainingInterruptedError:
            stops += 1
    assert stops >= 2
    one, other = (GraphOfPool(store, num_classes=2, learned=True).stored for store in (whole, stopped))
    assert (one.graph.points_L_D == other.graph.points_L_D).all()
    assert not list(tmp_path.glob("stopped/encoder-training*")), "tidied up"


def test_a_damaged_state_of_the_training_is_not_used(tmp_path: Path) -> None:
    store = filled(tmp_path)
    GraphOfPool(store, num_classes=2).hold(POOL)
    (tmp_path / "encoder-training-0.ckpt").write_bytes(b"torn")
    assert learned(store)[0]


def test_a_damaged_learned_graph_gives_way_to_the_computed_one_until_it_is_learned_anew(tmp_path: Path) -> None:
    store = filled(tmp_path)
    learned(store)
    path = next(tmp_path.glob("graph-*-learned.npz"))
    path.write_bytes(path.read_bytes()[:100])
    assert GraphOfPool(store, num_classes=2, learned=True).embedding.name in ("pixels", "upright pixels")
    assert learned(store)[0]


def test_features_and_few_samples_are_left_as_they_are(tmp_path: Path) -> None:
    features = FeatureStore(tmp_path / "features", EFFICIENTNET)
    features.append(POOL, np.zeros((60, 2560), np.float32))
    assert not learned(features)[0]
    assert not learn(filled(tmp_path), POOL[:59], seed=0, progress=lambda *_: None, check=lambda: None)
