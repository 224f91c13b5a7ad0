from __future__ import annotations

import pytest
import torch
from torch import nn

from loops.errors import IdenticalDrawsError
from loops.uncertainty.drop_connect import SHARE, DropConnect


def a_network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3, bias=False))


@torch.no_grad()
def test_the_kth_draw_is_one_network_whatever_is_asked_beside() -> None:
    x = torch.randn(6, 4)
    draws = DropConnect(a_network(), mc_iterations=5, seed=0)
    together, apart = draws(x), torch.cat([draws(x[:2]), draws(x[2:])])
    assert together.shape == (6, 3, 5)
    torch.testing.assert_close(together, apart)
    assert (together != together[..., :1]).any()
    assert not torch.equal(together, DropConnect(a_network(), mc_iterations=5, seed=1)(x))


@torch.no_grad()
def test_the_weights_are_the_networks_own_scaled_or_dropped() -> None:
    linear = nn.Sequential(nn.Linear(1, 1000, bias=False))
    nn.init.ones_(linear[0].weight)
    drawn = DropConnect(linear, mc_iterations=20, seed=0)(torch.ones(1, 1))
    torch.testing.assert_close(drawn.unique(), torch.tensor([0.0, 1 / (1 - SHARE)]))
    assert (drawn == 0).float().mean().item() == pytest.approx(SHARE, abs=0.02)


@torch.no_grad()
def test_the_random_numbers_of_the_process_go_on_as_if_nothing_was_drawn() -> None:
    draws = DropConnect(a_network(), mc_iterations=3, seed=0)
    torch.manual_seed(7)
    wanted = torch.rand(1)
    torch.manual_seed(7)
    draws(torch.ones(2, 4))
    assert torch.equal(torch.rand(1), wanted)


def test_a_network_without_a_linear_layer_is_refused_in_a_sentence() -> None:
    with pytest.raises(IdenticalDrawsError, match="neither dropout nor a linear layer"):
        DropConnect(nn.Sequential(nn.Conv1d(1, 1, 1)), mc_iterations=3, seed=0)
