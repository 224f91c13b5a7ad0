"""What every embedder does, and the check of what somebody's own gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from loops.errors import OwnEmbeddingError

Rows = NDArray[np.float32]


class Embedder(Protocol):
    """Turns images into rows."""

    batch_size: int

    def prepare(self, image: NDArray[Any]) -> NDArray[Any]:
        """What becomes of one image before it goes into a batch; raises for what is none."""
        ...

    def embed(self, prepared: Sequence[NDArray[Any]]) -> NDArray[np.generic]:
        """Returns one row for each prepared image, `[N, *row_shape]`."""
        ...


def checked_rows(found: NDArray[Any], count: int) -> Rows:
    """Refuses what is not one row of finite numbers per image; means over places are taken of feature maps.

    Raises:
        OwnEmbeddingError: If so.
    """
    if found.ndim == 4:
        found = found.mean(axis=(2, 3))
    if found.ndim != 2 or len(found) != count or found.dtype.kind not in "fiu" or found.shape[1] < 1:
        wanted = f"numbers [{count}, dimensions] for {count} images"
        raise OwnEmbeddingError(f"an embedding gives {wanted}; found {found.dtype} {list(found.shape)}")
    if not np.isfinite(found).all():
        raise OwnEmbeddingError("the embedding gave numbers that are not finite")
    return np.asarray(found, np.float32)
