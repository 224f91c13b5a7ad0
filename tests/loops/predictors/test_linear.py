"""The linear model over a graph's points, where a class is a direction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from loops.embeddings.features import FeatureStore
from loops.embeddings.images import EFFICIENTNET
from loops.errors import NotEnoughSamplesError
from loops.predictors import linear
from loops.predictors.graph import GraphPredictor
from loops.predictors.linear import LinearOfColumns, LinearPredictor

POOL = np.arange(80)


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """Even samples lie around one direction, odd ones around another; all are far from the origin."""
    made = FeatureStore(tmp_path / "features", EFFICIENTNET)
    rows = np.random.default_rng(0).normal(0.5, 0.01, (80, 2560)).astype(np.float32)
    rows[np.arange(80), POOL % 2] += 0.4
    made.append(POOL, rows)
    return made


@pytest.fixture
def predictor(store: FeatureStore) -> LinearPredictor:
    graph = GraphPredictor(store, num_classes=3, seed=0, mc_iterations=4)
    graph.review({}, pool=POOL, begins=True)
    return LinearPredictor(graph)


def test_one_label_of_each_class_tells_two_directions_apart(predictor: LinearPredictor) -> None:
    predictor.fit({0: 0, 1: 1})

    assert (predictor.predict(POOL).argmax(1) == POOL % 2).all()
    assert predictor.predict(POOL)[:, 2].max() == 0.0, "a class without a label is not guessed"


def test_of_one_class_it_knows_no_other(predictor: LinearPredictor) -> None:
    predictor.fit({0: 1, 2: 1})

    assert predictor.predict([5]).tolist() == [[0.0, 1.0, 0.0]]
    assert predictor.draws([5], count=3).shape == (1, 3, 3)


def test_nine_labels_of_ten_of_one_class_make_it_the_likelier_one_where_nothing_is_seen(
    predictor: LinearPredictor, store: FeatureStore
) -> None:
    """Halfway between the classes only their shares speak."""
    halfway = np.full((1, 2560), 0.5, np.float32)
    halfway[0, :2] += 0.2
    store.append([80], halfway)
    predictor.fit({0: 0, **{2 * k + 1: 1 for k in range(9)}})

    assert predictor.predict([80])[0, 1] > 0.6


def test_draws_differ_where_the_labels_leave_it_open_and_are_the_same_for_every_sample(
    predictor: LinearPredictor,
) -> None:
    predictor.fit({0: 0, 1: 1, 2: 1, 3: 0})  # two of the four are wrong
    draws = predictor.draws(POOL, count=8, round_number=1)

    assert draws.shape == (80, 3, 8)
    assert draws.std(axis=2).max() > 0.05
    np.testing.assert_allclose(predictor.draws([7], count=8, round_number=1)[0], draws[7], atol=1e-5)


def test_on_columns_as_they_are_it_needs_no_pool_and_its_module_answers_the_same(store: FeatureStore) -> None:
    of_columns = LinearOfColumns(store, num_classes=3, seed=0)
    of_columns.fit({0: 0, 1: 1})

    found = of_columns.predict(POOL)
    assert (found.argmax(1) == POOL % 2).all()
    answered = of_columns.as_module()(torch.from_numpy(store.rows(POOL)))
    np.testing.assert_allclose(answered.numpy(), found, atol=1e-6)
    assert of_columns.fresh().describe().name == "linear of columns"


def test_a_further_label_is_taken_without_touching_the_round_s_model(predictor: LinearPredictor) -> None:
    predictor.fit({0: 0, 1: 1})
    before = predictor.predict(POOL)
    instant = predictor.instant(POOL, round_number=1)
    instant.refit({0: 1, 1: 0})

    assert (instant.predict(POOL).argmax(1) == 1 - POOL % 2).all()
    np.testing.assert_array_equal(predictor.predict(POOL), before)


def test_of_very_many_labels_it_learns_from_some(predictor: LinearPredictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "LEARNED_FROM", 10)
    predictor.fit({i: i % 2 for i in range(80)})

    assert len(predictor._known()._rows) == 10
    assert (predictor.predict(POOL).argmax(1) == POOL % 2).all()


def test_without_a_label_nothing_can_be_learned(predictor: LinearPredictor) -> None:
    with pytest.raises(NotEnoughSamplesError):
        predictor.fit({})
