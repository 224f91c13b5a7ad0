"""The names of the classes as a predictor, and as what a champion knows before the first label."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from loops.active_learning import ActiveLearningLoop
from loops.embeddings.features import FeatureStore
from loops.embeddings.images import EFFICIENTNET
from loops.embeddings.names import NameRows
from loops.oracle import KnownLabels, Query
from loops.predictors.champion import Champion
from loops.predictors.graph import GraphPredictor
from loops.predictors.linear import LinearPredictor
from loops.predictors.names import NamesPredictor
from loops.settings import LoopSettings

D = 2560
SIDE = 20  # samples of each of two classes
IDS = list(range(2 * SIDE))
TRUTH = {i: int(i >= SIDE) for i in IDS}


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """Samples of class 0 lie along the first axis, those of class 1 along the second, each a little beside it."""
    made = FeatureStore(tmp_path / "features", EFFICIENTNET)
    rows = np.zeros((2 * SIDE, D), np.float32)
    rows[:SIDE, 0] = rows[SIDE:, 1] = 3.0
    rows[IDS, [2 + i for i in IDS]] = 0.5
    made.append(IDS, rows)
    return made


def names(*axes: int, scale: float = 10.0) -> NameRows:
    return NameRows(np.eye(D, dtype=np.float32)[list(axes)], scale)


def champion(store: FeatureStore, known: NameRows) -> Champion:
    named = {"num_classes": 2, "seed": 0, "mc_iterations": 4}
    graph = GraphPredictor(store, **named)
    return Champion(graph, [], [LinearPredictor(graph)], prior=NamesPredictor(store, known, **named))


def test_the_nearest_name_answers_as_surely_as_the_scale_says(tmp_path: Path) -> None:
    """Cosines 1 and 0, scale ln 3: odds of 3 to 1."""
    plain = FeatureStore(tmp_path / "plain", EFFICIENTNET)
    plain.append([7], np.eye(1, D, dtype=np.float32) * 5)
    predictor = NamesPredictor(plain, names(0, 1, scale=math.log(3)), num_classes=2, mc_iterations=6)

    assert predictor.predict([7]).tolist() == [pytest.approx([0.75, 0.25])]
    drawn = predictor.draws([7], round_number=1)
    assert drawn.shape == (1, 2, 6)
    assert len(set(drawn[0, 0].tolist())) == 6
    assert drawn.sum(axis=1) == pytest.approx(np.ones((1, 6)))
    assert predictor.as_module()(torch.eye(1, D) * 2).tolist() == [pytest.approx([0.75, 0.25])]


def test_without_a_label_the_names_answer_and_each_label_counts_against_them(store: FeatureStore) -> None:
    """The first member's part is (1 + n) / (11 + n): 1/11 without labels, 1/2 at nine."""
    made = champion(store, names(0, 1))
    assert made.answers_without_labels
    made.fit({}, round_number=0)
    made.review({}, pool=np.array(IDS), begins=True)

    assert made.predict(IDS).argmax(axis=1).tolist() == list(TRUTH.values())
    assert made.weights.weights == pytest.approx((1 / 11, 10 / 11, 0))
    assert made.describe().sentence.startswith("The names of the classes answer, until your labels say more")
    made.fit({i: TRUTH[i] for i in (*range(5), *range(SIDE, SIDE + 4))}, round_number=1)
    assert made.weights.weights == pytest.approx((1 / 2, 1 / 2, 0))


def test_names_that_labels_contradict_are_dropped_and_ask_nothing_of_the_answer(store: FeatureStore) -> None:
    """Class 0 is called what class 1 is: three labels may be chance, four are not."""
    made = champion(store, names(1, 0))
    made.fit({0: 0, 1: 0, SIDE: 1}, round_number=1)
    assert made.weights.weights[1] > 0.7
    made.fit({0: 0, 1: 0, SIDE: 1, SIDE + 1: 1}, round_number=1)
    assert made.weights.weights == (1.0, 0.0, 0.0)
    assert made.predict(IDS).argmax(axis=1).tolist() == list(TRUTH.values())
    made.fit(TRUTH, round_number=2)
    assert made.weights.weights[1] == 0.0, "held-out labels say so too"
    assert "names of the classes 0 % right" in made.describe().details


def test_from_ten_labels_on_names_are_weighed_as_everyone_and_come_back_from_a_file(
    store: FeatureStore, tmp_path: Path
) -> None:
    made = champion(store, names(0, 1))
    made.fit({i: TRUTH[i] for i in (*range(6), *range(SIDE, SIDE + 6))}, round_number=1)

    assert made.weights.weights == pytest.approx((1 / 3, 1 / 3, 1 / 3), abs=0.02)
    assert "look-alikes, the names of the classes and a trained model answer together" in made.describe().sentence
    saved = made.save(tmp_path / "model.ckpt", {})
    again = champion(store, names(0, 1))
    again.load(saved.path, sha256=saved.sha256, size=saved.size)
    assert again.predict(IDS).tobytes() == made.predict(IDS).tobytes()
    fresh = again.fresh()
    fresh.fit(TRUTH, round_number=2)
    assert fresh.weights == made.weights, "one that is compared does not weigh anew"


def test_a_loop_measures_and_suggests_before_the_first_label(store: FeatureStore, tmp_path: Path) -> None:
    queries: list[Query] = []
    test = {i: TRUTH[i] for i in (0, SIDE)}
    pool = {i: TRUTH[i] for i in IDS if i not in test}
    people = KnownLabels(pool, query_size=5, test=test, on_query=queries.append)
    loop = ActiveLearningLoop(
        predictor=champion(store, names(0, 1)),
        oracle=people,
        settings=LoopSettings("auto", 5, labeling_budget=12),
        rounds_folder=tmp_path / "rounds",
    )
    loop.run()

    first = queries[0]
    assert (first.round_number, first.labels) == (0, 0)
    assert [one.accuracy for one in first.evaluations] == [1.0]
    assert first.pool_scores is not None
    assert len(first.pool_scores.sample_ids) == len(pool)
    assert first.asked_by is not None
    assert loop.curve[0] == (0, 1.0)
