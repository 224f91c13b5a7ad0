"""What predictors are as torch modules, from stored rows to class probabilities: they run without pool and project."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from loops.predictors.calibration import LEAST


class NetworkModule(nn.Module):
    """A network's answer, dropout off.

    Args:
        parts: From stored rows to logits.
    """

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.Sequential(*parts)

    def forward(self, rows: Tensor) -> Tensor:
        """Class probabilities `[B, C]` of stored rows `[B, *row_shape]`."""
        return torch.softmax(self.parts(rows), dim=1)


class MeanModule(nn.Module):
    """The weighted mean of several answers, to a power.

    Args:
        members: From stored rows to class probabilities.
        weights: Of each; they add up to 1.
        sharpness: The power; see `loops.predictors.calibration`.
    """

    def __init__(self, members: Sequence[nn.Module], weights: Sequence[float], sharpness: float = 1.0) -> None:
        super().__init__()
        self.members, self.weights, self.sharpness = nn.ModuleList(members), tuple(weights), sharpness

    def forward(self, rows: Tensor) -> Tensor:
        """Class probabilities `[B, C]` of stored rows `[B, *row_shape]`."""
        answers = [weight * member(rows) for member, weight in zip(self.members, self.weights, strict=True)]
        mean = torch.stack(answers).sum(0)
        return mean if self.sharpness == 1.0 else torch.softmax(mean.clamp(LEAST, 1.0).log() * self.sharpness, dim=1)


def mean_of(members: Sequence[nn.Module | None], weights: Sequence[float], sharpness: float = 1.0) -> nn.Module | None:
    """The weighted mean, to a power; None where one of the members is no module."""
    known = [member for member in members if member is not None]
    return MeanModule(known, weights, sharpness) if len(known) == len(members) else None
