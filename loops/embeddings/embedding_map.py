"""An embedding of hundreds of dimensions, laid flat for the eye.

`python -m loops.embeddings.embedding_map FEATURES.npy POINTS.npy` does it in a process of its own.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

_PCA_DIMENSIONS = 50
_FEWEST = 10  # samples; t-SNE of fewer shows nothing that two of its dimensions do not


def draw_map(features_N_D: NDArray[np.float32], *, seed: int = 0) -> NDArray[np.float32]:
    """Lays samples out so that neighbors in the embedding are neighbors on the map: t-SNE over PCA.

    van der Maaten and Hinton 2008. Distances between far clusters mean nothing.

    Args:
        features_N_D: One row per sample.
        seed: Of t-SNE.

    Returns:
        `[N, 2]`, without unit.
    """
    n, dimensions = features_N_D.shape
    # Rows that are all the same have no directions to draw: t-SNE of them divides by zero and ends the process.
    if n < _FEWEST or dimensions < 2 or not np.ptp(features_N_D, axis=0).any():
        padded = np.zeros((n, 2), np.float32)
        padded[:, : min(2, dimensions)] = features_N_D[:, :2]
        return padded
    flat_N_P = PCA(min(_PCA_DIMENSIONS, n, dimensions), random_state=seed).fit_transform(features_N_D)
    tsne = TSNE(2, perplexity=min(30.0, (n - 1) / 3), init="pca", random_state=seed)
    # One OpenMP thread: on busy cores several spend minutes waiting for each other at the barriers of t-SNE's steps.
    with threadpool_limits(1, user_api="openmp"):
        return np.asarray(tsne.fit_transform(flat_N_P), np.float32)


if __name__ == "__main__":
    np.save(sys.argv[2], draw_map(np.load(sys.argv[1])))
