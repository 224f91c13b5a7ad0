from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loops.acquisition.catalog import CATALOG
from loops.embeddings.features import FeatureStore
from loops.embeddings.images import EFFICIENTNET
from loops.errors import OwnCodeError
from loops.predictors.champion import Champion
from loops.predictors.committee import Committee
from loops.predictors.graph import GraphPredictor
from loops.predictors.making import own_predictor, predictor_for
from loops.predictors.scikit import ScikitPredictor
from tests.loops.predictors import own_predictors


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    made = FeatureStore(tmp_path / "features", EFFICIENTNET)
    made.append(range(4), np.eye(4, 2560, dtype=np.float32))
    return made


def own(name: str, store: FeatureStore) -> object:
    return own_predictor(name, store, num_classes=2, seed=3, mc_iterations=5)


HERE = "tests.loops.predictors.own_predictors"


@pytest.mark.parametrize("function", CATALOG.values(), ids=lambda function: function.name)
def test_whoever_asks_the_champion_answers_unless_a_committee_votes(function, store: FeatureStore) -> None:  # type: ignore[no-untyped-def]
    made = predictor_for(function, GraphPredictor(store, num_classes=2, seed=3), store)

    assert type(made) is (Committee if function.needs == "committee" else Champion)
    assert (made.num_classes, made.seed) == (2, 3)


@pytest.mark.parametrize("function", CATALOG.values(), ids=lambda function: function.name)
def test_nobody_answers_beside_a_predictor_that_a_person_named(function, store: FeatureStore) -> None:  # type: ignore[no-untyped-def]
    base = GraphPredictor(store, num_classes=2, seed=3)
    made = predictor_for(function, base, store, predictor="cnn")

    wanted = {"graph": Champion, "committee": Committee}.get(function.needs)
    assert made is base if wanted is None else type(made) is wanted


@pytest.mark.parametrize(
    "name",
    [
        "sklearn.ensemble:RandomForestClassifier",
        "sklearn.linear_model:LogisticRegression",
        f"{HERE}:three_neighbors",
        f"{HERE}:made_of_a_pipeline",
    ],
)
def test_a_class_an_object_and_a_function_of_scikit_learns_kind(name: str, store: FeatureStore) -> None:
    made = own(name, store)

    assert isinstance(made, ScikitPredictor)
    assert (made.describe().name, made.num_classes, made.seed) == (name, 2, 3)
    made.fit({0: 0, 1: 1, 2: 0, 3: 1}, round_number=1)
    assert made.predict([0, 1]).shape == (2, 2)


def test_a_predictor_of_ones_own_is_made_of_the_store_classes_seed_and_draws(store: FeatureStore) -> None:
    made = own(f"{HERE}:Mine", store)

    assert isinstance(made, own_predictors.Mine)
    assert (made.store, made.num_classes, made.seed, made.mc_iterations) == (store, 2, 3, 5)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_such_package:Forest", "no_such_package cannot be imported"),
        ("sklearn.ensemble:Forest", r"sklearn\.ensemble has no Forest"),
        ("math:pi", "a predictor needs fit and predict_proba and get_params"),
        ("sklearn.svm:LinearSVC", "a predictor needs predict_proba"),
        ("sklearn.ensemble:VotingClassifier", "cannot be made without arguments"),
    ],
)
def test_what_is_no_predictor_is_refused_with_what_is_missing(name: str, said: str, store: FeatureStore) -> None:
    with pytest.raises(OwnCodeError, match=said):
        own(name, store)
