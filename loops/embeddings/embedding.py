"""From images to stored rows: squares of pixels, or features of frozen EfficientNet-Lite networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loops.embeddings.backbone import Backbone, Distort
from loops.embeddings.copies import distorted
from loops.embeddings.embedder import Embedder
from loops.embeddings.lite_networks import PooledFeatures
from loops.embeddings.processor import Features, on_processor
from loops.embeddings.squares import to_square
from loops.uncertainty.precision import half_precision

FITTED = ""  # `fit` keeps nothing
_LITE_SIDE = 224  # pixels


def fit(
    backbone: Backbone, folder: Path, pool: NDArray[np.int64], load: Callable[[int], Any], check: Callable[[], None]
) -> None:
    """Nothing: what the networks know, they bring along."""


def embedder(backbone: Backbone, folder: Path, device: torch.device) -> Embedder:  # noqa: ARG001 - nothing was fitted
    """Squares of pixels, or the network."""
    return PixelEmbedder(backbone.side) if backbone.is_pixels else EfficientNetEmbedder(device)


def distortion(backbone: Backbone) -> Distort | None:
    """Pixels are turned, scaled, sheared and shifted a little; features cannot be."""
    return distorted if backbone.is_pixels else None


class PixelEmbedder:
    """The images themselves: uint8 `[N, C, S, S]`, C = 1 if all of the batch are gray."""

    batch_size = 512

    def __init__(self, side: int) -> None:
        self._side = side

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The square."""
        return to_square(image, self._side)

    def embed(self, squares: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """Returns the pixels, channels first."""
        images = np.stack(squares).transpose(0, 3, 1, 2)
        gray = (images == images[:, :1]).all()
        return np.ascontiguousarray(images[:, :1] if gray else images)


class EfficientNetEmbedder:
    """Pooled features of the frozen EfficientNet-Lite networks, side by side: float32 `[N, 2560]`.

    Args:
        device: Where they run: on a processor by ONNX Runtime, in a third of the time that torch takes.
    """

    batch_size = 32

    def __init__(self, device: torch.device) -> None:
        self._features = on_processor() if device.type == "cpu" else on_device(device)

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A square of 224 pixels."""
        return to_square(image, _LITE_SIDE)

    def embed(self, squares: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Returns the pooled features of RGB squares of 224 pixels."""
        return self._features(np.ascontiguousarray(np.stack(squares).transpose(0, 3, 1, 2)))


def on_device(device: torch.device) -> Features:
    """Makes what embeds on a GPU, in bfloat16 where it has that."""
    network = PooledFeatures().to(device)

    @torch.inference_mode()
    def features(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with half_precision(device):
            found: NDArray[np.float32] = network(torch.from_numpy(images).to(device)).cpu().numpy()
        return found

    return features
