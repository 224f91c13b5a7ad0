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
    points, queries = (torch.from_numpy(np.ascontiguousarray(given)) for given in (points_N_D, queries_Q_D))
    squares_N = points.square().sum(1)
    k, rows = min(k, len(points)), max(1, _PRODUCTS_HELD // max(1, len(points)))
    squares_Q_k, positions_Q_k = torch.empty(len(queries), k), torch.empty(len(queries), k, dtype=torch.int64)
    # One buffer for all tiles: freed and asked for again between what is kept, tiles of 60,000 took 13 GB.
    products = torch.empty(min(rows, len(queries)), len(points))
    for start in range(0, len(queries), rows):
        check()
        tile = queries[start : start + rows]
        relative = torch.addmm(squares_N, tile, points.T, alpha=-2.0, out=products[: len(tile)])
        least, positions = relative.topk(k, dim=1, largest=False)
        squares_Q_k[start : start + rows] = (least + tile.square().sum(1, keepdim=True)).clamp_min(0.0)
        positions_Q_k[start : start + rows] = positions
    return Nearest(squares_Q_k.numpy(), positions_Q_k.numpy())
