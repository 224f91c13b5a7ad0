"""Shadows of which predictor? Of the one that answers today: labels are to be compared, not predictors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from loops.embeddings.graph_of_pool import GraphOfPool
from loops.evaluation.shadow import ShadowPredictor
from loops.predictors.committee import Committee
from loops.predictors.graph_learner import GraphLearner
from loops.predictors.network import Network
from loops.predictors.predictor import Predictor
from loops.seeding import seed_of


class GraphShadow:
    """Labels spread over the graph of the pool, as the graph in force spreads its own.

    Args:
        graph: Knows no label of its own: each refit forgets those before.
    """

    def __init__(self, graph: GraphOfPool) -> None:
        self._graph = graph
        self._labels: dict[int, int] = {}

    def fit(self, labels: Mapping[int, int], *, round_number: int) -> None:  # noqa: ARG002 - nothing is drawn
        """Takes the labels; they are spread when something is asked."""
        self._labels = dict(labels)

    def predict(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """Class probabilities `probs_N_C`."""
        self._graph.refit(self._labels)
        return self._graph.probs(np.asarray(sample_ids, np.int64))


def kind_of(predictor: Predictor) -> str:
    """Which predictor answers: `graph`, `committee` or `network`."""
    if isinstance(predictor, GraphLearner):
        return "network" if predictor.in_force.network else "graph"
    return "committee" if isinstance(predictor, Committee) else "network"


def shadow_maker(
    predictor: Predictor, make: Callable[[int | None], Network], *, pool: ArrayLike, seed: int
) -> Callable[[int], ShadowPredictor]:
    """What makes the shadows of today's predictor.

    Args:
        predictor: Today's.
        make: Makes a network; of a fold.
        pool: Every sample of the pool, for a graph.
        seed: Of a committee's folds.
    """
    kind = kind_of(predictor)
    if kind == "graph":
        assert isinstance(predictor, GraphLearner)
        graph = predictor.graph({}, pool=pool)
        return lambda _fold: GraphShadow(graph)
    if kind == "committee":
        return lambda fold: Committee(make, seed=seed_of(seed, "shadow", fold))
    return make
