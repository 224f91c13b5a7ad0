import math

import numpy as np
import pytest
import torch

from loops.acquisition.catalog import ALEATORIC, CATALOG, EPISTEMIC, TOTAL
from loops.acquisition.choosing import scorer
from loops.acquisition.functions import (
    bald,
    expected_entropy,
    margin,
    random_scores,
    rank,
    score_draws,
    score_probabilities,
)
from loops.acquisition.own import scores_of_heuristic
from loops.frozen import yardstick

SCORING = [function for function in CATALOG.values() if function.scores_one_by_one]


def name_of(function):
    return function.name


def some_probs():
    logits = np.random.default_rng(0).normal(0, 3, (200, 7, 20))
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def passes(*probs_per_pass):
    """One sample, `[1, C, K]`, from the probabilities of each of K passes."""
    return torch.tensor(probs_per_pass, dtype=torch.float64).T.unsqueeze(0)


TWO_SURE_DISAGREEING_PASSES = passes([1.0, 0.0], [0.0, 1.0])
IDENTICAL_PASSES = passes([0.7, 0.3], [0.7, 0.3])


def test_bald_of_two_sure_disagreeing_passes_is_ln_2():
    assert bald(TWO_SURE_DISAGREEING_PASSES).item() == pytest.approx(math.log(2))


def test_bald_of_identical_passes_is_0():
    assert bald(IDENTICAL_PASSES).item() == 0.0


def test_bald_is_never_below_0():
    probs_N_C_K = torch.softmax(torch.randn(1000, 10, 1, generator=torch.Generator().manual_seed(0)), 1).expand(
        -1, -1, 20
    )

    assert bald(probs_N_C_K).min() >= 0.0


@pytest.mark.parametrize("function", SCORING, ids=name_of)
def test_a_torn_sample_scores_above_a_sure_one(function):
    torn, sure = passes([0.9, 0.1], [0.1, 0.9]), passes([0.99, 0.01], [0.98, 0.02])

    torn_score, sure_score = scorer(function)(torch.cat([torn, sure]).numpy())

    assert torn_score > sure_score


@pytest.mark.parametrize("function", [function for function in SCORING if function.yardstick], ids=name_of)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_equal_baals_own_but_for_a_constant(function, dtype):
    """BaaL's certainty is the probability of the likeliest class, ours one less it; its margin likewise."""
    probs_N_C_K = some_probs().astype(dtype)
    baals = scores_of_heuristic(yardstick(function.yardstick), probs_N_C_K.astype(np.float64))
    constant = {"margin": 1.0, "variation_ratios": 1.0}.get(function.name, 0.0)

    np.testing.assert_allclose(scorer(function)(probs_N_C_K), constant + baals, rtol=0, atol=1e-6)


def test_every_function_that_scores_one_by_one_has_baals_as_a_yardstick():
    assert [function.yardstick for function in SCORING] == ["BALD", "Entropy", "Margin", "Certainty"]


@pytest.mark.parametrize("function", SCORING, ids=name_of)
def test_a_class_that_is_impossible_gives_a_finite_score(function):
    assert np.isfinite(scorer(function)(TWO_SURE_DISAGREEING_PASSES.numpy())).all()


def test_what_is_scored_from_logits_and_from_probabilities_is_the_same_and_the_total_is_the_sum_of_its_parts():
    probs_N_C_K = some_probs().astype(np.float32)
    mean_N_C, from_logits = score_draws(torch.from_numpy(probs_N_C_K).log())
    from_probs = score_probabilities(probs_N_C_K)

    assert from_logits.keys() == from_probs.keys() == {*(function.name for function in SCORING), ALEATORIC}
    for name, scores_N in from_logits.items():
        np.testing.assert_allclose(scores_N.numpy(), from_probs[name], atol=1e-5)
    np.testing.assert_allclose(mean_N_C.numpy(), probs_N_C_K.mean(-1), atol=1e-6)
    np.testing.assert_allclose(from_probs[EPISTEMIC] + from_probs[ALEATORIC], from_probs[TOTAL], atol=1e-5)


def test_expected_entropy_of_two_undecided_passes_is_ln_2_and_of_two_sure_ones_0():
    undecided = passes([0.5, 0.5], [0.5, 0.5])

    assert expected_entropy(torch.cat([undecided, TWO_SURE_DISAGREEING_PASSES])).tolist() == [
        pytest.approx(math.log(2)),
        0.0,
    ]


def test_fault_of_the_ancestor_margin_asks_for_the_least_certain():
    certain, torn = passes([0.9, 0.1], [0.9, 0.1]), passes([0.55, 0.45], [0.55, 0.45])

    scores_N = margin(torch.cat([certain, torn])).numpy()

    assert rank(np.array([10, 20]), scores_N).tolist() == [20, 10]


def test_ranking_is_by_falling_score_and_returns_ids():
    assert rank(np.array([7, 8, 9]), np.array([0.1, 0.9, 0.5]), 2).tolist() == [8, 9]


def test_ranking_asks_for_no_more_than_there_is():
    assert rank(np.array([7]), np.array([0.1]), 5).tolist() == [7]


def test_ties_are_broken_by_id_not_by_position():
    ids = np.arange(100)

    forward = rank(ids, np.zeros(100), 10, seed=1)
    backward = rank(ids[::-1], np.zeros(100), 10, seed=1)

    assert forward.tolist() == backward.tolist()
    assert forward.tolist() != list(range(10))


def test_another_seed_breaks_ties_otherwise():
    ids = np.arange(100)

    assert rank(ids, np.zeros(100), seed=1).tolist() != rank(ids, np.zeros(100), seed=2).tolist()


def test_a_score_that_is_not_a_number_is_refused_rather_than_ranked():
    with pytest.raises(ValueError, match="1 of 2 scores"):
        rank(np.array([1, 2]), np.array([0.5, np.nan]))


def test_random_scores_follow_from_id_and_seed_alone():
    scores_N = random_scores(np.array([1, 2, 3]), seed=0)

    assert random_scores(np.array([3, 1]), seed=0).tolist() == [scores_N[2], scores_N[0]]
    assert random_scores(np.array([1, 2, 3]), seed=1).tolist() != scores_N.tolist()


def test_random_scores_are_uniform():
    scores_N = random_scores(np.arange(10_000), seed=0)

    assert scores_N.min() >= 0
    assert scores_N.max() < 1
    assert np.histogram(scores_N, 10, (0, 1))[0] == pytest.approx(1000, abs=150)
