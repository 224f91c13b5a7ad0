from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

from loops.checkpoint import read_checkpoint
from loops.embeddings.features import FeatureStore
from loops.embeddings.images import EFFICIENTNET
from loops.errors import CheckpointMismatchError, MissingFeaturesError, NotEnoughSamplesError
from loops.predictors.predictor import Predictor
from loops.predictors.scikit import MEMBERS, ScikitPredictor

LABELS = {i: i % 2 for i in range(12)}
POOL = np.arange(12, 40)


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """Even and odd samples, a direction each."""
    made = FeatureStore(tmp_path / "features", EFFICIENTNET)
    made.append(range(40), rows(40))
    return made


def rows(count: int) -> Any:
    found = np.random.default_rng(0).normal(0, 0.2, (count, 2560)).astype(np.float32)
    found[np.arange(count), np.arange(count) % 2] += 3.0
    return found


def one(store: FeatureStore, estimator: Any = None, name: str = "mine", **changes: Any) -> ScikitPredictor:
    settings = {"num_classes": 2, "seed": 0, **changes}
    return ScikitPredictor(RandomForestClassifier(5) if estimator is None else estimator, name, store, **settings)


class Memory:
    """The least that is asked of a classifier: it says of everything what it heard most of."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {}

    def fit(self, rows_N_D: Any, classes_N: Any) -> Memory:
        self.classes_, counts = np.unique(classes_N, return_counts=True)
        self.shares, self.heard = counts / counts.sum(), classes_N.tolist()
        return self

    def predict_proba(self, rows_N_D: Any) -> Any:
        return np.tile(self.shares, (len(rows_N_D), 1))


def test_each_member_hears_labels_drawn_with_return_as_many_of_each_class(store: FeatureStore) -> None:
    """Of three 0s and one 1 every member hears three 0s and one 1, so all answer 3/4."""
    made = one(store, Memory())
    made.fit({0: 0, 2: 0, 4: 0, 1: 1}, round_number=1)

    assert [sorted(member.heard) for member in made._members] == [[0, 0, 0, 1]] * MEMBERS
    assert made.predict([5])[0].tolist() == pytest.approx([0.75, 0.25])
    assert made.draws([5], count=3, round_number=1).shape == (1, 2, MEMBERS)


def test_members_of_a_classifier_without_chance_differ_by_their_labels(store: FeatureStore) -> None:
    made = one(store, KNeighborsClassifier(1))
    made.fit(LABELS | {0: 1, 1: 0}, round_number=1)  # two that are wrong, which not every member has heard
    draws_N_C_K = made.draws([0, 1], count=MEMBERS, round_number=1)

    assert (draws_N_C_K != draws_N_C_K[..., :1]).any()


def test_a_class_nobody_labeled_has_probability_0(store: FeatureStore) -> None:
    made = one(store, KNeighborsClassifier(1), num_classes=4)
    made.fit({i: 1 if i % 2 else 3 for i in range(12)}, round_number=1)
    probs_N_C = made.predict(POOL)

    assert (probs_N_C[:, [0, 2]] == 0).all()
    assert probs_N_C.argmax(1).tolist() == [1 if i % 2 else 3 for i in POOL.tolist()]


def test_labels_of_a_single_class_are_that_class(store: FeatureStore) -> None:
    made = one(store)
    made.fit({0: 1, 2: 1}, round_number=1)

    assert (made.predict(POOL) == [0.0, 1.0]).all()


def test_without_labels_or_rows_it_says_so(store: FeatureStore) -> None:
    with pytest.raises(NotEnoughSamplesError):
        one(store).fit({}, round_number=1)
    with pytest.raises(MissingFeaturesError, match="999"):
        one(store).fit({999: 0}, round_number=1)


def test_the_estimator_that_was_given_is_never_fitted(store: FeatureStore) -> None:
    given = RandomForestClassifier(2)
    one(store, given).fit(LABELS, round_number=1)

    assert not hasattr(given, "estimators_")
    assert given.random_state is None


def test_folds_start_elsewhere_and_the_same_fold_at_the_same_place(store: FeatureStore) -> None:
    made = [one(store).fresh(fold) for fold in (0, 0, 1)]
    for each in made:
        each.fit(LABELS, round_number=1)
    first, again, other = (each.predict(POOL).tobytes() for each in made)

    assert first == again != other


def test_a_file_holds_labels_and_numbers_and_no_pickled_classifier(store: FeatureStore, tmp_path: Path) -> None:
    made = one(store)
    made.fit(LABELS, round_number=7)
    saved = made.save(tmp_path / "model.ckpt", {"progress": 1})
    content = read_checkpoint(saved.path)  # reads nothing but tensors and plain values

    assert dict(content["fitted_on"].tolist()) == LABELS
    assert content["round"] == 7
    assert b"sklearn" not in saved.path.read_bytes()
    assert len(saved.path.read_bytes()) < len(pickle.dumps(made._members))


def test_another_classifier_wants_another_file(store: FeatureStore, tmp_path: Path) -> None:
    made = one(store)
    made.fit(LABELS, round_number=1)
    saved = made.save(tmp_path / "model.ckpt", {})

    with pytest.raises(CheckpointMismatchError, match="yours on efficientnet_lite with 2 classes wanted, mine on"):
        one(store, name="yours").load(saved.path, sha256=saved.sha256, size=saved.size)


def test_a_file_whose_samples_have_no_rows_any_more_is_of_no_use_and_no_damage(
    store: FeatureStore, tmp_path: Path
) -> None:
    """Other weights of the backbone: all rows are made anew, and the first of them were not labeled."""
    made = one(store)
    made.fit(LABELS, round_number=1)
    saved = made.save(tmp_path / "model.ckpt", {})
    anew = FeatureStore(tmp_path / "anew", EFFICIENTNET)
    anew.append(range(100, 103), rows(3))

    with pytest.raises(CheckpointMismatchError, match="12 samples have no cached features"):
        one(anew).load(saved.path, sha256=saved.sha256, size=saved.size)


def test_a_predictor_of_four_verbs_has_all_the_rest() -> None:
    """What `docs/extending.md` promises: the rest follows from them."""
    assert ScikitPredictor.score is Predictor.score
    assert ScikitPredictor.cross_validate is Predictor.cross_validate
    assert ScikitPredictor.pool_shares is Predictor.pool_shares
