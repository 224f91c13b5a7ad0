"""Dropout that torch's layers do inside functions of their own, in training only: attention's and recurrent layers'.

Each layer here computes what torch's does, with the same weights, and drops by fixed masks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from loops.errors import IdenticalDrawsError
from loops.uncertainty.fixed_masks import FixedMasks

MakeMasks = Callable[[float], FixedMasks]  # from the share of units dropped
Sequences = Tensor | PackedSequence
Hidden = Tensor | tuple[Tensor, ...]  # of a recurrent layer; an LSTM has two


def hides_dropout(layer: nn.Module) -> bool:
    """Whether a layer of torch's drops inside a function of its own."""
    if isinstance(layer, nn.RNNBase):
        return layer.dropout > 0 and layer.num_layers > 1
    return isinstance(layer, nn.MultiheadAttention) and layer.dropout > 0


def drawn(layer: nn.Module, make_masks: MakeMasks) -> nn.Module | None:
    """What stands in for a layer that `hides_dropout`; None for any other."""
    if not hides_dropout(layer):
        return None
    return DrawnRecurrent(layer, make_masks) if isinstance(layer, nn.RNNBase) else DrawnAttention(layer, make_masks)  # type: ignore[arg-type]


@contextmanager
def layer_by_layer() -> Iterator[None]:
    """Has transformer layers call their parts; torch's one call for all of them passes every dropout by."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


class DrawnRecurrent(nn.Module):
    """A recurrent network of several layers, with fixed masks between them.

    Args:
        layers: An `nn.LSTM`, `nn.GRU` or `nn.RNN`.
        make_masks: Makes the masks of one gap between layers.
    """

    def __init__(self, layers: nn.RNNBase, make_masks: MakeMasks) -> None:
        super().__init__()
        self._batch_first = layers.batch_first
        self._directions = 2 if layers.bidirectional else 1
        self.layers = nn.ModuleList(_single(layers, number) for number in range(layers.num_layers))
        self.masks = nn.ModuleList(make_masks(layers.dropout) for _ in range(layers.num_layers - 1))

    def forward(
        self, x: Tensor | PackedSequence, hidden: Hidden | None = None
    ) -> tuple[Tensor | PackedSequence, Hidden]:
        """As the layers it stands in for."""
        last = []
        for number, layer in enumerate(self.layers):
            x, state = layer(x, None if hidden is None else self._of(hidden, number))
            last.append(state)
            if number < len(self.masks):
                x = self._drop(x, self.masks[number])
        if isinstance(last[0], tuple):
            return x, tuple(torch.cat(parts) for parts in zip(*last, strict=True))
        return x, torch.cat(last)

    def _of(self, hidden: Hidden, number: int) -> Hidden:
        rows = slice(number * self._directions, (number + 1) * self._directions)
        return tuple(part[rows] for part in hidden) if isinstance(hidden, tuple) else hidden[rows]

    def _drop(self, x: Sequences, masks: nn.Module) -> Sequences:
        if isinstance(x, PackedSequence):
            padded, lengths = pad_packed_sequence(x, batch_first=True)
            return pack_padded_sequence(masks(padded), lengths, batch_first=True, enforce_sorted=False)
        dropped: Tensor = masks(x) if self._batch_first else masks(x.transpose(0, 1)).transpose(0, 1)
        return dropped


def _single(layers: nn.RNNBase, number: int) -> nn.RNNBase:
    """One layer of several, with its weights."""
    wide = (layers.proj_size or layers.hidden_size) * (2 if layers.bidirectional else 1)
    options = {"proj_size": layers.proj_size} if layers.proj_size else {}
    if isinstance(layers, nn.RNN):
        options["nonlinearity"] = layers.nonlinearity
    kind: Any = type(layers)
    layer: nn.RNNBase = kind(
        layers.input_size if number == 0 else wide,
        layers.hidden_size,
        bias=layers.bias,
        batch_first=layers.batch_first,
        bidirectional=layers.bidirectional,
        **options,
    )
    with torch.no_grad():
        for name, weight in layer.named_parameters():
            weight.copy_(getattr(layers, name.replace("_l0", f"_l{number}")))
    return layer.to(next(layers.parameters()).device)


class DrawnAttention(nn.Module):
    """Multi-head attention whose weights are dropped by fixed masks.

    Args:
        attention: Without a bias of keys and values.
        make_masks: Makes the masks of the attention weights.

    Raises:
        IdenticalDrawsError: If it has such a bias, which nobody draws here.
    """

    def __init__(self, attention: nn.MultiheadAttention, make_masks: MakeMasks) -> None:
        super().__init__()
        if attention.bias_k is not None or attention.add_zero_attn:
            raise IdenticalDrawsError("attention with a bias of keys and values cannot be drawn")
        self.attention = attention
        self.masks = make_masks(attention.dropout)
        # What torch's transformer layers look at before they call it.
        self.batch_first, self._qkv_same_embed_dim = attention.batch_first, attention._qkv_same_embed_dim
        self.num_heads, self.in_proj_bias = attention.num_heads, attention.in_proj_bias

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """As the attention it stands in for; a batch is needed."""
        if not self.batch_first:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        q, k, v = (self._heads(x) for x in self._projected(query, key, value))
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        if is_causal and attn_mask is None:
            attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        for mask in self._hidden(attn_mask, key_padding_mask, scores):
            scores = scores.masked_fill(mask, -math.inf) if mask.dtype == torch.bool else scores + mask
        weights = self.masks(torch.softmax(scores, dim=-1))
        out = self.attention.out_proj((weights @ v).transpose(1, 2).flatten(2))
        out = out if self.batch_first else out.transpose(0, 1)
        if not need_weights:
            return out, None
        return out, weights.mean(1) if average_attn_weights else weights

    def _projected(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, ...]:
        attention = self.attention
        if attention._qkv_same_embed_dim:
            weights = attention.in_proj_weight.chunk(3)
        else:
            weights = (attention.q_proj_weight, attention.k_proj_weight, attention.v_proj_weight)
        biases = (None,) * 3 if attention.in_proj_bias is None else attention.in_proj_bias.chunk(3)
        return tuple(functional.linear(*part) for part in zip((query, key, value), weights, biases, strict=True))

    def _heads(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:2], self.num_heads, -1).transpose(1, 2)

    def _hidden(self, attn_mask: Tensor | None, padding: Tensor | None, scores: Tensor) -> Iterator[Tensor]:
        """What must not be looked at, each mask as `[B or 1, heads or 1, L or 1, S]`."""
        if attn_mask is not None:
            yield attn_mask if attn_mask.ndim == 2 else attn_mask.view(-1, *scores.shape[1:])
        if padding is not None:
            yield padding[:, None, None, :]
