from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from loops.acquisition.functions import score_draws, score_probabilities
from loops.errors import IdenticalDrawsError
from loops.uncertainty.closed_form import ClosedForm, gaussian_points, has_closed_form
from loops.uncertainty.mc_dropout import MCDropout, MCDropoutScorer, gather


def linear_head(weights: list[list[float]], bias: list[float], p: float = 0.5) -> nn.Sequential:
    head = nn.Sequential(nn.Dropout(p), nn.Linear(len(weights[0]), len(weights)))
    head[1].weight.data, head[1].bias.data = torch.tensor(weights), torch.tensor(bias)
    return head


def random_head(features: int = 128, classes: int = 5) -> nn.Sequential:
    torch.manual_seed(0)
    head = nn.Sequential(nn.ReLU(), nn.Dropout(0.5), nn.Linear(features, classes))
    head[2].weight.data *= 5
    return head


def test_mean_and_covariance_in_the_head() -> None:
    """Two classes, one feature f = 2, weights +1 and -1, p = 1/2: kept, the feature is doubled, so z is +-4 or 0."""
    mean, covariance = ClosedForm(linear_head([[1.0], [-1.0]], [0.0, 0.0])).moments(torch.tensor([[2.0]]))

    assert mean.tolist() == [[2.0, -2.0]]
    assert covariance.tolist() == [[[4.0, -4.0], [-4.0, 4.0]]]


@pytest.mark.parametrize("p", [0.25, 0.5])
def test_mean_and_covariance_equal_brute_force_over_all_masks(p: float) -> None:
    generator = torch.Generator().manual_seed(0)
    head = linear_head(torch.randn(3, 6, generator=generator).tolist(), [0.3, -0.2, 0.5], p)
    x = torch.randn(4, 6, generator=generator)
    masks = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6)))
    weights_K = torch.where(masks > 0, 1 - p, p).prod(1)
    logits_K_B_C = torch.stack([head[1](x * mask / (1 - p)) for mask in masks])
    logits_K_B_C = logits_K_B_C - logits_K_B_C.mean(-1, keepdim=True)
    mean = (weights_K[:, None, None] * logits_K_B_C).sum(0)
    off = logits_K_B_C - mean
    covariance = torch.einsum("k,kbc,kbd->bcd", weights_K, off, off)

    ours_mean, ours_covariance = ClosedForm(head).moments(x)

    torch.testing.assert_close(ours_mean, mean)
    torch.testing.assert_close(ours_covariance, covariance)


def test_the_points_have_exactly_that_mean_and_covariance() -> None:
    network, x = random_head(), torch.randn(7, 128, generator=torch.Generator().manual_seed(1))
    form = ClosedForm(network)
    mean, covariance = form.moments(x)
    logits = form(x)

    logits = logits - logits.mean(1, keepdim=True)
    torch.testing.assert_close(logits.mean(-1), mean, rtol=1e-3, atol=1e-3)
    off = logits - logits.mean(-1, keepdim=True)
    torch.testing.assert_close(off @ off.transpose(1, 2) / off.shape[-1], covariance, rtol=1e-3, atol=1e-2)


def test_points_of_a_gaussian_are_its_mean_and_its_covariance() -> None:
    points = gaussian_points(4, 32)

    torch.testing.assert_close(points.mean(1), torch.zeros(4), atol=1e-6, rtol=0)
    torch.testing.assert_close(points @ points.T / 32, torch.eye(4), atol=1e-5, rtol=0)


def test_scores_are_nearer_to_20000_masks_than_those_of_a_thousand() -> None:
    network, x = random_head(512), torch.randn(300, 512, generator=torch.Generator().manual_seed(1))
    x = x * torch.linspace(0.1, 2.0, 300)[:, None]  # from sure to torn
    with torch.inference_mode():
        truth = bald_of(MCDropout(network, mc_iterations=20_000, seed=1), x)
        masks = bald_of(MCDropout(network, mc_iterations=1_000, seed=2), x)
        closed = bald_of(ClosedForm(network), x)

    assert np.corrcoef(closed, truth)[0, 1] > np.corrcoef(masks, truth)[0, 1] > 0.98


def bald_of(network: MCDropout | ClosedForm, x: torch.Tensor) -> np.ndarray:
    return torch.cat([score_draws(piece)[1]["bald"] for piece in network.pieces(x)]).numpy()


def test_all_functions_at_once_equal_one_by_one() -> None:
    logits = 4 * torch.randn(50, 6, 20, generator=torch.Generator().manual_seed(0))
    probs = torch.softmax(logits, 1)

    mean, scores = score_draws(logits.clone())

    torch.testing.assert_close(mean, probs.mean(-1))
    one_by_one = score_probabilities(probs.numpy())
    assert scores.keys() == one_by_one.keys()
    for name, scores_N in one_by_one.items():
        torch.testing.assert_close(scores[name], torch.from_numpy(scores_N), atol=1e-5, rtol=0)


def test_a_sample_of_whose_features_none_is_on_is_no_doubt_and_no_error() -> None:
    form = ClosedForm(random_head())

    assert bald_of(form, torch.zeros(1, 128)).tolist() == pytest.approx([0.0], abs=1e-6)


def test_two_classes_have_one_direction() -> None:
    assert ClosedForm(random_head(classes=2))(torch.ones(3, 128)).shape[:2] == (3, 2)


@pytest.mark.parametrize(
    ("network", "has_one"),
    [
        (random_head(), True),
        (random_head(features=8), False),  # eight masked features are no Gaussian
        (random_head(classes=40), False),  # 820 covariances: masks are cheaper
        (nn.Sequential(nn.Dropout(0.5), nn.Linear(128, 64), nn.Dropout(0.5), nn.Linear(64, 5)), False),
        (nn.Sequential(nn.Dropout(0.5), nn.Linear(128, 5), nn.Softmax(1)), False),
        (nn.Linear(128, 5), False),
    ],
)
def test_only_a_wide_linear_layer_behind_the_only_dropout_has_a_closed_form(network: nn.Module, has_one: bool) -> None:
    assert has_closed_form(network) is has_one


def test_without_any_variance_the_pass_is_refused() -> None:
    network = random_head()
    nn.init.zeros_(network[2].weight)
    scorer = MCDropoutScorer(network, mc_iterations=20, seed=0, keep_draws=False, closed_form=True)

    with pytest.raises(IdenticalDrawsError, match="identical"):
        gather([scorer.predict_step((torch.arange(3), torch.ones(3, 128)), 0)])


def test_as_many_draws_are_kept_as_were_asked_for() -> None:
    scorer = MCDropoutScorer(random_head(), mc_iterations=20, seed=0, keep_draws=True, closed_form=True)
    pool_scores = gather([scorer.predict_step((torch.arange(3), torch.ones(3, 128)), 0)])

    assert pool_scores.draws_N_C_K is not None
    assert pool_scores.draws_N_C_K.shape == (3, 5, 20)
