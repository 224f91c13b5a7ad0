from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from app.simulation.between_rounds import BetweenRounds
from app.simulation.config import SimulationConfig
from loops.oracle import Answers, PoolScores, Query, RankedSample
from loops.predictors.graph_learner import GraphLearner
from loops.predictors.in_force import InForce
from loops.predictors.network import Network


class TwoFeatures(Network):
    """A linear head over a table of two features, which the samples differ in."""

    def __init__(self, table_N_D, weights_C_D):
        self.table_N_D, self.weights_C_D = table_N_D, weights_C_D

    def penultimate(self, sample_ids):
        linear = nn.Linear(2, 2)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(self.weights_C_D))
            linear.bias.zero_()
        return self.table_N_D[np.asarray(sample_ids)], nn.Sequential(nn.Dropout(0.5), linear)


class OfTheGraph(GraphLearner):
    """A graph in force, for which one sample of the whole pool is the best."""

    def __init__(self, best):
        self.in_force, self.best, self.reviewed, self._reviewed_at = InForce(), best, [], 0

    def review(self, labels):
        self.reviewed.append(dict(labels))

    def ranking(self, answers, size):
        return ranked((self.best, "train"))[:size]


@pytest.fixture
def config(tmp_path):
    npz = tmp_path / "any.npz"
    npz.touch()
    return SimulationConfig(out=tmp_path / "out", npz=npz, acquisition="margin", mc_iterations=8)


def ranked(*samples):
    return [RankedSample(sample_id, purpose, 0.0, 1.0) for sample_id, purpose in samples]


def answers(labels):
    return Answers(round_number=2, labels=labels, pool=np.array([2, 3]))


WAITING = ranked((2, "train"), (9, "audit"), (3, "train"))
NO_SCORES = PoolScores(np.empty(0, np.int64), {}, np.empty((0, 2), np.float32))


def test_the_last_layer_puts_the_sample_near_the_border_first_and_audit_samples_stay(config):
    table = np.array([[9, 0], [0, 9], [8, 0], [4, 4]], np.float32)
    between = BetweenRounds(config, TwoFeatures(table, [[1.0, 0.0], [0.0, 1.0]]))
    between.begin(Query(1, (), "margin", pool_scores=NO_SCORES), {})
    anew = between.re_rank(answers({0: 0, 1: 1}), WAITING)
    assert [r.sample_id for r in anew] == [3, 9, 2]


def test_before_there_is_a_model_a_function_of_the_network_asks_as_the_cold_start_said(config):
    between = BetweenRounds(config, TwoFeatures(None, None))
    between.begin(Query(0, (), "cold_start_diverse"), {})
    assert between.re_rank(answers({}), WAITING) == WAITING


@pytest.mark.parametrize(("best", "asked"), [(7, [7, 9, 2]), (3, [3, 9, 2])])
def test_the_best_of_the_whole_pool_comes_next_by_the_graph_and_nothing_comes_twice(config, best, asked):
    between = BetweenRounds(replace(config, acquisition="auto"), OfTheGraph(best))
    between.begin(Query(0, (), "cold_start_diverse"), {})
    assert [r.sample_id for r in between.re_rank(answers({}), WAITING)] == asked


def test_questions_drawn_at_random_before_there_is_a_model_stay_as_they_were_drawn(config):
    between = BetweenRounds(replace(config, acquisition="auto", cold_start="random"), OfTheGraph(7))
    between.begin(Query(0, (), "cold_start_random"), {})
    assert between.re_rank(answers({}), WAITING) == WAITING


def test_each_rounds_labels_look_again_in_which_features_neighbors_are_looked_for(config):
    predictor = OfTheGraph(7)
    BetweenRounds(config, predictor).begin(Query(4, (), "auto"), {5: 1})
    assert predictor.reviewed == [{5: 1}]


def test_the_first_labels_look_again_in_the_middle_of_a_round_too(config):
    predictor = OfTheGraph(7)
    between = BetweenRounds(replace(config, acquisition="auto"), predictor)
    between.begin(Query(0, (), "cold_start_diverse"), {})
    for given in (9, 10):
        between.re_rank(answers(dict.fromkeys(range(100, 100 + given), 0)), WAITING)
    assert [len(labels) for labels in predictor.reviewed] == [0, 10]
