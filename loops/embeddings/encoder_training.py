"""Training of an encoder without labels: a distorted copy of a sample should lie near a copy of one of its neighbors.

Of a batch of pairs, each image is to be told its partner among all others (SimCLR, Chen et al. 2020); half of the
partners are neighbors in pixels instead of the image itself (NNCLR, Dwibedi et al. 2021), which is what makes the
points of a class run together instead of every image standing alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch._dynamo  # the first optimizer imports it; two at once, here and in a round's fit, got half a module
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from loops.embeddings.encoder import POINT, Encoder, undrawn
from loops.predictors.layers import RandomAffine
from loops.seeding import seed_of

PAIRS = 256  # of a step
PARTNERS = 5  # nearest neighbors of which a partner is drawn
_DISTORTIONS = (15.0, 0.2, 0.25, 0.1)  # degrees, scale, shear, shift: a little more than the network's training has
_BY_NEIGHBOR = 0.5  # share of the pairs whose partner is a neighbor
_TEMPERATURE = 0.2
_LEARNING_RATE = 4e-3  # the highest, AdamW
_WEIGHT_DECAY = 1e-4
_WARM_UP = 0.3  # share of the steps
_PROJECTED = 64  # dimensions in which pairs are compared; the layer before is what is kept


class EncoderTraining:
    """Trains step by step; its state may be saved after any of them.

    All that is drawn comes from a generator of its own: rounds may be in training in another thread.

    Args:
        images: Prepared, uint8 `[L, C, 28, 28]`.
        neighbors_L_k: Of each image, nearest first, as positions.
        seed: Of weights, pairs and distortions.
        device: Where it runs.
        steps: In all.
    """

    def __init__(
        self,
        images: Tensor,
        neighbors_L_k: NDArray[np.int32],
        *,
        seed: int,
        device: torch.device,
        steps: int,
    ) -> None:
        self._images, self._device = images, device
        self._neighbors = torch.from_numpy(neighbors_L_k[:, :PARTNERS].astype(np.int64))
        self._generator = torch.Generator().manual_seed(seed_of(seed, "encoder"))
        self._distort = RandomAffine(*_DISTORTIONS, generator=self._generator).train()
        self.encoder = undrawn(lambda: Encoder(images.shape[1]))
        self._projection = undrawn(
            lambda: nn.Sequential(nn.BatchNorm1d(POINT), nn.ReLU(), nn.Linear(POINT, _PROJECTED))
        )
        self._both = nn.ModuleList([self.encoder, self._projection])
        _initialize(self._both, self._generator)
        self._both.to(device)
        self._optimizer = torch.optim.AdamW(self._both.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
        self.steps, self.steps_done = steps, 0

    @property
    def done(self) -> bool:
        """Whether all steps are done."""
        return self.steps_done >= self.steps

    def step(self) -> float:
        """One step; returns its loss."""
        self._both.train()
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(self.steps_done, self.steps)
        loss = self._loss(self._pairs())
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self.steps_done += 1
        return float(loss.detach())

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on but the images."""
        return {
            "steps_done": self.steps_done,
            "networks": self._both.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "generator": self._generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where `state_dict` was taken.

        Raises:
            RuntimeError: If it is of another network.
        """
        self._both.load_state_dict(state["networks"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._generator.set_state(state["generator"])
        self.steps_done = state["steps_done"]

    def _pairs(self) -> Tensor:
        """Distorted images `[2 * PAIRS, C, 28, 28]`; the partner of each is half the batch away."""
        chosen = torch.randint(len(self._images), (PAIRS,), generator=self._generator)
        which = torch.randint(self._neighbors.shape[1], (PAIRS,), generator=self._generator)
        by_neighbor = torch.rand(PAIRS, generator=self._generator) < _BY_NEIGHBOR
        partners = torch.where(by_neighbor, self._neighbors[chosen, which], chosen)
        images = self._images[torch.cat([chosen, partners])].to(self._device)
        distorted: Tensor = self._distort(images.float() / 255)
        return distorted

    def _loss(self, images: Tensor) -> Tensor:
        projected = normalize(self._projection(self.encoder(images)), dim=1)
        alike = (projected @ projected.T / _TEMPERATURE).fill_diagonal_(-math.inf)
        partner = torch.arange(len(images), device=images.device).roll(len(images) // 2)
        return cross_entropy(alike, partner)


def learning_rate(step: int, steps: int) -> float:
    """Rises from a 25th for three tenths of the steps, then falls to nothing, both by half a cosine.

    Smith and Topin 2018, as PyTorch's `OneCycleLR` has it.
    """
    warm_up = _WARM_UP * steps
    if step < warm_up:
        return _LEARNING_RATE * (1 / 25 + (1 - 1 / 25) * (1 - math.cos(math.pi * step / warm_up)) / 2)
    return _LEARNING_RATE * (1 + math.cos(math.pi * (step - warm_up) / (steps - warm_up))) / 2


def _initialize(networks: nn.Module, generator: torch.Generator) -> None:
    """As PyTorch does by default, drawn from this generator."""
    for module in networks.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.reset_parameters()
        if isinstance(module, nn.Conv2d | nn.Linear):
            bound = 1 / math.sqrt(module.weight[0].numel())
            for parameter in module.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=generator)
