"""As the trainer does after a round: whether labels contradict the embedding in force, for a simulated annotator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.simulation.data import LabeledSamples
from loops.embeddings import embedding_choice
from loops.embeddings.embedders import fit
from loops.embeddings.embedding_choice import EmbeddingChoice
from loops.embeddings.features import FeatureStore
from loops.predictors.predictor import Predictor
from loops.predictors.rival import review_embedding


class EmbeddingContradictedError(Exception):
    """Labels speak for another embedding than the one in force; it ends a loop, which begins again in that one."""

    def __init__(self, store: FeatureStore) -> None:
        super().__init__(store.backbone.name)
        self.store = store


@dataclass
class EmbeddingReview:
    """Compares embeddings as labels come; see `loops.predictors.rival`.

    Args:
        samples: Where rows come from.
        stores: Of all embeddings that may be taken.
        seed: Of the samples that are looked at beside the labeled ones.
        choice: The one in force.
    """

    samples: LabeledSamples
    stores: tuple[FeatureStore, ...]
    seed: int
    choice: EmbeddingChoice

    def look(self, predictor: Predictor) -> None:
        """Compares where that is due.

        Raises:
            EmbeddingContradictedError: If another one is measurably better.
        """
        pool, before = np.array(sorted(self.samples.pool), np.int64), self.choice.chosen

        def fill(store: FeatureStore, sample_ids: NDArray[np.int64]) -> None:
            fit(store.backbone, store.folder, pool, self.samples.load)
            embedding_choice.fill(store, sample_ids, self.samples.load)

        self.choice = review_embedding(predictor, self.choice, self.stores, pool=pool, seed=self.seed, fill=fill)
        if self.choice.chosen != before:
            raise EmbeddingContradictedError(next(s for s in self.stores if s.backbone.name == self.choice.chosen))
