"""Nearest neighbors, exactly: blocked products, no index to build and no parameter to tune."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

_PRODUCTS_HELD = 1 << 22  # distances held at once: 16 MB
_STRIPES = 32  # into which a row of distances is cut


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
        least, positions = _least(relative, k)
        squares_Q_k[start : start + rows] = (least + tile.square().sum(1, keepdim=True)).clamp_min(0.0)
        positions_Q_k[start : start + rows] = positions
    return Nearest(squares_Q_k.numpy(), positions_Q_k.numpy())


def _least(numbers_Q_N: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The k least numbers of each row, ascending, and their columns.

    `topk` over 60,000 columns takes half as long as the product before it. The k least lie where one of the k least
    minima over stripes is: those are found by comparing whole stripes, and `topk` has a hundredth of the row left.
    """
    count = numbers_Q_N.shape[1]
    width = count // _STRIPES
    if width <= k:
        found = numbers_Q_N.topk(k, dim=1, largest=False)
        return found.values, found.indices
    minima_Q_W = numbers_Q_N[:, : _STRIPES * width].view(-1, _STRIPES, width).amin(1)
    places = minima_Q_W.topk(k, dim=1, largest=False).indices
    in_stripes = places[:, None, :] + width * torch.arange(_STRIPES)[:, None]
    rest = torch.arange(_STRIPES * width, count).expand(len(places), -1)
    columns = torch.cat([in_stripes.flatten(1), rest], dim=1)
    least, among = numbers_Q_N.gather(1, columns).topk(k, dim=1, largest=False)
    return least, columns.gather(1, among)
