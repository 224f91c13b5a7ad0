"""Somebody's own LightningModule under the application."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from loops.embeddings.features import FeatureStore
from loops.errors import OwnCodeError, TrainingInterruptedError
from loops.predictors.making import own_predictor
from loops.predictors.own_module import OwnModule, StoredInputs
from loops.predictors.predictor import Predictor
from loops.predictors.trainer_options import DECIDED

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


def with_trainer(rows: FeatureStore, reference: str = LINEAR, **trainer: object) -> Predictor:
    return own_predictor(reference, rows, num_classes=3, seed=0, mc_iterations=4, trainer=trainer)


def test_the_projects_settings_of_the_trainer_count_before_the_modules(rows: FeatureStore) -> None:
    class Counting(pl.Callback):
        steps = 0

        def on_train_end(self, trainer: pl.Trainer, _module: object) -> None:
            self.steps, self.clipped = trainer.global_step, trainer.gradient_clip_val

    counting = Counting()
    predictor = own_predictor(
        LINEAR,
        rows,
        num_classes=3,
        seed=0,
        mc_iterations=4,
        callbacks=lambda _fold: [counting],
        trainer={"max_epochs": 2, "gradient_clip_val": 0.5},
    )
    predictor.fit({i: i % 3 for i in range(12)}, round_number=1)
    assert (counting.steps, counting.clipped) == (2, 0.5)  # a batch an epoch
    predictor.fresh(0).fit({i: i % 3 for i in range(12)}, round_number=1)
    assert counting.steps == 2  # a fold's fit too


@pytest.mark.parametrize(
    ("trainer", "sentence"),
    [
        ({"max_epoch": 2}, "the Trainer has no setting 'max_epoch'; did you mean 'max_epochs'?"),
        ({"warp": 9}, r"the Trainer has no setting 'warp'$"),
        ({"logger": True}, "'logger' is not yours to choose: the project's folder and database keep"),
        ({"devices": 2}, "'devices' is not yours to choose: a module of your own is fitted in one process"),
        ({"precision": 7}, "the Trainer refuses its settings.*7"),
        ({"accelerator": "abacus"}, "the Trainer refuses its settings.*abacus"),
    ],
)
def test_settings_that_no_trainer_takes_are_refused_before_the_first_fit(
    rows: FeatureStore, trainer: dict[str, object], sentence: str
) -> None:
    with pytest.raises(OwnCodeError, match=sentence):
        with_trainer(rows, **trainer)


@pytest.mark.parametrize("name", ["three_neighbors", "Mine"])
def test_what_no_trainer_fits_takes_no_settings_of_one(rows: FeatureStore, name: str) -> None:
    with pytest.raises(OwnCodeError, match="it is no LightningModule, so no Trainer takes max_epochs"):
        with_trainer(rows, f"tests.loops.predictors.own_predictors:{name}", max_epochs=2)


def test_every_setting_that_the_application_decides_is_one_of_the_trainers() -> None:
    assert DECIDED.keys() <= inspect.signature(pl.Trainer.__init__).parameters.keys()
