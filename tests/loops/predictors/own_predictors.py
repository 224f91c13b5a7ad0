"""What a person might give for a predictor: in place of a module of one's own."""

from __future__ import annotations

from typing import Any

from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from loops.embeddings.features import FeatureStore
from loops.predictors.graph import GraphPredictor

three_neighbors = KNeighborsClassifier(3)


def made_of_a_pipeline() -> Any:
    """A function that gives one."""
    return make_pipeline(StandardScaler(), LogisticRegression())


class Mine(GraphPredictor):
    """A predictor of one's own."""

    def __init__(self, store: FeatureStore, *, num_classes: int, seed: int, mc_iterations: int) -> None:
        super().__init__(store, num_classes=num_classes, seed=seed, mc_iterations=mc_iterations)
