"""The encoder: a small convolutional network from images to points, whose weights come from the pool without a label.

See `loops.embeddings.encoder_training` for how, and docs/decisions/0009-graph.md for what it brought.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize

from loops.embeddings.computed_embedding import ComputedEmbedding, Rows, upright
from loops.graph.graph import SCALE_NEIGHBOR
from loops.graph.nearest import nearest

SIDE = 28  # pixels; all images are brought to this square, so that a step costs the same whatever the pool
POINT = 128  # dimensions
_WIDTH = 32  # channels of the first convolution
_TILE = 512  # images
_LOOKED_AT = 1_000  # points, for their spacing

Network = TypeVar("Network", bound=nn.Module)


class Encoder(nn.Module):
    """Four convolutions and a linear layer: from images `[B, C, 28, 28]`, 0..1, to `[B, 128]`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        network = nn.Sequential(
            *_layer(channels, _WIDTH, kernel=4, stride=2, padding=1),
            *_layer(_WIDTH, 2 * _WIDTH, kernel=3, stride=1, padding=1),
            nn.MaxPool2d(2),
            *_layer(2 * _WIDTH, 4 * _WIDTH, kernel=3, stride=1, padding=0),
            *_layer(4 * _WIDTH, 4 * _WIDTH, kernel=3, stride=1, padding=0),
            nn.Flatten(),
            nn.Linear(4 * _WIDTH * 9, POINT),
        )
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Encodes; in bfloat16 where the processor multiplies such numbers, which takes less than half the time."""
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=_has_bfloat16(images.device)):
            encoded: Tensor = self._network(images)
        return encoded.float()

    @property
    def in_32_bits(self) -> nn.Module:
        """The same without a doubt which processor it runs on; its last bits are others."""
        network: nn.Module = self._network.eval()
        return network


@dataclass(frozen=True)
class LearnedEmbedding:
    """A trained encoder, and beside its points those that it learned from.

    A rare class that the encoder has no room for is still told by its pixels; each of both is divided by how far
    apart neighbors lie in it, so that neither decides alone. See docs/decisions/0020-rare-classes.md.
    """

    computed: ComputedEmbedding  # whose neighbors it was trained on; images are prepared as there
    encoder: Encoder
    spacings: tuple[float, float]  # of computed and learned points, see `spacing`

    @property
    def name(self) -> str:
        """What the screen calls it."""
        return f"learned features and {self.computed.name}"

    def points(self, rows: Rows) -> NDArray[np.float32]:
        """Points of stored pixels: `[N, P + 128]`."""
        return self.beside(self.computed.points(rows), learned_points(self.encoder, self.computed.name, rows))

    def beside(self, computed_N_P: NDArray[np.float32], learned_N_P: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points in both, of points in each."""
        of_computed, of_learned = self.spacings
        both = np.concatenate([computed_N_P / of_computed, learned_N_P / of_learned], axis=1)
        return np.asarray(both, np.float32)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The weights, each under its name, and the computed embedding's."""
        weights = {f"encoder.{name}": w.cpu().numpy() for name, w in self.encoder.state_dict().items()}
        return {
            "prepared": np.array(self.computed.name),
            "spacings": np.array(self.spacings),
            **self.computed.arrays(),
            **weights,
        }

    @staticmethod
    def of_arrays(arrays: Mapping[str, NDArray[Any]]) -> LearnedEmbedding:
        """Makes again what `arrays` tells; an encoder of other colors than the store's is refused by its shapes."""
        weights = {k.removeprefix("encoder."): torch.from_numpy(w) for k, w in arrays.items() if "encoder." in k}
        encoder = undrawn(lambda: Encoder(next(iter(weights.values())).shape[1]))
        encoder.load_state_dict(weights)
        computed = ComputedEmbedding.of_arrays(str(arrays["prepared"]), arrays)
        of_computed, of_learned = arrays["spacings"].tolist()
        return LearnedEmbedding(computed, encoder, (of_computed, of_learned))


@torch.no_grad()
def learned_points(encoder: Encoder, prepared: str, rows: Rows) -> NDArray[np.float32]:
    """What the encoder makes of stored pixels, of length 1: `[N, 128]`.

    Args:
        encoder: Trained.
        prepared: Name of the computed embedding; see `prepare`.
        rows: Pixels, uint8 `[N, C, S, S]`.
    """
    device = next(encoder.eval().parameters()).device
    images = [prepare(prepared, rows[at : at + _TILE]) for at in range(0, max(1, len(rows)), _TILE)]
    return torch.cat([normalize(encoder((tile / 255).to(device)), dim=1).cpu() for tile in images]).numpy()


def spacing(points_N_D: NDArray[np.float32]) -> float:
    """How far a point's seventh neighbor is, in the median over some of them: the graph's own scale."""
    some = points_N_D[:: max(1, len(points_N_D) // _LOOKED_AT)]
    squares = nearest(some, points_N_D, 1 + SCALE_NEIGHBOR).squares_Q_k[:, -1]
    return max(float(np.sqrt(np.median(squares))), 1e-6)


def undrawn(make: Callable[[], Network]) -> Network:
    """Makes a network without drawing weights: PyTorch draws from the generator of all, on which a round may train."""
    with torch.device("meta"):
        network = make()
    empty: Network = network.to_empty(device="cpu")
    return empty


@torch.no_grad()
def prepare(prepared: str, rows: Rows) -> Tensor:
    """Stored pixels as the encoder wants them: uint8 `[N, C, 28, 28]`.

    Args:
        prepared: Name of the computed embedding; what is upright there is upright here.
        rows: Pixels, uint8 `[N, C, S, S]`.
    """
    return prepared_images(prepared, torch.from_numpy(np.asarray(rows))).byte()


def prepared_images(prepared: str, rows: Tensor) -> Tensor:
    """The same as floats, 0..255 without fractions, of pixels in a tensor."""
    images = rows.float() / 255
    if prepared == "upright pixels":
        images = upright(images)
    if images.shape[-1] != SIDE:
        images = interpolate(images, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    return (images * 255).round().clamp(0, 255)


def _layer(before: int, after: int, *, kernel: int, stride: int, padding: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, kernel, stride, padding, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU()]


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
