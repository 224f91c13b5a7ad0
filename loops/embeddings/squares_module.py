"""Images of any size as the squares that a network takes, inside the model: to the last bit what Pillow makes of them.

A file that holds this needs no code beside it, and answers as the application does. See `loops.embeddings.squares`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_PRECISION = 2.0**22  # Pillow's weights are whole numbers of this part


class Squares(nn.Module):
    """From uint8 RGBA images `[B, H, W, 4]` to squares, uint8 `[B, channels, side, side]`.

    Transparent parts are laid on white; then it is squeezed to a square by a triangle filter, as wide as what it
    skips.

    Args:
        side: Of the squares, in pixels.
        channels: 3 for colors; 1 for the mean of them.
    """

    def __init__(self, side: int, channels: int) -> None:
        super().__init__()
        self.side, self.channels = side, channels

    def forward(self, images: Tensor) -> Tensor:
        """Squares."""
        colors = on_white(images)
        wide = _rounded(colors.double() @ weights(images.shape[2], self.side).T)  # along each line, then down
        squares = _rounded(weights(images.shape[1], self.side) @ wide)
        if self.channels == 1:
            squares = squares.mean(1, keepdim=True).round()
        return squares.to(torch.uint8)


def on_white(images: Tensor) -> Tensor:
    """Colors `[B, 3, H, W]`, int32, in Pillow's own whole numbers."""
    whole = images.permute(0, 3, 1, 2).int()
    colors, alpha = whole[:, :3], whole[:, 3:]
    shifted = 128 * (colors * alpha + 255 * (255 - alpha) + 128)
    return torch.div(torch.div(shifted, 256, rounding_mode="floor") + shifted, 32768, rounding_mode="floor")


def weights(before: int, after: int) -> Tensor:
    """How much each pixel of a line counts for each of a shorter or longer one: `[after, before]`, double."""
    places = torch.arange(before, dtype=torch.float64)
    scale = torch.ones_like(places).sum() / after  # counted, for an exported size is divided in 32 bits
    center = (torch.arange(after, dtype=torch.float64) + 0.5) * scale
    width = scale.clamp_min(1.0)
    apart = places[None] - center[:, None] + 0.5
    triangle = (1.0 - (apart * (1.0 / width)).abs()).clamp_min(0.0)
    return torch.floor(triangle / triangle.sum(1, keepdim=True) * _PRECISION + 0.5)


def _rounded(sums: Tensor) -> Tensor:
    return torch.floor(sums / _PRECISION + 0.5).clamp(0.0, 255.0)
