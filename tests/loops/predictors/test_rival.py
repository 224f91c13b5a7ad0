"""Labels held out judge the embedding in force against another one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loops.embeddings.features import FeatureStore
from loops.embeddings.images import EFFICIENTNET
from loops.predictors.champion import Champion
from loops.predictors.graph import GraphPredictor
from loops.predictors.linear import LinearPredictor
from loops.predictors.rival import compare_embedding

POOL = np.arange(120)
LABELS = {i: i % 2 for i in range(40)}


def store(folder: Path, name: str, *, tells: bool) -> FeatureStore:
    """Rows in two directions by class, or in any direction."""
    made = FeatureStore(folder / name, EFFICIENTNET)
    rows = np.random.default_rng(0).normal(0, 0.05, (120, 2560)).astype(np.float32)
    rows[POOL, POOL % 2 if tells else np.random.default_rng(1).integers(0, 2, 120)] += 1.0
    made.append(POOL, rows)
    return made


def fitted(rows: FeatureStore) -> Champion:
    graph = GraphPredictor(rows, num_classes=2, seed=0)
    graph.review({}, pool=POOL, begins=False)
    champion = Champion(graph, [], [LinearPredictor(graph)])
    champion.fit(LABELS, round_number=1)
    return champion


@pytest.mark.parametrize(
    ("mine", "rival", "is_better"), [(False, True, True), (True, False, False), (True, True, False)]
)
def test_an_embedding_that_tells_the_classes_apart_beats_one_that_does_not(
    tmp_path: Path, mine: bool, rival: bool, is_better: bool
) -> None:
    predictor = fitted(store(tmp_path, "mine", tells=mine))
    found = compare_embedding(predictor, store(tmp_path, "rival", tells=rival), LABELS)

    assert found is not None
    assert found.other_is_better == is_better
    assert found.other_right == pytest.approx(1.0 if rival else 0.5, abs=0.25)


def test_without_labels_held_out_nothing_is_compared(tmp_path: Path) -> None:
    predictor, rival = fitted(store(tmp_path, "mine", tells=False)), store(tmp_path, "rival", tells=True)

    assert compare_embedding(predictor, rival, LABELS | {50: 0}) is None, "those of the last fit are fewer"
    predictor.held_out = None
    assert compare_embedding(predictor, rival, LABELS) is None
