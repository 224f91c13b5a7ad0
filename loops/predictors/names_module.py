"""The names of the classes as a torch module."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from loops.embeddings.names import NameRows


class NamesModule(nn.Module):
    """From stored rows `[B, D]` of an embedding that reads text to class probabilities `[B, C]`.

    Args:
        names: Of the classes, in the same space.
    """

    rows_C_D: Tensor

    def __init__(self, names: NameRows) -> None:
        super().__init__()
        self.scale = names.scale
        self.register_buffer("rows_C_D", torch.from_numpy(names.rows_C_D))

    def forward(self, rows: Tensor) -> Tensor:
        """Class probabilities of stored rows."""
        flat = torch.flatten(rows, 1).float()
        lengths = flat.norm(dim=1, keepdim=True).clamp_min(1e-9)
        return torch.softmax(self.scale * (flat / lengths) @ self.rows_C_D.T, dim=1)
