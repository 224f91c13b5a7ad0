"""A linear model of the graph's points as a torch module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_NEVER = -1e9  # a logit of what cannot be


class LinearModule(nn.Module):
    """Logistic regression on points of unit length, beside them the coordinate that all share.

    Args:
        points: From stored rows to points around the middle of the pool.
        steady: Of the shared coordinate.
        classes: Those that it learned.
        coefficients: A row of weights for each of them; of two classes one row, as scikit-learn has it; of one none.
        num_classes: C.
    """

    weights_P_C: Tensor
    bias_C: Tensor

    def __init__(
        self,
        points: nn.Module,
        *,
        steady: float,
        classes: Sequence[int],
        coefficients: NDArray[Any],
        num_classes: int,
    ) -> None:
        super().__init__()
        self.points, self.steady = points, steady
        rows = coefficients if len(classes) > 2 else np.concatenate([np.zeros_like(coefficients[:1]), coefficients])
        weights = np.zeros((coefficients.shape[1], num_classes), np.float32)
        bias = np.full(num_classes, _NEVER, np.float32)
        for known, row in zip(classes, rows, strict=False):
            weights[:, known], bias[known] = row, 0.0
        self.register_buffer("weights_P_C", torch.from_numpy(weights))
        self.register_buffer("bias_C", torch.from_numpy(bias))

    def forward(self, rows: Tensor) -> Tensor:
        """Class probabilities `[B, C]` of stored rows `[B, *row_shape]`."""
        points = self.points(rows)
        lengths = points.norm(dim=1, keepdim=True)
        steadied = torch.cat([points / lengths.clamp_min(1e-9), torch.full_like(lengths, self.steady)], dim=1)
        return torch.softmax(steadied @ self.weights_P_C + self.bias_C, dim=1)
