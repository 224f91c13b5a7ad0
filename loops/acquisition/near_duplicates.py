"""Samples that look nearly the same are not asked together: the second label would teach nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from loops.seeding import hash_of_ids

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
RowsOf = Callable[[Ids], NDArray[np.generic]]  # sample ids -> rows, [N, ...]

NEARLY_SAME = 0.15  # of the typical distance of two samples: copies with noise lie below, neighbors of a class above
_DIMENSIONS = 64  # of a sketch: distances keep to about a tenth
_PAIRS = 128  # whose median distance is the typical one
_TILE = 4_096  # rows read at once


def sketches_of(sample_ids: Ids, rows_of: RowsOf) -> Floats:
    """Rows in few dimensions, read tile by tile: `[N, 64]`, or as many as a row has.

    Distances and inner products keep to about a tenth of what they were (Johnson and Lindenstrauss 1984).
    """
    tiles = [_sketch(rows_of(sample_ids[at : at + _TILE])) for at in range(0, len(sample_ids), _TILE)]
    return np.concatenate(tiles) if tiles else np.empty((0, _DIMENSIONS), np.float32)


def _sketch(rows: NDArray[np.generic]) -> Floats:
    flat = rows.reshape(len(rows), -1).astype(np.float32)
    return flat if flat.shape[1] <= _DIMENSIONS else flat @ _projection(flat.shape[1])


@lru_cache(maxsize=4)
def _projection(dimensions: int) -> Floats:
    shape = (dimensions, _DIMENSIONS)
    return np.random.default_rng(0).normal(0, _DIMENSIONS**-0.5, shape).astype(np.float32)


class NearDuplicates:
    """Which samples look nearly the same, by the distance of their stored rows.

    Args:
        sample_ids: `[N]`, the pool.
        rows_of: Reads stored rows.
    """

    def __init__(self, sample_ids: Ids, rows_of: RowsOf) -> None:
        self._rows_of = rows_of
        some = sample_ids[np.argsort(hash_of_ids(sample_ids, 0))[: 2 * _PAIRS]]
        sketches = self.sketches(some)
        half = len(some) // 2
        squares = np.square(sketches[:half] - sketches[half : 2 * half]).sum(1)
        self._threshold = NEARLY_SAME**2 * float(np.median(squares)) if half else 0.0

    def sketches(self, sample_ids: Ids) -> Floats:
        """Sketches of stored rows."""
        return sketches_of(sample_ids, self._rows_of)

    def near(self, sketches_N: Floats, sketches_M: Floats) -> NDArray[np.bool_]:
        """`[N, M]`, true for pairs that look nearly the same."""
        squares = np.square(sketches_N).sum(1)[:, None] + np.square(sketches_M).sum(1) - 2 * sketches_N @ sketches_M.T
        # A sample is its own duplicate, whatever rounding says.
        rounding = 1e-5 * np.square(sketches_M).sum(1)
        near: NDArray[np.bool_] = squares <= self._threshold + rounding
        return near

    def first_near(self, sample_ids: Ids, others: Ids) -> Ids:
        """The place of the first of `others` that each sample looks like (or is), `[N]`; their number where none is."""
        sketches = self.sketches(others)
        first = []
        for start in range(0, len(sample_ids), _TILE):
            tile = sample_ids[start : start + _TILE]
            near = self.near(self.sketches(tile), sketches) | (tile[:, None] == others)
            first.append(np.where(near.any(1), near.argmax(1), len(others)))
        return np.concatenate(first) if first else np.empty(0, np.int64)

    def apart(self, ranked_ids: Ids, k: int) -> Ids:
        """The first `k` of a ranking of which none looks like one before it.

        Those passed over come last, in their order: when nothing else is left, they are asked after all.
        """
        kept: list[int] = []
        passed_over: list[int] = []
        kept_sketches = np.empty((0, _DIMENSIONS), np.float32)
        for start in range(0, len(ranked_ids), 4 * k):
            block = ranked_ids[start : start + 4 * k]
            sketches = self.sketches(block)
            if not kept:
                kept_sketches = sketches[:0]
            fresh = self._fresh(sketches, kept_sketches)[: k - len(kept)]
            last = len(block) if len(kept) + len(fresh) < k else fresh[-1] + 1
            passed_over += np.delete(block[:last], fresh).tolist()
            kept += block[fresh].tolist()
            kept_sketches = np.concatenate([kept_sketches, sketches[fresh]])
            if len(kept) == k:
                break
        return np.array([*kept, *passed_over][:k], np.int64)

    def _fresh(self, sketches_B: Floats, kept_sketches: Floats) -> list[int]:
        """Rows of a block that look like nothing kept, nor like one of the block that is kept before them."""
        is_near = self.near(sketches_B, kept_sketches).any(1)
        within = self.near(sketches_B, sketches_B)
        fresh = []
        for position in range(len(sketches_B)):
            if not is_near[position]:
                fresh.append(position)
                is_near |= within[:, position]
        return fresh
