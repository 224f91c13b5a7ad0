"""What the names of the classes say before the first label, and how labels weigh against it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loops.active_learning import ActiveLearningLoop
from loops.embeddings.features import FeatureStore
from loops.embeddings.images import EFFICIENTNET
from loops.embeddings.names import NameRows
from loops.oracle import KnownLabels, Query
from loops.predictors.champion import Champion
from loops.predictors.graph import GraphPredictor
from loops.predictors.linear import LinearPredictor
from loops.settings import LoopSettings

D = 2560
SIDE = 20  # samples of each of two classes
IDS = np.arange(2 * SIDE)
TRUTH = {i: int(i >= SIDE) for i in IDS.tolist()}


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """Samples of class 0 lie along the first axis, those of class 1 along the second, each a little beside it."""
    made = FeatureStore(tmp_path / "features", EFFICIENTNET)
    rows = np.zeros((2 * SIDE, D), np.float32)
    rows[:SIDE, 0] = rows[SIDE:, 1] = 3.0
    rows[IDS, 2 + IDS] = 0.5
    made.append(IDS, rows)
    return made


def graph(store: FeatureStore, *axes: int) -> GraphPredictor:
    """With a name along an axis for each class; without any, no names."""
    names = NameRows(np.eye(D, dtype=np.float32)[list(axes)], 10.0) if axes else None
    return GraphPredictor(store, num_classes=2, seed=0, mc_iterations=4, names=names)


def answers(predictor: GraphPredictor, labels: dict[int, int]) -> list[int]:
    predictor.fit(labels)
    predictor.review(labels, pool=IDS, begins=True)
    found: list[int] = predictor.predict(IDS).argmax(axis=1).tolist()
    return found


def test_without_a_label_the_names_answer(store: FeatureStore) -> None:
    named = graph(store, 0, 1)
    assert named.answers_without_labels
    assert answers(named, {}) == list(TRUTH.values())
    assert named.describe().sentence.endswith("it learns from the names of the classes and from look-alikes.")
    plain = graph(store)
    assert not plain.answers_without_labels
    answers(plain, {})
    assert plain.predict(IDS).tolist() == [[0.5, 0.5]] * len(IDS), "no class is nearer than another"


def test_labels_take_over_where_they_contradict_names(store: FeatureStore) -> None:
    """Class 0 is called what class 1 is: after two labels on each side, all wrong by them, names are worth nothing."""
    labels = {0: 0, 1: 0, SIDE: 1, SIDE + 1: 1}
    exchanged, plain = graph(store, 1, 0), graph(store)
    assert answers(exchanged, {}) == [1 - label for label in TRUTH.values()]
    assert answers(exchanged, labels) == list(TRUTH.values())
    answers(plain, labels)
    assert exchanged.predict(IDS) == pytest.approx(plain.predict(IDS), abs=1e-6)


def test_a_name_helps_the_class_that_has_no_label_yet(store: FeatureStore) -> None:
    assert answers(graph(store), {0: 0, 1: 0}) == [0] * len(IDS)
    assert answers(graph(store, 0, 1), {0: 0, 1: 0}) == list(TRUTH.values())


def test_a_fresh_one_on_the_same_graph_knows_the_names_too(store: FeatureStore) -> None:
    named = graph(store, 0, 1)
    answers(named, TRUTH)
    fresh = named.fresh()
    assert fresh.answers_without_labels
    assert answers(fresh, {}) == list(TRUTH.values())
    assert len({graph(store).fingerprint, graph(store, 1, 0).fingerprint, fresh.fingerprint}) == 3


def test_a_loop_measures_and_suggests_before_the_first_label(store: FeatureStore, tmp_path: Path) -> None:
    queries: list[Query] = []
    test = {i: TRUTH[i] for i in (0, SIDE)}
    pool = {i: label for i, label in TRUTH.items() if i not in test}
    people = KnownLabels(pool, query_size=5, test=test, on_query=queries.append)
    first = graph(store, 0, 1)
    loop = ActiveLearningLoop(
        predictor=Champion(first, [], [LinearPredictor(first)]),
        oracle=people,
        settings=LoopSettings("auto", 5, labeling_budget=12),
        rounds_folder=tmp_path / "rounds",
    )
    loop.run()

    begun = queries[0]
    assert (begun.round_number, begun.labels) == (0, 0)
    assert [one.accuracy for one in begun.evaluations] == [1.0]
    assert begun.pool_scores is not None
    assert len(begun.pool_scores.sample_ids) == len(pool)
    assert begun.asked_by is not None
    assert loop.curve[0] == (0, 1.0)
