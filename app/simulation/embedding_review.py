"""As the trainer does after a round: whether labels contradict the embedding in force, for a simulated annotator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.simulation.data import LabeledSamples
from loops.embeddings.embedders import fit
from loops.embeddings.embedding_choice import LOOKED_AT, EmbeddingChoice, fill, in_embedding_order, reviewed
from loops.embeddings.features import FeatureStore
from loops.evaluation.comparison import is_due
from loops.predictors.predictor import Predictor
from loops.predictors.rival import FEWEST, compare_embedding


class EmbeddingContradictedError(Exception):
    """Labels speak for another embedding than the one in force; it ends a loop, which begins again in that one."""

    def __init__(self, store: FeatureStore) -> None:
        super().__init__(store.backbone.name)
        self.store = store


@dataclass
class EmbeddingReview:
    """Compares embeddings as labels come; see `app.trainer.embedding_review`.

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
        labels = {} if predictor.held_out is None else predictor.held_out.labels
        rivals = [store for store in self.stores if store.backbone.name != self.choice.chosen]
        if not rivals or not is_due(len(labels), compared_at=self.choice.reviewed_at, fewest=FEWEST):
            return
        pool = in_embedding_order(np.array(sorted(self.samples.pool), np.int64), self.seed)
        wanted = np.union1d(pool[:LOOKED_AT], np.fromiter(labels, np.int64))
        for rival in rivals:
            fit(rival.backbone, rival.folder, pool, self.samples.load)
            fill(rival, wanted, self.samples.load)
        found = {rival.backbone.name: compare_embedding(predictor, rival, labels) for rival in rivals}
        before = self.choice.chosen
        self.choice = reviewed(self.choice, before, found, labels=len(labels))
        if self.choice.chosen != before:
            raise EmbeddingContradictedError(next(s for s in rivals if s.backbone.name == self.choice.chosen))
