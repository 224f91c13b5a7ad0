"""Rows of samples that are in no project, beside those of a store: whatever answers by sample id answers for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from loops.embeddings.backbone import Backbone
from loops.embeddings.features import FeatureStore

Ids = NDArray[np.int64]


class WithNewSamples(FeatureStore):
    """A store that also serves the rows it was lent last, under ids below 0; nothing of them is written.

    Args:
        folder: Of the store.
        backbone: What a row is.
    """

    def __init__(self, folder: Path, backbone: Backbone | str) -> None:
        super().__init__(folder, backbone)
        self._lent: NDArray[np.generic] = np.empty(0)
        self._last_id = 0

    def lend(self, rows: NDArray[np.generic]) -> Ids:
        """Takes rows in place of those before, and gives their ids: new ones, for predictors remember by id.

        Args:
            rows: `[N, *row_shape]`; colors become gray where the store is.
        """
        self._lent = as_channels(rows, self.row_shape)
        ids = self._last_id - 1 - np.arange(len(rows), dtype=np.int64)
        self._last_id -= len(rows)
        return ids

    def rows(self, sample_ids: ArrayLike) -> NDArray[np.generic]:
        """Rows of stored samples and of lent ones, in their order."""
        wanted = np.asarray(sample_ids, np.int64).reshape(-1)
        new = wanted < 0
        if not new.any():
            return super().rows(wanted)
        found = np.empty((len(wanted), *self._lent.shape[1:]), self._lent.dtype)
        first = self._last_id + len(self._lent) - 1  # the id of the first row that was lent
        found[new] = self._lent[first - wanted[new]]
        if not new.all():
            found[~new] = super().rows(wanted[~new])
        return found


def as_channels(rows: NDArray[np.generic], row_shape: tuple[int, ...]) -> NDArray[np.generic]:
    """Pixels in as many channels as those that a predictor learned from: repeated, or their mean."""
    if rows.ndim != 4 or rows.shape[1] == row_shape[0]:
        return rows
    if row_shape[0] == 1:
        gray: NDArray[np.generic] = np.rint(rows.astype(np.float32).mean(axis=1, keepdims=True)).astype(rows.dtype)
        return gray
    return np.repeat(rows, row_shape[0], axis=1)
