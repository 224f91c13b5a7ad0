"""Nearest neighbors, exactly: blocked products, no index to build and no parameter to tune."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

_PRODUCTS_HELD = 1 << 22  # distances held at once: 16 MB


@dataclass(frozen=True)
class Nearest:
    """The k nearest points of each query, nearest first."""

    squares_Q_k: NDArray[np.float32]  # squared Euclidean distances
    positions_Q_k: NDArray[np.int64]  # rows of the points


@torch.inference_mode()
def nearest(
    queries_Q_D: NDArray[np.float32],
    points_N_D: NDArray[np.float32],
    k: int,
    check: Callable[[], None] = lambda: None,
) -> Nearest:
    """Finds the nearest points of each query; a query that is itself a point finds itself.

    Args:
        queries_Q_D: `[Q, D]`.
        points_N_D: `[N, D]`.
        k: How many; more than N: all.
        check: Called every tenth of a second or so; may raise.
    """
    points = torch.from_numpy(np.ascontiguousarray(points_N_D))
    squares_N = points.square().sum(1)
    found = []
    for tile in torch.split(torch.from_numpy(np.ascontiguousarray(queries_Q_D)), max(1, _PRODUCTS_HELD // len(points))):
        check()
        relative = torch.addmm(squares_N, tile, points.T, alpha=-2.0)
        least, positions = relative.topk(min(k, len(points)), dim=1, largest=False)
        found.append(((least + tile.square().sum(1, keepdim=True)).clamp_min(0.0), positions))
    if not found:
        return Nearest(np.empty((0, k), np.float32), np.empty((0, k), np.int64))
    return Nearest(torch.cat([s for s, _ in found]).numpy(), torch.cat([p for _, p in found]).numpy())
