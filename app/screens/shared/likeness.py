"""Which samples look most alike, by the correlation of their stored features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loops.embeddings.stored_rows import Ids, StoredRows

_CHUNK = 1024  # rows compared at once; 5 MB of a photograph's features


def nearest(stored: StoredRows, sample_ids: Ids, among: Ids, *, count: int) -> tuple[Ids, NDArray[np.float32]]:
    """The most similar of other samples, by the correlation of their rows.

    Args:
        stored: all rows.
        sample_ids: ``[N]``, samples that have rows.
        among: ``[M]``, samples that have rows; a sample is never its own neighbor.
        count: how many.

    Returns:
        Ids and correlations, ``[N, count]`` or fewer columns, most similar first; a sample's own place has
        correlation -2 and comes last.
    """
    own = _directions(stored, sample_ids)
    similarity = np.empty((len(sample_ids), len(among)), np.float32)
    for start in range(0, len(among), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        similarity[:, chunk] = own @ _directions(stored, among[chunk]).T
    similarity[sample_ids[:, None] == among[None, :]] = -2.0
    best = np.argsort(-similarity, axis=1, kind="stable")[:, :count]
    return among[best], np.take_along_axis(similarity, best, axis=1)


def _directions(stored: StoredRows, sample_ids: Ids) -> NDArray[np.float32]:
    """The rows, centered and of length 1: their products are correlations. A row without contrast is all zero."""
    rows = np.asarray(stored.rows(sample_ids), np.float32).reshape(len(sample_ids), -1)
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-6))
