"""Round 0 has no labels and no model: ask for typical samples of diverse clusters of the embedding."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from loops.seeding import hash_of_ids, seed_of

_DIMENSIONS = 32  # after PCA
_LANDMARKS = 10_000  # samples that clusters are fitted on; the cold start of a million must not take minutes
_NEIGHBORS = 20  # whose mean distance says how typical a sample is
_FIRST_CLUSTERS = 8


def diverse(
    sample_ids: NDArray[np.int64], features_N_D: NDArray[np.floating[Any]], k: int, seed: int
) -> NDArray[np.int64]:
    """Chooses typical samples of diverse clusters; every beginning of the sequence is a good choice of its length.

    The idea of TypiClust (Hacohen et al. 2022, arXiv:2202.02794), made sequential: clusters are doubled until `k` are
    chosen; at each number of clusters, those without a chosen sample give their most typical one, the largest first.
    Outliers, which nobody could learn much from, come last.

    Args:
        sample_ids: `[N]`.
        features_N_D: Their embedding.
        k: How many to choose; more than N: all.
        seed: Of the clusters.

    Returns:
        `[min(k, N)]` different ids.
    """
    ids = np.asarray(sample_ids, np.int64)
    k = min(k, len(ids))
    points = _reduced(features_N_D, seed)
    chosen: list[int] = []
    clusters = min(_FIRST_CLUSTERS, k)
    # With rows that repeat there may be fewer clusters than asked for: then the rest is drawn, below.
    while len(chosen) < k and clusters <= 4 * k:
        assigned = _clusters(points, clusters, seed_of(seed, clusters))
        chosen += _typical_of_uncovered(points, assigned, chosen)[: k - len(chosen)]
        clusters *= 2
    rest = np.setdiff1d(np.arange(len(ids)), chosen)
    drawn = rest[np.argsort(hash_of_ids(ids[rest], seed))][: k - len(chosen)]
    return ids[[*chosen, *drawn]]


def _reduced(features_N_D: NDArray[np.floating[Any]], seed: int) -> NDArray[np.float32]:
    features = np.asarray(features_N_D, np.float32)
    if min(features.shape) <= _DIMENSIONS:
        return features
    landmarks = _landmarks(len(features), seed)
    with np.errstate(invalid="ignore"):  # identical rows have no variance to share out
        pca = PCA(_DIMENSIONS, svd_solver="randomized", random_state=seed % 2**32).fit(features[landmarks])
    return np.asarray(pca.transform(features), np.float32)


def _landmarks(n: int, seed: int) -> NDArray[np.int64]:
    generator = np.random.default_rng(seed)
    return np.sort(generator.choice(n, size=min(n, _LANDMARKS), replace=False))


def _clusters(points: NDArray[np.float32], clusters: int, seed: int) -> NDArray[np.int64]:
    landmarks = points[_landmarks(len(points), seed)]
    # To five digits: equal rows may differ in the last bit after PCA, and k-means warns of more clusters than points.
    largest = float(np.abs(landmarks).max(initial=1e-12))
    distinct = len(np.unique((landmarks / largest).round(5), axis=0))
    kmeans = KMeans(min(clusters, distinct), n_init=3, max_iter=50, random_state=seed % 2**32)
    # One OpenMP thread: several add up in the order in which they finish, and the same seed may choose other samples.
    with threadpool_limits(1, user_api="openmp"):
        kmeans.fit(landmarks)
        return np.asarray(kmeans.predict(points), np.int64)


def _typical_of_uncovered(points: NDArray[np.float32], assigned: NDArray[np.int64], chosen: list[int]) -> list[int]:
    sizes = np.bincount(assigned)
    covered = set(assigned[chosen].tolist())
    largest_first = np.argsort(-sizes, kind="stable").tolist()
    return [
        _most_typical(points, np.flatnonzero(assigned == cluster))
        for cluster in largest_first
        if cluster not in covered and sizes[cluster] > 0
    ]


def _most_typical(points: NDArray[np.float32], members: NDArray[np.int64]) -> int:
    """The member with the smallest mean distance to its nearest neighbors, looked for among at most 1,000."""
    members = members[:: max(1, len(members) // 1000)]
    rows = points[members]
    squares = (rows**2).sum(1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * rows @ rows.T, 0))
    nearest = min(_NEIGHBORS, len(members) - 1)
    density = np.sort(distances, axis=1)[:, 1 : nearest + 1].mean(1) if nearest else np.zeros(1)
    return int(members[np.argmin(density)])
