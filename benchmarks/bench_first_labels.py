"""The first labels of a question cut across groups: paired gain over random, for every way to halve the ten digits.

    python benchmarks/bench_first_labels.py --mnist mnist.npz

Odd or even, at least five or not: two of the 126 ways to put five digits on each side. Labels say nothing then about
groups without one, and which groups are asked first is luck, for any rule. So the gain of `auto` over random questions
(same graph, same answers) is shown over all halves, and for these two. Accuracy is over the pool; no test data.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.embeddings.stored_graph import StoredGraph
from loops.graph.propagation import Propagation

SIDES = [(0, *rest) for rest in combinations(range(1, 10), 4)]  # digits on the first side; the side of 0, or all twice
NAMED = {(0, 2, 4, 6, 8): "odd/even", (0, 1, 2, 3, 4): "at least 5"}
BACKBONE = "pixels-28"

Ids = NDArray[np.int64]


def main() -> None:
    """Prints the mean gain after each label, over all halves and for the named ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, required=True, help="x_train, y_train as an .npz file")
    parser.add_argument("--labels", type=int, default=12)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--pools", type=int, default=3, help="draws of the images")
    options = parser.parse_args()
    with np.load(options.mnist) as data:
        images, digits = data["x_train"], data["y_train"].astype(np.int64)
    gains = []
    for seed in range(options.pools):
        kept = np.random.default_rng(seed).permutation(len(images))[: options.images]
        graph = graph_of(images[kept, None], seed)
        gains.append([gain(graph, digits[kept], side, options.labels, seed) for side in SIDES])
        report(np.array(gains))


def graph_of(rows: NDArray[np.uint8], seed: int) -> StoredGraph:
    """As the product builds it."""
    with tempfile.TemporaryDirectory() as folder:
        store = FeatureStore(Path(folder), BACKBONE)
        store.append(np.arange(len(rows)), rows)
        pool = GraphOfPool(store, num_classes=2, seed=seed)
        pool.hold(np.arange(len(rows)))
        return pool.stored


def gain(graph: StoredGraph, digits: Ids, side: tuple[int, ...], labels: int, seed: int) -> list[float]:
    """Accuracy of `auto` less that of random questions, after each label; random ones are drawn anew for each half."""
    truth = (~np.isin(digits, side)).astype(np.int64)
    order = np.random.default_rng([seed, *side]).permutation(len(truth))[:labels]
    auto, random = (curve(graph, truth, labels, drawn, seed) for drawn in (None, order))
    return (np.array(auto) - np.array(random)).tolist()


def curve(graph: StoredGraph, truth: Ids, labels: int, drawn: Ids | None, seed: int) -> list[float]:
    """Accuracy over the pool after each label; without drawn questions those of the predictor."""
    predictor = Propagation(graph.coordinates, graph.graph.eigenvalues_M, num_classes=2, seed=seed)
    known: dict[int, int] = {}
    accuracies = []
    for step in range(labels):
        rest = np.setdiff1d(np.arange(len(truth)), list(known))
        row = int(predictor.rank(rest, 1)[0][0] if drawn is None else drawn[step])
        known[row] = int(truth[row])
        predictor.refit(known)
        accuracies.append(float((predictor.probs().argmax(1) == truth).mean()))
    return accuracies


def report(gains: NDArray[np.float64]) -> None:
    """Rows: all halves, then the named ones; after each label the mean, in points, and its spread over halves."""
    per_half = gains.mean(axis=0)
    print(f"\n{len(gains)} pools, gain over random in points after 1, 2, ... labels")
    for name, values in (
        ("mean of 126 halves", per_half.mean(0)),
        ("standard error", per_half.std(0) / np.sqrt(len(per_half))),
        ("spread of halves", per_half.std(0)),
        *((name, per_half[SIDES.index(side)]) for side, name in NAMED.items()),
    ):
        print(f"{name:>20} " + " ".join(f"{100 * value:6.1f}" for value in values), flush=True)


if __name__ == "__main__":
    main()
