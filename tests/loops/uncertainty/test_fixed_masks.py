from __future__ import annotations

import logging

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from loops.acquisition.functions import bald
from loops.errors import IdenticalDrawsError
from loops.uncertainty.mc_dropout import MCDropout, say_that_all_of_it_is_repeated

K = 20


class CallsDropout(nn.Module):
    """Dropout as functions only, one of them of whole channels, as in the code of many papers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.linear = nn.Conv2d(1, 4, 1), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.dropout2d(self.conv(x), 0.5, training=self.training)
        return self.linear(functional.dropout(x.flatten(1), p=0.5, training=self.training))


class TimeFirst(nn.Module):
    """A sequence model that wants time before batch, `[T, B, D]`."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout, self.linear = nn.Dropout(0.5), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.dropout(x.transpose(0, 1)).mean(0))


class SumsOver(nn.Module):
    """Loses the batch before its dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.dropout(x.sum(0, keepdim=True))


class DropsNothing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)  # of a classifier that is not used, as in many a backbone

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, :3]


def draws(network: nn.Module, x: Tensor) -> Tensor:
    torch.manual_seed(0)
    with torch.inference_mode():
        return MCDropout(network, mc_iterations=K, seed=0)(x)


@pytest.mark.parametrize(
    ("network", "shape"), [(CallsDropout(), (1, 2, 2)), (TimeFirst(), (5, 6)), (TimeFirst(), (K, 6))]
)
def test_draws_differ_and_are_those_of_the_sample_alone(network: nn.Module, shape: tuple[int, ...]) -> None:
    x = torch.randn(7, *shape, generator=torch.Generator().manual_seed(1))

    together = draws(network, x)
    alone = torch.cat([draws(network, sample[None]) for sample in x])

    assert together.shape == (7, 3, K)
    assert bald(torch.softmax(together, 1)).min() > 1e-4
    torch.testing.assert_close(together, alone)


def test_a_called_dropout_keeps_the_mean() -> None:
    x = torch.randn(5, 1, 2, 2, generator=torch.Generator().manual_seed(1))
    network = CallsDropout()
    with torch.inference_mode():
        many = MCDropout(network, mc_iterations=20_000, seed=0)(x).mean(-1)

    torch.testing.assert_close(many, network.eval()(x), atol=0.05, rtol=0)


def test_a_network_that_is_no_chain_says_once_that_all_of_it_is_repeated(caplog: pytest.LogCaptureFixture) -> None:
    say_that_all_of_it_is_repeated.cache_clear()
    with caplog.at_level(logging.WARNING):
        draws(CallsDropout(), torch.ones(2, 1, 2, 2))
        draws(CallsDropout(), torch.ones(2, 1, 2, 2))

    assert caplog.text.count("CallsDropout calls its layers by code of its own: each of the 20 draws runs all of") == 1


def test_somebody_elses_layers_that_drop_nothing_run_once(caplog: pytest.LogCaptureFixture) -> None:
    before = DropsNothing()
    seen: list[int] = []
    before.register_forward_hook(lambda _layer, inputs, _output: seen.append(len(inputs[0])))
    with caplog.at_level(logging.WARNING):
        draws(nn.Sequential(before, nn.Dropout(0.5), nn.Linear(3, 3)), torch.ones(7, 4))

    assert seen == [1, 7]  # one sample to see whether it drops, then all of them
    assert not caplog.text


def test_a_network_of_ones_own_without_dropout_is_refused_when_it_runs() -> None:
    with pytest.raises(IdenticalDrawsError, match="calls no dropout"):
        draws(DropsNothing(), torch.ones(2, 4))


def test_where_samples_cannot_be_told_apart_nothing_is_guessed() -> None:
    with pytest.raises(IdenticalDrawsError, match="cannot be told apart"):
        draws(SumsOver(), torch.ones(2, 3))


def test_in_half_precision_the_same_samples_are_at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 5))
    network[3].weight.data *= 5
    x = torch.randn(1_000, 64, generator=torch.Generator().manual_seed(1))
    exact = bald(torch.softmax(draws(network, x), 1))
    monkeypatch.setattr(
        "loops.uncertainty.mc_dropout.half_precision", lambda _device: torch.autocast("cpu", torch.bfloat16)
    )
    rounded = draws(network, x)

    assert rounded.dtype == torch.float32
    top = set(exact.topk(50).indices.tolist()) & set(bald(torch.softmax(rounded, 1)).topk(50).indices.tolist())
    assert len(top) >= 48
