"""Draws of what torch's layers drop inside: they differ, and their mean is that of many draws in training."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from loops.errors import IdenticalDrawsError
from loops.uncertainty.mc_dropout import MCDropout

K, DRAWS = 4000, 20_000  # of ours, and of torch's own


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase] = nn.LSTM, *, packed: bool = False, batch_first: bool = True) -> None:
        super().__init__()
        self.embedding, self.packed, self.batch_first = nn.Embedding(20, 8), packed, batch_first
        self.rnn = kind(8, 8, 2, dropout=0.4, batch_first=batch_first, bidirectional=True)  # type: ignore[call-arg]
        self.head = nn.Linear(16, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        x: Any = self.embedding(tokens)
        x = x if self.batch_first else x.transpose(0, 1)
        if self.packed:
            x = pack_padded_sequence(x, (tokens > 0).sum(1).cpu(), batch_first=True, enforce_sorted=False)
        _, hidden = self.rnn(x)
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        return self.head(torch.cat([hidden[-2], hidden[-1]], 1))


class Transformer(nn.Module):
    def __init__(self, *, batch_first: bool = True, norm_first: bool = False) -> None:
        super().__init__()
        self.embedding, self.batch_first = nn.Embedding(20, 8), batch_first
        layer = nn.TransformerEncoderLayer(8, 2, 16, 0.3, batch_first=batch_first, norm_first=norm_first)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        x = x if self.batch_first else x.transpose(0, 1)
        x = self.encoder(x, src_key_padding_mask=tokens == 0)
        return self.head(x.mean(1 if self.batch_first else 0))


class Attention(nn.Module):
    """Attention alone, whose weights are all that is dropped."""

    def __init__(self, mask: bool = False) -> None:
        super().__init__()
        self.attention, self.head, self.mask = nn.MultiheadAttention(8, 2, 0.3, batch_first=True), nn.Linear(8, 3), mask

    def forward(self, x: Tensor) -> Tensor:
        mask = torch.ones(x.shape[1], x.shape[1]).triu(1).bool() if self.mask else None
        return self.head(self.attention(x, x, x, attn_mask=mask)[0].mean(1))


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(channels, 8, 3, padding=1) for channels in (1, 8))
        self.norms = nn.ModuleList([nn.BatchNorm2d(8), nn.BatchNorm2d(8)])
        self.dropout, self.head = nn.Dropout2d(0.3), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norms[0](self.first(x)))
        return self.head(torch.relu(x + self.norms[1](self.second(self.dropout(x)))).mean((2, 3)))


TOKENS = torch.tensor([[3, 4, 5, 6, 7], [8, 9, 2, 0, 0]])
MODULES = {
    "lstm": (lambda: Recurrent(), TOKENS),
    "lstm, packed": (lambda: Recurrent(packed=True), TOKENS),
    "gru, time first": (lambda: Recurrent(nn.GRU, batch_first=False), TOKENS),
    "transformer": (lambda: Transformer(), TOKENS),
    "transformer, time first": (lambda: Transformer(batch_first=False, norm_first=True), TOKENS),
    "attention": (lambda: Attention(), torch.linspace(-1, 1, 48).reshape(2, 3, 8)),
    "attention, masked": (lambda: Attention(mask=True), torch.linspace(-1, 1, 48).reshape(2, 3, 8)),
    "resnet with batch norm": (lambda: Residual(), torch.linspace(-1, 1, 50).reshape(2, 1, 5, 5)),
    "selu": (
        lambda: nn.Sequential(nn.Linear(4, 64), nn.SELU(), nn.AlphaDropout(0.3), nn.Linear(64, 3)),
        torch.linspace(-1, 1, 8).reshape(2, 4),
    ),
}
DROPPING = (nn.Dropout, nn.Dropout2d, nn.AlphaDropout, nn.RNNBase, nn.MultiheadAttention, nn.TransformerEncoderLayer)


@pytest.fixture(params=MODULES)
def made(request: pytest.FixtureRequest) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    make, x = MODULES[request.param]
    return make().eval(), x


@torch.no_grad()
def test_the_mean_of_the_draws_is_that_of_torchs_own(made: tuple[nn.Module, Tensor]) -> None:
    module, x = made
    draws_B_C_K = torch.softmax(MCDropout(module, mc_iterations=K, seed=0)(x), 1)
    for layer in module.modules():
        layer.training = isinstance(layer, DROPPING)
    times = DRAWS // 200
    repeated = x.repeat(200, *[1] * (x.ndim - 1))  # rows drop by themselves
    sampled = torch.cat([torch.softmax(module(repeated), 1).reshape(200, len(x), 3) for _ in range(times)])
    error = (draws_B_C_K.var(-1) / K + sampled.var(0) / DRAWS).sqrt()
    assert ((draws_B_C_K.mean(-1) - sampled.mean(0)).abs() < 4.5 * error).all()
    torch.testing.assert_close(draws_B_C_K.std(-1), sampled.std(0), rtol=0.15, atol=1e-4)


@torch.no_grad()
def test_draws_differ_repeat_themselves_and_depend_on_the_sample_alone(made: tuple[nn.Module, Tensor]) -> None:
    module, x = made
    one, again = (MCDropout(module, mc_iterations=5, seed=1)(x) for _ in range(2))
    assert torch.equal(one, again)
    assert (one != one[..., :1]).any(-1).any(-1).all()
    torch.testing.assert_close(MCDropout(module, mc_iterations=5, seed=1)(x.flip(0)).flip(0), one, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_batch_norm_keeps_its_statistics_and_the_module_is_not_changed() -> None:
    module, x = Residual(), torch.randn(4, 1, 5, 5)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    MCDropout(module.train(), mc_iterations=5, seed=0)(x)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert module.training


def test_attention_with_a_bias_of_keys_is_refused_in_a_sentence() -> None:
    module = nn.Sequential(nn.Linear(8, 8), nn.MultiheadAttention(8, 2, 0.3, add_bias_kv=True))
    with pytest.raises(IdenticalDrawsError, match="bias of keys and values"):
        MCDropout(module, mc_iterations=5, seed=0)


@torch.no_grad()
def test_a_batch_may_be_a_dictionary() -> None:
    class OfTwo(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(5, 3))

        def forward(self, parts: dict[str, Tensor]) -> Tensor:
            return self.head(torch.cat([parts["a"], parts["b"]], 1))

    parts = {"a": torch.ones(7, 2), "b": torch.ones(7, 3)}
    assert MCDropout(OfTwo(), mc_iterations=4, seed=0)(parts).shape == (7, 3, 4)
