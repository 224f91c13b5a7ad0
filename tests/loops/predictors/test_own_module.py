"""Somebody's own LightningModule under the application."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from loops.embeddings.features import FeatureStore
from loops.errors import OwnCodeError, TrainingInterruptedError
from loops.predictors.making import own_predictor
from loops.predictors.own_module import OwnModule, StoredInputs
from loops.predictors.predictor import Predictor

LINEAR = "tests.loops.predictors.own_predictors:Linear"


@pytest.fixture
def rows(tmp_path: Path) -> FeatureStore:
    """Three blobs, class = id % 3."""
    made = FeatureStore(tmp_path / "features", "efficientnet_lite")
    features = np.random.default_rng(0).normal(0, 0.05, (30, 2560)).astype(np.float32)
    features[np.arange(30), np.arange(30) % 3] += 20
    made.append(np.arange(30), features)
    return made


def a_predictor(store: FeatureStore, reference: str = LINEAR, num_classes: int = 3) -> Predictor:
    return own_predictor(reference, store, num_classes=num_classes, seed=0, mc_iterations=4)


def test_it_is_made_with_the_number_of_classes_and_learns(rows: FeatureStore) -> None:
    predictor = a_predictor(rows, num_classes=5)
    assert isinstance(predictor, OwnModule)
    predictor.fit({i: i % 3 for i in range(24)}, round_number=1)
    assert predictor.predict(np.arange(24, 30)).argmax(1).tolist() == [0, 1, 2, 0, 1, 2]
    assert predictor.describe().name == LINEAR


def test_same_seed_same_labels_the_same_to_the_last_bit(rows: FeatureStore) -> None:
    answers = []
    for _ in range(2):
        torch.rand(1)  # whatever else the process draws
        predictor = a_predictor(rows)
        predictor.fit({i: i % 3 for i in range(12)}, round_number=1)
        answers.append(predictor.predict(np.arange(30)))
    assert (answers[0] == answers[1]).all()


def test_a_module_of_another_number_of_classes_is_refused_in_a_sentence(rows: FeatureStore) -> None:
    with pytest.raises(OwnCodeError, match="it gives 4 logits, the project has 3 classes"):
        a_predictor(rows, "tests.loops.predictors.own_predictors:four_logits")


def test_a_fit_that_is_stopped_leaves_the_module_before_in_force(rows: FeatureStore) -> None:
    import pytorch_lightning as pl

    class Stopping(pl.Callback):
        stops = False

        def on_train_batch_end(self, *_: object) -> None:
            if self.stops:
                raise TrainingInterruptedError(steps=1, wanted=2)

    stopping = Stopping()
    predictor = own_predictor(LINEAR, rows, num_classes=3, seed=0, mc_iterations=4, callbacks=lambda _fold: [stopping])
    predictor.fit({i: i % 3 for i in range(12)}, round_number=1)
    before = predictor.predict(np.arange(30))
    stopping.stops = True
    with pytest.raises(TrainingInterruptedError):
        predictor.fit(dict.fromkeys(range(12), 0), round_number=2)
    assert (predictor.predict(np.arange(30)) == before).all()


def test_pixels_come_from_0_to_1_and_features_as_they_are(tmp_path: Path, rows: FeatureStore) -> None:
    pixels = FeatureStore(tmp_path / "pixels", "pixels-16")
    pixels.append([7], np.full((1, 1, 16, 16), 255, np.uint8))
    assert torch.equal(next(StoredInputs(pixels).inputs([7])), torch.ones(1, 1, 16, 16))
    assert torch.equal(next(StoredInputs(rows).inputs([3])), torch.from_numpy(rows.rows([3])))
