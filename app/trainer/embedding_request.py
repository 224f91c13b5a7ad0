"""What is to be embedded, and how far it is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loops.embeddings.backbone import Backbone
from loops.embeddings.embedding_choice import in_embedding_order
from loops.embeddings.features import FeatureStore

STALLED_S = 120.0  # without progress: then the screens say so, for somebody's own embedding may never answer

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class EmbeddingRequest:
    """What is to be embedded, and how."""

    folder: Path  # of the feature store
    backbone: Backbone
    pool: Ids
    test: Ids
    first: int  # samples of the first release
    graphed: bool  # whether a graph of the pool is needed before it is released
    num_classes: int
    seed: int
    rivals: tuple[FeatureStore, ...] = ()  # of embeddings to compare first; this one's is the first of them

    def is_as(self, other: EmbeddingRequest | None) -> bool:
        """Whether nothing changed but that rivals were compared."""
        return (
            other is not None
            and (self.folder, self.backbone, self.graphed) == (other.folder, other.backbone, other.graphed)
            and np.array_equal(self.pool, other.pool)
            and np.array_equal(self.test, other.test)
        )

    @property
    def in_order(self) -> Ids:
        """All samples as they are embedded: at first of the pool alone, then of both, drawn by their ids."""
        pool = in_embedding_order(self.pool, self.seed)
        rest = np.concatenate([pool[self.first :], self.test])
        return np.concatenate([pool[: self.first], in_embedding_order(rest, self.seed)])


@dataclass(frozen=True)
class Progress:
    """How far the thread is, as the screens show it; another one is made whenever it gets further."""

    sentence: str = ""  # empty: nothing is to be done
    done: int = 0
    total: int = 0
    eta_s: float | None = None  # seconds
    may_hang: bool = False  # whether what it waits for may be somebody's own code
    made_at: float = field(default_factory=time.monotonic, compare=False)

    @property
    def counts(self) -> dict[str, Any]:
        """As the heartbeat has them; empty when nothing is to be done."""
        return {"done": self.done, "total": self.total, "eta_s": self.eta_s} if self.total else {}

    @property
    def stall(self) -> str:
        """A sentence where it has not got further for long; otherwise nothing."""
        minutes = (time.monotonic() - self.made_at) / 60
        if not self.may_hang or minutes * 60 < STALLED_S:
            return ""
        return (
            f"Nothing more has come of it for {minutes:.0f} minutes: an embedding of your own may hang. What was "
            "embedded is kept; stop 'labelloop run' and start it again to go on from there."
        )
