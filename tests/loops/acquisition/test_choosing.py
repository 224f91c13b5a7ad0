from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from loops.acquisition.badge import badge_draws, gradient_norms
from loops.acquisition.catalog import CATALOG, find
from loops.acquisition.choosing import choose
from loops.acquisition.epig import balanced_targets, epig
from loops.acquisition.functions import bald
from loops.acquisition.near_duplicates import NearDuplicates
from loops.acquisition.power_bald import power_draws
from loops.oracle import Answers, PoolScores, RankedSample
from loops.predictors.predictor import Description, Questions

LN_2 = math.log(2)
SET_FUNCTIONS = [name for name, function in CATALOG.items() if function.needs in ("set", "features")]


def no_two_the_same(sample_ids: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.eye(2_000, dtype=np.float32)[sample_ids]


class ADrawingPredictor:
    """Answers by id alone: two classes, K draws, more disagreement the higher the id; each sample looks otherwise."""

    def __init__(self, twins: dict[int, int] | None = None) -> None:
        self._twins = twins or {}

    def draws(self, sample_ids: Any, *, count: int, round_number: int) -> NDArray[np.float32]:
        ids = np.asarray(sample_ids)
        logits = np.stack([np.random.default_rng(int(i)).normal(0, i / 100, (2, count)) for i in ids.tolist()])
        return torch.softmax(torch.from_numpy(logits), 1).float().numpy()

    def embedding(self, sample_ids: Any) -> NDArray[np.float32]:
        ids = [self._twins.get(i, i) for i in np.asarray(sample_ids).tolist()]
        return no_two_the_same(np.array(ids))

    def features(self, sample_ids: Any) -> NDArray[np.float32]:
        return self.embedding(sample_ids)


def scored(predictor: ADrawingPredictor, ids: NDArray[np.int64]) -> PoolScores:
    draws = torch.from_numpy(predictor.draws(ids, count=20, round_number=1))
    return PoolScores(ids, {"bald": bald(draws).numpy()}, draws.mean(-1).numpy())


def test_there_are_functions_that_look_at_samples_together() -> None:
    assert SET_FUNCTIONS == ["power_bald", "batch_bald", "badge", "epig"]


def ranking(acquisition: str, *, size: int = 10, seed: int = 0, predictor: Any = None) -> list[RankedSample]:
    predictor = predictor or ADrawingPredictor()
    pool_scores = scored(predictor, np.arange(200, 300))
    return choose(Answers(1, {}, np.arange(200, 290)), pool_scores, size, CATALOG[acquisition], seed, predictor)


def chosen_ids(*args: Any, **kwargs: Any) -> list[int]:
    return [ranked.sample_id for ranked in ranking(*args, **kwargs)]


@pytest.mark.parametrize("acquisition", SET_FUNCTIONS)
def test_each_chooses_as_many_as_asked_for_of_the_pool_alone_and_none_twice(acquisition: str) -> None:
    ids = chosen_ids(acquisition)

    assert len(set(ids)) == 10
    assert set(ids) <= set(range(200, 290))
    assert len(set(chosen_ids(acquisition, size=1_000))) == 90


@pytest.mark.parametrize("acquisition", SET_FUNCTIONS)
def test_the_same_seed_chooses_the_same(acquisition: str) -> None:
    assert ranking(acquisition) == ranking(acquisition)


@pytest.mark.parametrize("acquisition", SET_FUNCTIONS)
def test_twins_are_never_asked_together(acquisition: str) -> None:
    """Every two neighboring ids are one picture."""
    predictor = ADrawingPredictor({i: i - i % 2 for i in range(200, 300)})

    ids = chosen_ids(acquisition, size=40, predictor=predictor)

    assert len({i // 2 for i in ids}) == 40


@pytest.mark.parametrize("acquisition", SET_FUNCTIONS)
def test_scores_go_to_the_round_for_all_that_were_scored(acquisition: str) -> None:
    predictor = ADrawingPredictor()
    pool_scores = scored(predictor, np.arange(200, 300))
    choose(Answers(1, {}, np.arange(200, 290)), pool_scores, 10, CATALOG[acquisition], 0, predictor)  # type: ignore[arg-type]

    assert pool_scores.scores[acquisition].shape == (100,)
    assert pool_scores.scores[acquisition][:90].max() > 0
    assert (pool_scores.scores[acquisition][90:] == 0).all()


@pytest.mark.parametrize("acquisition", ["power_bald", "badge"])
def test_draws_have_probabilities_and_another_seed_draws_otherwise(acquisition: str) -> None:
    assert all(0 < ranked.acquisition_probability < 1 for ranked in ranking(acquisition))
    assert chosen_ids(acquisition, seed=1) != chosen_ids(acquisition, seed=2)


@pytest.mark.parametrize("acquisition", ["batch_bald", "epig"])
def test_where_nothing_is_drawn_the_probability_is_1(acquisition: str) -> None:
    assert {ranked.acquisition_probability for ranked in ranking(acquisition)} == {1.0}


def test_power_bald_draws_each_sample_as_often_as_it_says() -> None:
    """BALD of 1, 2 and 1: drawn first with probabilities 1/4, 1/2 and 1/4."""
    ids = np.arange(3)
    duplicates = NearDuplicates(ids, no_two_the_same)
    firsts = []
    for seed in range(2_000):
        drawn, probabilities = power_draws(ids, np.array([1.0, 2.0, 1.0]), 2, seed=seed, duplicates=duplicates)
        firsts.append(drawn[0])
        assert probabilities[0] == pytest.approx([0.25, 0.5, 0.25][drawn[0]])
        left = {0: 3, 1: 2, 2: 3}[int(drawn[0])]
        assert probabilities[1] == pytest.approx([1, 2, 1][drawn[1]] / left)

    assert np.bincount(firsts) / 2_000 == pytest.approx([0.25, 0.5, 0.25], abs=0.04)  # four standard deviations


def test_a_near_duplicate_leaves_the_pool_with_the_sample_that_was_drawn() -> None:
    """0 and 1 are twins: after one of them, 2 and 3 are drawn with probability 1/2, then the other surely."""
    ids = np.arange(4)
    duplicates = NearDuplicates(ids, lambda some: no_two_the_same(np.array([0, 0, 2, 3])[some]))
    for seed in range(20):
        drawn, probabilities = power_draws(ids, np.ones(4), 3, seed=seed, duplicates=duplicates)
        first_is_twin, second_is_twin = drawn[0] < 2, drawn[1] < 2
        wanted = [1 / 4, 1 / 2, 1] if first_is_twin else [1 / 4, 1 / 3, 1 / 2 if not second_is_twin else 1]
        if not first_is_twin and not second_is_twin:
            wanted[2] = 1 / 2
        assert probabilities == pytest.approx(wanted)


def test_power_bald_of_a_pool_without_any_doubt_draws_uniformly() -> None:
    ids = np.arange(5)
    _, probabilities = power_draws(ids, np.zeros(5), 5, seed=0, duplicates=NearDuplicates(ids, no_two_the_same))
    assert probabilities == pytest.approx([1 / 5, 1 / 4, 1 / 3, 1 / 2, 1])


def test_the_gradient_of_a_torn_sample_is_as_long_as_its_residual() -> None:
    """p = (1/2, 1/2), features of length 2: the residual (-1/2, 1/2) is sqrt(1/2) long."""
    norms = gradient_norms(
        np.array([[2.0, 0.0], [2.0, 0.0]], np.float32), np.array([[0.5, 0.5], [1.0, 0.0]], np.float32)
    )
    assert norms == pytest.approx([2 * math.sqrt(0.5), 0.0])


def test_badge_goes_on_with_what_pulls_another_way() -> None:
    """Samples 0 and 1 have one gradient, 2 one at a right angle: whatever is drawn first, the second is the other."""
    features = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    probs = np.full((3, 2), 0.5, np.float32)
    for seed in range(20):
        positions, probabilities = badge_draws(
            np.arange(3), features, probs, 2, seed=seed, not_with=lambda _position: np.zeros(3, np.bool_)
        )
        assert 2 in positions
        assert probabilities[0] == pytest.approx(1 / 3)
        assert probabilities[1] == pytest.approx(1.0 if positions[0] < 2 else 0.5, abs=1e-5)


def test_epig_is_what_a_label_tells_of_the_targets() -> None:
    """The target turns with the first two draws; a sample that turns with them tells ln 2, one across them nothing."""
    sure = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    first_half, even = sure[[0, 0, 1, 1]].T, sure[[0, 1, 0, 1]].T

    scores_N = epig(torch.stack([first_half, even]), first_half[None])

    assert scores_N == pytest.approx([LN_2, 0.0], abs=1e-6)


def test_epig_is_at_most_bald() -> None:
    draws = torch.softmax(3 * torch.randn(200, 4, 50, generator=torch.Generator().manual_seed(0)), 1)

    assert (epig(draws, draws[:20]) <= bald(draws).numpy() + 1e-5).all()


def test_a_rare_class_has_as_many_targets_as_a_common_one() -> None:
    probs = np.tile(np.array([[0.9, 0.1]], np.float32), (1_000, 1))
    probs[:10] = [0.2, 0.8]

    targets = balanced_targets(np.arange(1_000), probs, 20, seed=0)

    assert (targets < 10).sum() == 10
    assert (balanced_targets(np.arange(1_000), probs, 30, seed=0) < 10).sum() == 10  # there are no more


class ACommittee(ADrawingPredictor):
    """Two members, who disagree about sample 207 and about no other."""

    def draws(self, sample_ids: Any, *, count: int, round_number: int) -> NDArray[np.float32]:
        agreed, torn = [[1.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]
        return np.array([torn if i == 207 else agreed for i in np.asarray(sample_ids).tolist()], np.float32)


def test_a_committee_asks_where_its_votes_contradict_each_other_whatever_mc_dropout_says() -> None:
    predictor = ACommittee()
    pool_scores = scored(ADrawingPredictor(), np.arange(200, 300))
    answers = Answers(1, {}, np.arange(200, 290))
    ranked = choose(answers, pool_scores, 10, CATALOG["committee_bald"], 0, predictor)  # type: ignore[arg-type]

    assert (ranked[0].sample_id, ranked[0].score) == (207, pytest.approx(LN_2))
    assert pool_scores.scores["committee_bald"].max() == pytest.approx(LN_2)
    assert pool_scores.scores["committee_bald"].sum() == pytest.approx(LN_2)


class AsksItself(ADrawingPredictor):
    """Has one question of its own, as long as it has any."""

    def __init__(self, questions: Questions | None) -> None:
        super().__init__()
        self._questions = questions

    def questions(self, sample_ids: Any, size: int, *, coverage: bool) -> Questions | None:
        self.coverage = coverage
        return self._questions

    def gains(self, sample_ids: Any) -> NDArray[np.float32]:
        return np.where(np.asarray(sample_ids) == 250, 0.5, 0.25).astype(np.float32)

    def describe(self) -> Description:
        return Description("asks", "It asks.", asks_by="bald")


@pytest.mark.parametrize(("name", "coverage"), [("auto", False), ("typical", True)])
def test_a_predictor_with_questions_of_its_own_asks_them(name: str, coverage: bool) -> None:
    predictor = AsksItself(Questions(np.array([250]), np.array([0.5], np.float32)))
    pool_scores = scored(predictor, np.arange(200, 300))
    answers = Answers(1, {}, np.arange(200, 290))
    ranked = choose(answers, pool_scores, 10, CATALOG[name], 0, predictor)  # type: ignore[arg-type]

    assert [(one.sample_id, one.score) for one in ranked] == [(250, 0.5)]
    assert predictor.coverage is coverage
    assert pool_scores.scores[name][49:52].tolist() == [0.25, 0.5, 0.25]
    assert pool_scores.scores[name][90:].tolist() == [0.0] * 10, "only the pool is asked"


def test_a_predictor_without_questions_asks_by_the_function_that_suits_it() -> None:
    asked = [one.sample_id for one in ranking("auto", predictor=AsksItself(None))]

    assert asked == chosen_ids("bald")


def test_somebodys_own_function_is_given_draws_of_the_pool_and_asks_where_it_is_highest() -> None:
    own = find("tests.loops.acquisition.own_functions:highest_first_class")
    predictor = ADrawingPredictor()
    pool_scores = scored(predictor, np.arange(200, 300))
    ranked = choose(Answers(1, {}, np.arange(200, 290)), pool_scores, 10, own, 0, predictor)  # type: ignore[arg-type]
    first_N = predictor.draws(np.arange(200, 290), count=20, round_number=1)[:, 0].mean(-1)

    assert ranked[0].sample_id == 200 + first_N.argmax()
    assert ranked[0].score == pytest.approx(first_N.max(), abs=1e-6)
    assert pool_scores.scores[own.name].shape == (100,)


def test_of_a_pool_too_large_for_its_draws_somebodys_own_function_is_shown_a_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Memory for 30 samples of 2 classes and 20 draws: the 60 others come last."""
    monkeypatch.setattr("loops.acquisition.choosing._DRAWS_HELD", 30 * 2 * 20)
    own = find("tests.loops.acquisition.own_functions:highest_first_class")
    predictor = ADrawingPredictor()
    pool_scores = scored(predictor, np.arange(200, 300))
    choose(Answers(1, {}, np.arange(200, 290)), pool_scores, 10, own, 0, predictor)  # type: ignore[arg-type]
    scores_N = pool_scores.scores[own.name][:90]

    assert (scores_N == scores_N.min()).sum() == 61
