"""What the frozen EfficientNet-Lite networks take an image for: their last layers, over features stored already.

Two photographs of one thing differ in their features by all that surrounds it, and are still given the same names. See
docs/decisions/0019-first-labels.md.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import linear

from loops.embeddings.lite_networks import last_layer

SURE = 0.5  # mean probability of the likeliest class from which names tell something: photographs .6, digits .1


@torch.inference_mode()
def named_classes(features_N_D: NDArray[np.float32]) -> NDArray[np.float32]:
    """Square roots of the probabilities of the networks' own 1,000 classes, rows of length 1: `[N, 1000]`.

    Roots, because then the product of two rows is how much their probabilities overlap (Bhattacharyya 1943).

    Args:
        features_N_D: Their pooled features, `[N, 2560]`.
    """
    weight, bias = last_layer()
    logits = linear(torch.from_numpy(np.asarray(features_N_D, np.float32)), weight, bias)
    roots: NDArray[np.float32] = logits.softmax(dim=1).sqrt().numpy()
    return roots


def tells_something(named_N_C: NDArray[np.float32]) -> bool:
    """Whether the networks recognize these images: they do not when they are unlike all they were trained on."""
    return bool(np.square(named_N_C).max(axis=1).mean() >= SURE)
