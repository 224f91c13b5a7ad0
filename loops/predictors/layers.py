"""The networks: from stored rows to logits, with the dropout that MC dropout needs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample


class PreparePixels(nn.Module):
    """Stored pixels, uint8 `[B, C, S, S]`, to standardized floats of the channels that the network was built for."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inputs = channels
        self.register_buffer("mean", torch.full((1, channels, 1, 1), 0.5))
        self.register_buffer("std", torch.full((1, channels, 1, 1), 0.25))

    def learn(self, rows: Tensor) -> None:
        """Takes mean and deviation per channel from the labeled rows, and from nothing else."""
        pixels = rows.float() / 255
        self.mean = pixels.mean((0, 2, 3), keepdim=True)
        self.std = pixels.std((0, 2, 3), keepdim=True, correction=0).clamp_min(0.05)

    def forward(self, rows: Tensor) -> Tensor:
        """Standardizes; a network of a gray project goes on working when the store has grown colors."""
        pixels = rows.float() / 255
        if pixels.shape[1] > self.mean.shape[1]:
            pixels = pixels.mean(1, keepdim=True)
        standardized: Tensor = (pixels - self.mean) / self.std
        return standardized.contiguous(memory_format=torch.channels_last)


class PrepareFeatures(nn.Module):
    """Stored features `[B, D]`, centered and divided by one number, so that dimensions keep their proportions."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.inputs = dim
        self.register_buffer("mean", torch.zeros(1, dim))
        self.register_buffer("std", torch.ones(1, 1))

    def learn(self, rows: Tensor) -> None:
        """Takes mean and deviation from the labeled rows, and from nothing else."""
        self.mean = rows.mean(0, keepdim=True)
        self.std = (rows - self.mean).square().mean().sqrt().clamp_min(1e-3).reshape(1, 1)

    def forward(self, rows: Tensor) -> Tensor:
        """Standardizes."""
        standardized: Tensor = (rows - self.mean) / self.std
        return standardized


class RandomAffine(nn.Module):
    """Turns, scales, shears and shifts each image of a batch a little; in training only.

    No mirroring: a mirrored 2 is no 2. All in one `grid_sample`, so it costs little and runs where the network runs.

    Args:
        degrees: Largest turn either way.
        scale: Largest change of size, as a share.
        shear: Largest shear, as a share.
        shift: Largest shift, as a share of the side.
        generator: Draws; None: the one of all.
    """

    def __init__(
        self,
        degrees: float = 12.0,
        scale: float = 0.15,
        shear: float = 0.15,
        shift: float = 0.1,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self._generator = generator
        self._radians = math.radians(degrees)
        self._scale, self._shear, self._shift = scale, shear, shift

    def forward(self, images: Tensor) -> Tensor:
        """Distorts `[B, C, S, S]`; draws on the CPU, so the GPU trains on the same distortions."""
        if not self.training:
            return images
        theta = self._draw(len(images)).to(images.device)
        grid = affine_grid(theta, list(images.shape), align_corners=False)
        return grid_sample(images, grid, padding_mode="border", align_corners=False)

    def _draw(self, n: int) -> Tensor:
        turn, shear, *scale_and_shift = (torch.rand(6, n, generator=self._generator) * 2 - 1).unbind()
        turn, shear = turn * self._radians, shear * self._shear
        scale_x, scale_y = (1 + self._scale * u for u in scale_and_shift[:2])
        shift_x, shift_y = (2 * self._shift * u for u in scale_and_shift[2:])
        row_x = torch.stack([scale_x * turn.cos(), -scale_x * turn.sin() + shear, shift_x], dim=1)
        row_y = torch.stack([scale_y * turn.sin(), scale_y * turn.cos(), shift_y], dim=1)
        return torch.stack([row_x, row_y], dim=1)


def network_parts(row_shape: Sequence[int], num_classes: int) -> tuple[nn.Module, nn.Sequential, nn.Sequential]:
    """The network for stored rows of this shape.

    Args:
        row_shape: `(C, S, S)` of pixels, or `(D,)` of features.
        num_classes: What the head ends in.

    Returns:
        Preparation, backbone (empty for features) and head.
    """
    if len(row_shape) == 3:
        return PreparePixels(row_shape[0]), *small_cnn(row_shape[0], row_shape[-1], num_classes)
    return PrepareFeatures(row_shape[0]), nn.Sequential(), feature_head(row_shape[0], num_classes)


def small_cnn(in_channels: int, side: int, num_classes: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Four convolutions in three blocks, and a head with dropout on both sides of its hidden layer.

    The dropout stands behind the convolutions only, so that MC dropout repeats just the head. channels_last takes a
    third less time per step on the CPU.

    Returns:
        Backbone and head.
    """
    backbone = nn.Sequential(*_block(in_channels, 16), *_block(16, 32, 32), *_block(32, 64), nn.Flatten())
    head = nn.Sequential(
        nn.Dropout(0.25),
        nn.Linear(64 * (side // 8) ** 2, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, num_classes),
    )
    return backbone.to(memory_format=torch.channels_last), head  # type: ignore[call-overload]


def _block(*channels: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(channels):
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return [*layers, nn.MaxPool2d(2)]


def feature_head(dim: int, num_classes: int) -> nn.Sequential:
    """A linear layer behind dropout: K masks of it fold into one matrix product."""
    return nn.Sequential(nn.Dropout(0.5), nn.Linear(dim, num_classes))
