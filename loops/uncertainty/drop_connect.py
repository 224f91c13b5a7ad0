"""Draws of a network without dropout: weights of its linear layers are dropped, by BaaL's DropConnect."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from loops.errors import IdenticalDrawsError
from loops.frozen import drop_connected, replace_layers
from loops.module_state import copied
from loops.random_numbers import random_numbers_of
from loops.seeding import seed_of

SHARE = 0.2  # of the weights dropped in each draw


class DropConnect(nn.Module):
    """A network that answers K times, each time without other weights: `[B, ...]` to logits `[B, C, K]`.

    The k-th draw drops the same weights for every sample of a pool (Wan et al. 2013; as doubt: Mobiny et al. 2019,
    arXiv:1906.04569). All of the network runs K times.

    Args:
        network: Ends in logits; copied.
        mc_iterations: K.
        seed: Of the draws.

    Raises:
        IdenticalDrawsError: If it has no linear layer.
    """

    def __init__(self, network: nn.Module, *, mc_iterations: int, seed: int) -> None:
        super().__init__()
        self.network = nn.Sequential(copied(network))
        if not replace_layers(self.network, partial(drop_connected, p=SHARE)):
            raise IdenticalDrawsError(
                "the network has neither dropout nor a linear layer whose weights could be dropped"
            )
        self.mc_iterations, self._seed = mc_iterations, seed
        self.eval()

    def forward(self, x: Any) -> Tensor:  # noqa: ANN401
        """Logits `[B, C, K]`."""
        return torch.stack(list(self._draws(x)), dim=-1)

    def _draws(self, x: Any) -> Iterator[Tensor]:  # noqa: ANN401
        for k in range(self.mc_iterations):
            with random_numbers_of(seed_of(self._seed, "weights", k)):
                yield self.network(x).float()
