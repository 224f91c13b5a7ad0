"""What every embedder does, and the check of what somebody's own gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from loops.errors import OwnEmbeddingError

Rows = NDArray[np.float32]

LARGEST_NUMBER = 1e15  # of a row: sums of squares over a pool still fit into 32-bit floats


class Embedder(Protocol):
    """Turns samples of a kind into rows."""

    batch_size: int

    def prepare(self, sample: Any) -> Any:  # noqa: ANN401 - an image, a text, a row of numbers
        """What becomes of one sample before it goes into a batch; raises for what is none."""
        ...

    def embed(self, prepared: Sequence[Any]) -> NDArray[np.generic]:
        """Returns one row for each prepared sample, `[N, *row_shape]`."""
        ...


def checked_rows(found: NDArray[Any], count: int) -> Rows:
    """Refuses what is not one row of usable numbers per image; means over places are taken of feature maps.

    Raises:
        OwnEmbeddingError: If so.
    """
    if found.ndim == 4:
        found = found.mean(axis=(2, 3))
    if found.ndim != 2 or len(found) != count or found.dtype.kind not in "fiu" or found.shape[1] < 1:
        wanted = f"numbers [{count}, dimensions] for {count} images"
        raise OwnEmbeddingError(f"an embedding gives {wanted}; found {found.dtype} {list(found.shape)}")
    if not (np.abs(found) <= LARGEST_NUMBER).all():  # neither is NaN
        raise OwnEmbeddingError(f"the embedding gave numbers that are not finite, or beyond {LARGEST_NUMBER:.0e}")
    return np.asarray(found, np.float32)
