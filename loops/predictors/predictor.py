"""What a round asks of whatever learns: one predictor, or a committee of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from loops.checkpoint import SavedCheckpoint
from loops.oracle import PoolScores


class Predictor(Protocol):
    """The verbs of one round. Sample ids go in, arrays in their order come out; see `Network` and `Committee`."""

    def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None:
        """Fits on all labels, sample id -> class index."""
        ...

    def predict(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """Class probabilities `probs_N_C`."""
        ...

    def score(self, sample_ids: ArrayLike, *, round_number: int) -> PoolScores:
        """What the model does not know of each sample."""
        ...

    def draw(self, sample_ids: ArrayLike, *, round_number: int, mc_iterations: int) -> NDArray[np.float32]:
        """Answers of K members or masks, the same K for all samples: `probs_N_C_K`."""
        ...

    def penultimate(self, sample_ids: ArrayLike) -> tuple[NDArray[np.float32], nn.Sequential]:
        """What the last layer sees, `features_N_D`, and that layer with its dropout."""
        ...

    def embedding(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """`features_N_D`, which no label had a part in."""
        ...

    def save(self, path: Path, loop_state: dict[str, Any]) -> SavedCheckpoint:
        """Writes model and loop state into one file, atomically."""
        ...

    def load(self, path: Path, *, sha256: str, size: int) -> dict[str, Any]:
        """Loads what `save` wrote, and returns the loop state."""
        ...
