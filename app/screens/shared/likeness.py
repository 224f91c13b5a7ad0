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


def most_like(stored: StoredRows, sample_id: int, among: Ids, *, count: int) -> Ids:
    """The samples that are most like one, it itself among them if it is in ``among``, the most similar first.

    Raises:
        FeatureStoreError: When there are no rows of them.
    """
    own = _directions(stored, np.array([sample_id], np.int64))[0]
    chunks = [among[start : start + _CHUNK] for start in range(0, len(among), _CHUNK)]
    alike = np.concatenate([_directions(stored, chunk) @ own for chunk in chunks]) if chunks else np.empty(0)
    closest: Ids = among[np.argsort(-alike, kind="stable")[:count]]
    return closest


def not_like(stored: StoredRows, sample_ids: Ids, *, right: Ids, wrong: Ids) -> Ids:
    """Those of some samples whose most similar judged one is right; where nothing is known of a sample, it stays.

    Args:
        stored: all rows.
        sample_ids: ``[N]``.
        right: judged right.
        wrong: judged wrong.
    """
    judged = np.concatenate([right, wrong])
    judged = judged[~np.isin(judged, stored.missing(judged))]
    unknown = stored.missing(sample_ids)
    known = sample_ids[~np.isin(sample_ids, unknown)]
    if not np.isin(judged, wrong).any():
        return sample_ids
    chunks = [known[start : start + _CHUNK] for start in range(0, len(known), _CHUNK)]
    closest = [nearest(stored, chunk, judged, count=1)[0][:, 0] for chunk in chunks]
    gone = known[np.isin(np.concatenate(closest), wrong)] if closest else known
    return sample_ids[~np.isin(sample_ids, gone)]


def _directions(stored: StoredRows, sample_ids: Ids) -> NDArray[np.float32]:
    """The rows, centered and of length 1: their products are correlations. A row without contrast is all zero."""
    rows = np.asarray(stored.rows(sample_ids), np.float32).reshape(len(sample_ids), -1)
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-6))
