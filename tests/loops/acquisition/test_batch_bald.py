from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from loops.acquisition.batch_bald import Outcomes, batch_bald
from loops.acquisition.functions import bald
from loops.errors import IdenticalDrawsError

LN_2 = math.log(2)


def sure(*classes_K: int, num_classes: int = 2) -> torch.Tensor:
    """A sample of which each draw is sure, one class per draw: `[C, K]`."""
    return torch.nn.functional.one_hot(torch.tensor(classes_K), num_classes).T.float()


def random_draws(n: int, classes: int, draws: int, seed: int = 0) -> torch.Tensor:
    logits = torch.randn(n, classes, draws, generator=torch.Generator().manual_seed(seed))
    return torch.softmax(3 * logits, dim=1)


def information(probs_n_C_K: torch.Tensor) -> float:
    """Brute force over all C^n outcomes."""
    joint = [
        math.prod(probs_n_C_K[i, c] for i, c in enumerate(outcome))
        for outcome in itertools.product(range(probs_n_C_K.shape[1]), repeat=len(probs_n_C_K))
    ]
    given_draws = torch.special.entr(torch.stack(joint)).sum(0).mean()
    return float(torch.special.entr(torch.stack(joint).mean(-1)).sum() - given_draws)


def greedy(probs_N_C_K: torch.Tensor, k: int) -> list[int]:
    """Brute force: each time the whole joint entropy of every candidate."""
    chosen: list[int] = []
    for _ in range(k):
        rest = [i for i in range(len(probs_N_C_K)) if i not in chosen]
        chosen.append(max(rest, key=lambda i: information(probs_N_C_K[[*chosen, i]])))
    return chosen


def test_a_copy_adds_nothing_so_the_other_question_is_asked_second() -> None:
    """Four draws. 0 and 1 ask whether the draw is among the first two; 2 asks whether it is even, less surely."""
    question, copy = sure(0, 0, 1, 1), sure(0, 0, 1, 1)
    other = torch.tensor([[0.9, 0.1, 0.9, 0.1], [0.1, 0.9, 0.1, 0.9]])

    batch = batch_bald(torch.stack([question, copy, other]), 2)

    assert sorted(batch.positions) in ([0, 2], [1, 2])
    assert batch.gains[0] == pytest.approx(LN_2)


def test_two_independent_sure_questions_tell_ln_4_and_then_nothing_is_left_to_tell() -> None:
    probs = torch.stack([sure(0, 0, 1, 1), sure(0, 1, 0, 1), sure(0, 1, 1, 0)])

    batch = batch_bald(probs, 3)

    assert batch.information == pytest.approx(2 * LN_2)
    assert batch.gains == pytest.approx([LN_2, LN_2, LN_2])
    assert batch.parts == [2]


def test_the_first_choice_is_the_best_by_bald_and_its_gain_is_its_bald() -> None:
    probs = random_draws(200, 5, 10)

    batch = batch_bald(probs, 1)

    assert batch.positions == [int(bald(probs).argmax())]
    assert batch.gains == pytest.approx([float(bald(probs).max())], abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_choices_and_gains_equal_brute_force(seed: int) -> None:
    probs = random_draws(30, 3, 12, seed)

    batch = batch_bald(probs, 4)

    assert batch.parts == []
    assert batch.positions == greedy(probs, 4)
    assert batch.information == pytest.approx(information(probs[batch.positions]), abs=1e-5)


def test_few_candidates_are_evaluated_and_the_choice_is_that_of_evaluating_all(monkeypatch: pytest.MonkeyPatch) -> None:
    probs = random_draws(2_000, 4, 20)
    lazy = batch_bald(probs, 4)
    monkeypatch.setattr("loops.acquisition.batch_bald._AT_ONCE", len(probs))
    eager = batch_bald(probs, 4)

    assert lazy.positions == eager.positions
    assert lazy.evaluations < 0.6 * eager.evaluations


def test_with_fewer_outcomes_than_there_are_the_information_is_nearly_that_of_brute_force() -> None:
    probs = random_draws(40, 3, 30)

    batch = batch_bald(probs, 6, outcomes=100)

    wanted = information(probs[greedy(probs, 6)])
    first = batch.positions[: batch.parts[0] if batch.parts else 6]
    assert information(probs[first]) > (0.95 if batch.parts else 0.98) * wanted


def test_thinned_outcomes_keep_the_weight_of_each_draw_on_average() -> None:
    posteriors = []
    for seed in range(100):
        outcomes = Outcomes(draws=8, limit=50, seed=seed)
        for probs_C_K in random_draws(6, 3, 8):
            outcomes.add(probs_C_K)
        assert len(outcomes) <= 50
        posteriors.append((outcomes._weights_M.float() @ outcomes._posterior_M_K).numpy())

    np.testing.assert_allclose(np.mean(posteriors, axis=0), np.full(8, 1 / 8), atol=0.015)


def test_what_is_nearly_the_same_as_a_chosen_sample_is_left_out() -> None:
    probs = torch.stack([sure(0, 0, 1, 1), sure(0, 1, 0, 1), sure(0, 1, 1, 0)])

    batch = batch_bald(probs, 3, not_with=lambda position: np.array([position == 1, position == 0, False]))

    assert len(batch.positions) == 2
    assert 2 in batch.positions


def test_identical_draws_are_refused() -> None:
    with pytest.raises(IdenticalDrawsError):
        batch_bald(torch.full((5, 2, 10), 0.5), 2)


def test_no_more_is_chosen_than_there_is() -> None:
    assert sorted(batch_bald(random_draws(3, 2, 10), 5).positions) == [0, 1, 2]
