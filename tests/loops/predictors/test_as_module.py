import numpy as np
import pytest
import torch
from sklearn.ensemble import ExtraTreesClassifier

from loops.predictors.as_module import mean_of
from loops.predictors.calibration import sharpened
from loops.predictors.graph import GraphPredictor
from loops.predictors.linear import LinearPredictor
from loops.predictors.trees_module import TreesModule

POOL = np.arange(60)


@pytest.mark.parametrize("classes", [(0,), (0, 2), (0, 1, 2)])
def test_a_linear_model_answers_as_a_module_what_it_answers(store, classes):
    predictor = LinearPredictor(GraphPredictor(store, num_classes=3, seed=0))
    predictor.fit({i: classes[i % len(classes)] for i in range(12)})
    probs = predictor.as_module()(torch.from_numpy(store.rows(POOL))).numpy()
    assert probs == pytest.approx(predictor.predict(POOL), abs=1e-5)


def test_trees_are_walked_to_the_same_leaves():
    rows = np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32)
    classes = np.where(rows[:, 0] > 0, 3, 1)
    forest = ExtraTreesClassifier(20, random_state=0).fit(rows[:100], classes[:100])
    probs = TreesModule(forest, 4)(torch.from_numpy(rows)).numpy()
    assert probs[:, [1, 3]] == pytest.approx(forest.predict_proba(rows), abs=1e-6)
    assert (probs[:, [0, 2]] == 0).all()


def test_a_mean_to_a_power_is_what_the_champion_answers():
    rows = torch.tensor([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]])
    module = mean_of([torch.nn.Identity(), torch.nn.Identity()], [0.5, 0.5], 3.0)
    assert module(rows).numpy() == pytest.approx(sharpened(rows.numpy(), 3.0), abs=1e-6)
    assert module(rows)[0].tolist() == pytest.approx([125 / 160, 27 / 160, 8 / 160])
