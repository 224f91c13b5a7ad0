"""The trainer's policy on what waits to be asked; what it does to a ranking, `test_after_each_label` shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from app.simulation.between_rounds import BetweenRounds
from app.simulation.config import SimulationConfig
from loops.oracle import Answers, PoolScores, Query, RankedSample
from loops.predictors.instant_head import InstantHead
from loops.predictors.predictor import Description, Questions


class TwoFeatures:
    """A linear head over a table of two features, which the samples differ in."""

    asks_itself = False

    def __init__(self, table_N_D=None):
        self.table_N_D = table_N_D
        self.reviewed = []

    def instant(self, sample_ids, *, round_number):
        linear = nn.Linear(2, 2)
        with torch.no_grad():
            linear.weight.copy_(torch.eye(2))
            linear.bias.zero_()
        head = nn.Sequential(nn.Dropout(0.5), linear)
        settings = {"mc_iterations": 64, "accelerator": "cpu"}
        return InstantHead(sample_ids, self.table_N_D[np.asarray(sample_ids)], head, **settings)

    def review(self, labels, *, pool, begins):
        self.reviewed.append((dict(labels), sorted(pool.tolist()), begins))

    def describe(self):
        return Description("table", "It looks up.", asks_by="margin")


class OfTheGraph(TwoFeatures):
    """Has questions of its own: one sample of the whole pool is the best."""

    asks_itself = asks_of_whole_pool = True

    def __init__(self, best):
        super().__init__()
        self.best = best

    def instant(self, sample_ids, *, round_number):
        return self

    def refit(self, labels):
        """Nothing to learn."""

    def predict(self, sample_ids):
        return np.full((len(sample_ids), 2), 0.5, np.float32)

    def questions(self, sample_ids, size, *, coverage):
        assert size == 1, "what follows is ranked again before it is asked"
        return Questions(np.array([self.best]), np.ones(1, np.float32))


@pytest.fixture
def config(tmp_path: Path) -> SimulationConfig:
    npz = tmp_path / "any.npz"
    npz.touch()
    return SimulationConfig(out=tmp_path / "out", npz=npz, acquisition="margin", mc_iterations=8)


def ranked(*samples):
    return [RankedSample(sample_id, purpose, 0.0, 1.0) for sample_id, purpose in samples]


def answers(labels, *, audit=()):
    pool = np.array([i for i in (2, 3, 7) if i not in labels])
    return Answers(2, labels, pool, np.array([9]), audit=dict.fromkeys(audit, 0))


WAITING = ranked((2, "train"), (9, "audit"), (3, "train"))
NO_SCORES = PoolScores(np.empty(0, np.int64), {}, np.empty((0, 2), np.float32))


def test_the_last_layer_puts_the_sample_near_the_border_first_and_audit_samples_stay(config):
    table = np.array([[9, 0], [0, 9], [8, 0], [4, 4]], np.float32)
    between = BetweenRounds(config, TwoFeatures(table))
    between.begin(Query(1, (), "margin", pool_scores=NO_SCORES), answers({}))
    anew = between.re_rank(answers({0: 0, 1: 1}), WAITING)
    assert [r.sample_id for r in anew] == [3, 9, 2]
    assert [r.purpose for r in anew] == ["train", "audit", "train"]


def test_before_there_is_a_model_a_function_of_the_network_asks_as_the_cold_start_said(config):
    between = BetweenRounds(config, TwoFeatures())
    between.begin(Query(0, (), "cold_start_diverse"), answers({}))
    assert between.re_rank(answers({}), WAITING) == WAITING


@pytest.mark.parametrize(("best", "asked"), [(7, [7, 9, 2]), (3, [3, 9, 2])])
def test_the_best_of_the_whole_pool_comes_next_and_nothing_comes_twice(config, best, asked):
    between = BetweenRounds(replace(config, acquisition="auto"), OfTheGraph(best))
    between.begin(Query(0, (), "cold_start_diverse"), answers({}))
    assert [r.sample_id for r in between.re_rank(answers({}), WAITING)] == asked


def test_questions_drawn_at_random_before_there_is_a_model_stay_as_they_were_drawn(config):
    between = BetweenRounds(replace(config, acquisition="auto", cold_start="random"), OfTheGraph(7))
    between.begin(Query(0, (), "cold_start_random"), answers({}))
    assert between.re_rank(answers({}), WAITING) == WAITING


def test_before_a_round_nothing_is_ranked(config):
    assert BetweenRounds(config, TwoFeatures()).re_rank(answers({}), WAITING) == WAITING


def test_each_round_and_each_label_look_again_at_what_was_chosen_over_all_that_may_be_asked(config):
    predictor = OfTheGraph(7)
    between = BetweenRounds(replace(config, acquisition="auto"), predictor)
    between.begin(Query(4, (), "auto", pool_scores=NO_SCORES), answers({2: 1}, audit=[5]))
    between.re_rank(answers({2: 1, 3: 0}), WAITING)
    assert predictor.reviewed == [({2: 1}, [2, 3, 5, 7, 9], True), ({2: 1, 3: 0}, [2, 3, 7, 9], False)]
