"""Seeds that follow from what they are for, so that a repeated step repeats its random numbers."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def seed_of(*parts: int | str) -> int:
    """Derives a seed from what it is for, e.g. `seed_of(project_seed, "fit", round_number)`.

    Returns:
        A number below 2**63, the same on every machine and in every process (Python's `hash` of a string is not).
    """
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def hash_of_ids(sample_ids: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """Hashes each sample id on its own (SplitMix64), whatever its position in the array.

    Args:
        sample_ids: `[N]`.
        seed: Another seed gives unrelated hashes.

    Returns:
        `[N]`, uniform over 64 bits.
    """
    with np.errstate(over="ignore"):
        x = np.asarray(sample_ids, np.int64).astype(np.uint64) + np.uint64(seed_of(seed, "ids"))
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed
