"""EPIG: samples whose labels are expected to change the predictions that count."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from loops.acquisition.near_duplicates import Floats, Ids
from loops.seeding import hash_of_ids

TARGETS = 100  # samples whose predictions stand for all
_TILE_NUMBERS = 1 << 21  # numbers held at once: 8 MB


def epig(probs_N_C_K: Tensor, targets_M_C_K: Tensor) -> NDArray[np.float32]:
    """Mean mutual information of a sample's label and the label of a target sample, in nats.

    `E_m I(y; y_m)`, Bickford Smith et al. 2023, arXiv:2304.08151. At most BALD, and unlike BALD low for a strange
    sample that no prediction of interest depends on.

    Args:
        probs_N_C_K: Class probabilities.
        targets_M_C_K: Of the targets, with the same K draws.

    Returns:
        `scores_N`, at least 0 (rounding is cut off).
    """
    draws = targets_M_C_K.shape[2]
    targets_K_MC = targets_M_C_K.flatten(0, 1).T / draws
    entropy = float(_nats(targets_M_C_K.mean(-1)).sum(1).mean())
    rows = max(1, _TILE_NUMBERS // (probs_N_C_K.shape[1] * targets_K_MC.shape[1]))
    parts = []
    for tile in torch.split(probs_N_C_K, rows):
        joint_T_C_MC = tile @ targets_K_MC
        joint_T = _nats(joint_T_C_MC).sum((1, 2)) / len(targets_M_C_K)
        parts.append(_nats(tile.mean(-1)).sum(1) + entropy - joint_T)
    scores_N: NDArray[np.float32] = torch.cat(parts).clamp_min(0.0).numpy()
    return scores_N


def balanced_targets(sample_ids: Ids, probs_N_C: Floats, count: int, *, seed: int) -> Ids:
    """Draws targets such that each predicted class has equally many, as far as it has samples.

    Drawn uniformly, a rare class would have no target, and nothing would be asked for its sake.
    """
    order = np.argsort(hash_of_ids(sample_ids, seed))
    classes = probs_N_C[order].argmax(1)
    place_in_class = np.empty(len(order), np.int64)
    for class_index in np.unique(classes):
        of_class = classes == class_index
        place_in_class[of_class] = np.arange(of_class.sum())
    chosen: Ids = sample_ids[order[np.argsort(place_in_class, kind="stable")[:count]]]
    return chosen


def _nats(probs: Tensor) -> Tensor:
    return -probs * probs.clamp_min(1e-30).log()
