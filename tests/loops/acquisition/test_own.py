from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from loops.acquisition.functions import bald
from loops.acquisition.own import scorer_of, scores_of_heuristic
from loops.errors import OwnCodeError
from loops.frozen import heuristics
from tests.loops.acquisition import own_functions

# Sample 0: two sure draws that agree. 1: two sure draws that disagree. 2: two undecided draws.
SURE, DISAGREEING, UNDECIDED = 0, 1, 2
DRAWS = np.array(
    [[[0.99, 0.99], [0.01, 0.01]], [[1.0, 0.0], [0.0, 1.0]], [[0.6, 0.6], [0.4, 0.4]]],
    np.float32,
)


def ranked(scores_N: Any) -> list[int]:
    order: list[int] = np.argsort(-np.asarray(scores_N), kind="stable").tolist()
    return order


@pytest.mark.parametrize(
    ("heuristic", "wanted"),
    [
        (heuristics.BALD(), [DISAGREEING]),
        (heuristics.BALD, [DISAGREEING]),
        (partial(heuristics.BALD, reduction="none"), [DISAGREEING]),
        (heuristics.Entropy(), [DISAGREEING, UNDECIDED, SURE]),
        (heuristics.Margin(), [DISAGREEING, UNDECIDED, SURE]),
        (heuristics.Certainty, [DISAGREEING, UNDECIDED, SURE]),
        (partial(heuristics.BatchBALD, 1), [DISAGREEING]),
    ],
    ids=["BALD()", "BALD", "partial(BALD)", "Entropy()", "Margin()", "Certainty", "partial(BatchBALD)"],
)
def test_baals_heuristics_ask_for_what_they_are_least_sure_of(heuristic: Any, wanted: list[int]) -> None:
    """BaaL's margin and certainty are lowest there, and its `reversed` says so."""
    assert ranked(scorer_of(heuristic, "baal")(DRAWS))[: len(wanted)] == wanted


def test_baals_bald_of_two_sure_disagreeing_draws_is_ln_2() -> None:
    assert scorer_of(heuristics.BALD, "baal")(DRAWS).tolist() == pytest.approx([0.0, math.log(2), 0.0], abs=1e-5)


def test_baals_scores_are_kept_where_they_say_what_its_order_says() -> None:
    draws = np.random.default_rng(0).dirichlet(np.ones(4), (50, 10)).transpose(0, 2, 1).astype(np.float32)
    np.testing.assert_allclose(
        scores_of_heuristic(heuristics.BALD(), draws), bald(torch.from_numpy(draws)).numpy(), atol=1e-5
    )


@pytest.mark.parametrize("reversed_", [True, False])
def test_the_direction_is_the_heuristics_own(reversed_: bool) -> None:
    class ByFirstClass(heuristics.AbstractHeuristic):  # type: ignore[misc]
        def compute_score(self, predictions: Any) -> Any:
            return predictions[:, 0].mean(-1)

    scores_N = scorer_of(ByFirstClass(reverse=reversed_), "mine")(DRAWS)

    assert ranked(scores_N) == ([0, 2, 1] if reversed_ else [1, 2, 0])


def test_where_the_order_is_not_by_score_the_order_counts() -> None:
    class Backwards(heuristics.AbstractHeuristic):  # type: ignore[misc]
        def get_ranks(self, predictions: Any) -> Any:
            return np.array([2, 0]), np.array([0.9, 0.8, 0.1])

    scores_N = scores_of_heuristic(Backwards(), DRAWS)

    assert ranked(scores_N) == [2, 0, 1], "what is left out comes last"


def test_baals_random_order_is_an_order_of_all() -> None:
    assert sorted(ranked(scorer_of(heuristics.Random(seed=1), "baal")(DRAWS))) == [0, 1, 2]


def test_a_function_is_given_draws_and_may_return_any_sequence_of_numbers() -> None:
    expected = pytest.approx([0.99, 0.5, 0.6])

    assert scorer_of(own_functions.highest_first_class, "mine")(DRAWS).tolist() == expected
    assert scorer_of(own_functions.as_a_list, "mine")(DRAWS).tolist() == expected


class NeedsAnArgument(heuristics.AbstractHeuristic):  # type: ignore[misc]
    """As BaaL's own that combine others."""

    def __init__(self, others: list[Any]) -> None:
        super().__init__()
        self.others = others


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (own_functions.number, "mine cannot be used: wanted a function or a BaaL heuristic, found int"),
        (own_functions.one_for_all, "one score for each of 3 samples, found a single one"),
        (lambda probs_N_C_K: probs_N_C_K[:2, 0, 0], "one score for each of 3 samples, found 2"),
        (lambda probs_N_C_K: probs_N_C_K, "found 3 x 2 x 2"),
        (own_functions.no_numbers, "it must return numbers"),
        (own_functions.not_finite, "3 of 3 scores are not finite numbers"),
        (NeedsAnArgument, "named as a partial"),
        (own_functions.failing, "it failed: KeyError: 'no such class'"),
    ],
)
def test_what_is_wrong_is_said(found: Any, said: str) -> None:
    with pytest.raises(OwnCodeError, match=said):
        scorer_of(found, "mine")(DRAWS)
