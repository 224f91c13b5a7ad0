"""Graphs of nine tenths of a pool, as the trainer would find them on disk: embeddings and neighbors are sought once.

The product embeds and connects a pool of 60,000 in a minute of a core, and learns features from it in three. Ten draws
of it would be an hour. So the whole pool is embedded (by the product, no label has a part in it), the 25 nearest of
each sample are found, and each draw connects those that it has, finds its own coordinates, and writes them where
`GraphOfPool` looks for its graphs. What follows, choice, questions and answers, is the product's code alone. A pool so
small that copies of images would stand on its graph is embedded and connected by the product too, draw by draw.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from labeled_sets import Draw, Ids, LabeledSet

from loops.embeddings.copies import copies_for
from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_choice import GraphChoice
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.embeddings.learned_graph import choice_by_structure, learn
from loops.embeddings.stored_graph import StoredGraph, path_of_graph
from loops.graph.graph import COORDINATES, NEIGHBORS, Graph, connect, smoothest
from loops.graph.nearest import Nearest, nearest
from loops.predictors.graph import GraphPredictor

SPARE = 2 * NEIGHBORS + 5  # neighbors looked for once; enough of them are in nine tenths of the pool


@dataclass(frozen=True)
class Found:
    """The whole pool in one embedding, and each sample's nearest."""

    stored: StoredGraph
    within: Nearest

    def of_one_class(self, labels: Ids) -> float:
        """How many of a sample's nearest are of its class, 0..1."""
        others = labels[self.within.positions_Q_k[:, 1 : NEIGHBORS + 1]]
        return float((others == labels[:, None]).mean())


class WholePool:
    """A pool with its computed embedding, and with learned features where the product learns some.

    Args:
        labeled: Any set of this pool; its labels are not looked at.
        folder: Keeps rows, graphs and neighbors; a broken-off run goes on there.
    """

    def __init__(self, labeled: LabeledSet, folder: Path) -> None:
        ids = np.arange(len(labeled.rows))
        store = FeatureStore(folder, labeled.spec.backbone)
        missing = store.missing(ids)
        if len(missing):
            store.append(missing, labeled.rows[missing])
        computed = GraphOfPool(store, num_classes=labeled.classes, learned=False)
        computed.hold(ids)
        self.embeddings = {False: found(computed.stored, folder / "neighbors.npz")}
        started = time.process_time()
        learn(store, ids, seed=0, progress=lambda *_: None, check=lambda: None)
        self.learning_s = time.process_time() - started  # little where the folder had it already
        in_force = GraphOfPool(store, num_classes=labeled.classes)
        self.sentence = in_force.sentence
        if in_force.choice.computed_doubt:  # there is a learned graph, in force or not
            learned = GraphOfPool(store, num_classes=labeled.classes, learned=True)
            self.embeddings[True] = found(learned.stored, folder / "neighbors-learned.npz")

    def choice(self, draw: Draw, seed: int) -> GraphChoice:
        """Writes the graphs of a draw, and chooses between them by structure."""
        graphs = {}
        for learned, whole in self.embeddings.items():
            by_product = copies_for(len(draw.kept)) and not learned
            graphs[learned] = built(draw, seed) if by_product else graph_of(whole, draw, seed)
            graphs[learned].write(path_of_graph(draw.store.folder, seed, learned=learned))
        return choice_by_structure(graphs[False], graphs[True], seed) if True in graphs else GraphChoice()

    def predictor(self, labeled: LabeledSet, draw: Draw, seed: int) -> GraphPredictor:
        """The product's, on the graph that the file beside the graphs names."""
        return GraphPredictor(draw.store, num_classes=labeled.classes, seed=seed)


def found(stored: StoredGraph, path: Path) -> Found:
    """All neighbors that any draw may need."""
    if not path.exists():
        points = stored.graph.points_L_D[: len(stored.landmarks)]  # without copies
        among = nearest(points, points, SPARE)
        np.savez(path, squares=among.squares_Q_k, positions=among.positions_Q_k)
    with np.load(path) as saved:
        return Found(stored, Nearest(saved["squares"], saved["positions"]))


def built(draw: Draw, seed: int) -> StoredGraph:
    """As the product does it."""
    product = GraphOfPool(draw.store, num_classes=2, seed=seed, learned=False)
    product.hold(draw.kept)
    return product.stored


def graph_of(whole: Found, draw: Draw, seed: int) -> StoredGraph:
    """The graph of the kept ones."""
    place = np.full(len(whole.stored.ids), -1)
    place[draw.kept] = np.arange(len(draw.kept))
    within = restricted(whole.within, place, draw.kept)
    eigenvalues, vectors = smoothest(connect(within), min(COORDINATES, len(draw.kept) // 4), seed)
    points, others = whole.stored.graph.points_L_D[draw.kept], within.positions_Q_k[:, 1:].astype(np.int32)
    graph = Graph(points, eigenvalues, vectors, others)
    kept, embedding = draw.kept, whole.stored.embedding
    return StoredGraph(kept, vectors, kept, len(kept), graph, embedding, draw.store.row_shape)


def restricted(among: Nearest, place: Ids, queries: Ids) -> Nearest:
    """The nearest among those that have a place."""
    positions = place[among.positions_Q_k[queries]]
    order = np.argsort(positions < 0, axis=1, kind="stable")[:, : NEIGHBORS + 1]
    squares = np.take_along_axis(among.squares_Q_k[queries], order, axis=1)
    return Nearest(squares, np.maximum(np.take_along_axis(positions, order, axis=1), 0))
