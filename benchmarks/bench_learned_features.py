"""Features learned from the pool against computed ones: what they cost, and how many labels they save.

    python benchmarks/bench_learned_features.py --mnist mnist.npz --folder features --seeds 10

Learns from all 60,000 training images of MNIST, without a label; killed, it goes on where it was, as long as it is
given the same folder. Then counts labels from none, as `bench_label_efficiency.py` does: a seed draws nine tenths of
the pool and makes graphs of their own, the test set is on none. Three arms: the computed embedding all the time, the
learned one from the first label on, and the learned one taking over after the tenth, as when somebody begins to label
at once. Training and neighbors are counted in CPU-seconds, for the machine may be busy.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from loops.embeddings.features import FeatureStore
from loops.graph.graph import COORDINATES, NEIGHBORS, Graph, connect, smoothest
from loops.graph.graph_of_pool import GraphOfPool
from loops.graph.learned_graph import learn
from loops.graph.nearest import Nearest, nearest
from loops.graph.propagation import Propagation

SHARE = 0.9  # of the pool that a seed draws
SPARE = 2 * NEIGHBORS + 5  # neighbors looked for once; enough are left in nine tenths of the pool
SHOWN = (5, 8, 9, 10, 12, 15, 20, 25, 30, 40)
TAKES_OVER = 10  # labels, in the third arm

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Found:
    """Neighbors in one embedding."""

    points: Floats
    within: Nearest  # of the pool in the pool
    of_test: Nearest  # of the test set in the pool


@dataclass(frozen=True)
class Drawn:
    """Nine tenths of the pool on a graph, with the test set hung on it."""

    coordinates: Floats
    eigenvalues: Floats
    test_coordinates: Floats


def main() -> None:
    """Learns, then counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, required=True, help="x_train, y_train, x_test, y_test as an .npz file")
    parser.add_argument("--folder", type=Path, required=True, help="where features and graphs are kept")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--budget", type=int, default=40, help="labels")
    options = parser.parse_args()
    with np.load(options.mnist) as data:
        x, y, tx, ty = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    store = filled_store(options.folder, x, tx)
    found = {}
    for graph in learned_and_computed(store, np.arange(len(x))):
        found[graph.embedding.name] = timed("neighbors", partial(find, graph, store, len(x), len(tx)))
    for name, neighbors in found.items():
        of_class = y[neighbors.within.positions_Q_k[:, 1 : NEIGHBORS + 1]] == y[:, None]
        print(f"{name}: {of_class.mean():.2%} of a sample's {NEIGHBORS} nearest are of its class", flush=True)
    curves = {arm: [] for arm in ("computed", "learned", f"learned from label {TAKES_OVER}")}
    for seed in range(options.seeds):
        for arm, curve in run_seed(list(found.values()), y.astype(np.int64), ty.astype(np.int64), seed, options.budget):
            curves[arm].append(curve)
        report({arm: np.array(drawn) for arm, drawn in curves.items()}, options.budget)


def filled_store(folder: Path, x: NDArray[np.uint8], tx: NDArray[np.uint8]) -> FeatureStore:
    """Pool and test set as the trainer stores them; the test set's ids follow the pool's."""
    store = FeatureStore(folder, f"pixels-{x.shape[-1]}")
    images, ids = np.concatenate([x, tx])[:, None], np.arange(len(x) + len(tx))
    todo = store.missing(ids)
    if len(todo):
        store.append(todo, images[todo])
    return store


def learned_and_computed(store: FeatureStore, pool: Ids) -> tuple[GraphOfPool, GraphOfPool]:
    """Both graphs of the pool: computed, learned."""
    computed = GraphOfPool(store, num_classes=10, learned=False)
    timed("computed graph", lambda: computed.hold(pool))
    percent = [-1]

    def progress(done: int, total: int) -> None:
        if done // 10 != percent[0] // 10:
            print(f"  {done} of {total} %, {time.process_time():.0f} CPU-s", flush=True)
        percent[0] = done

    timed("learning", lambda: learn(store, pool, seed=0, progress=progress, check=lambda: None))
    learned = GraphOfPool(store, num_classes=10, learned=True)
    print(learned.sentence if learned.choice.learned else f"not chosen: {learned.choice}", flush=True)
    return computed, learned


def timed(what: str, work: Callable[[], Result]) -> Result:
    """Does it, and prints the CPU-seconds."""
    started, wall = time.process_time(), time.perf_counter()
    done = work()
    print(f"{what}: {time.process_time() - started:.0f} CPU-s, {time.perf_counter() - wall:.0f} s", flush=True)
    return done


def find(graph: GraphOfPool, store: FeatureStore, pool: int, test: int) -> Found:
    """All neighbors that any draw may need."""
    points = graph.stored.graph.points_L_D
    test_points = graph.embedding.points(store.rows(np.arange(pool, pool + test)))
    return Found(points, nearest(points, points, SPARE), nearest(test_points, points, SPARE))


def draw(found: Found, kept: Ids, seed: int) -> Drawn:
    """The graph of the kept ones."""
    place = np.full(len(found.points), -1)
    place[kept] = np.arange(len(kept))
    within = restricted(found.within, place, kept, NEIGHBORS + 1)
    eigenvalues, vectors = smoothest(connect(within), COORDINATES, seed)
    of_test = restricted(found.of_test, place, np.arange(len(found.of_test.positions_Q_k)), NEIGHBORS)
    return Drawn(vectors, eigenvalues, Graph(found.points[kept], eigenvalues, vectors).mean_of(of_test))


def restricted(found: Nearest, place: Ids, queries: Ids, k: int) -> Nearest:
    """The nearest among those that have a place."""
    positions = place[found.positions_Q_k[queries]]
    order = np.argsort(positions < 0, axis=1, kind="stable")[:, :k]
    squares = np.take_along_axis(found.squares_Q_k[queries], order, axis=1)
    return Nearest(squares, np.maximum(np.take_along_axis(positions, order, axis=1), 0))


def run_seed(found: list[Found], y: Ids, ty: Ids, seed: int, budget: int) -> list[tuple[str, list[float]]]:
    """Test accuracy after each label, of each arm."""
    kept = np.sort(np.random.default_rng(seed).permutation(len(y))[: int(SHARE * len(y))])
    computed, learned = (draw(neighbors, kept, seed) for neighbors in found)
    return [
        ("computed", count(computed, computed, y[kept], ty, seed, budget)),
        ("learned", count(learned, learned, y[kept], ty, seed, budget)),
        (f"learned from label {TAKES_OVER}", count(computed, learned, y[kept], ty, seed, budget)),
    ]


def count(first: Drawn, then: Drawn, y: Ids, ty: Ids, seed: int, budget: int) -> list[float]:
    """Asks by one graph, and after `TAKES_OVER` labels by the other, which takes all labels over."""
    labels: dict[int, int] = {}
    curve = []
    learner, drawn = propagation(first, seed), first
    for _ in range(budget):
        scores = learner.scores()
        scores[list(labels)] = -1.0
        row = int(scores.argmax())
        labels[row] = int(y[row])
        if len(labels) == TAKES_OVER and then is not first:
            learner, drawn = propagation(then, seed), then
        learner.refit(labels)
        curve.append(float((learner.probs_at(drawn.test_coordinates).argmax(1) == ty).mean()))
    return curve


def propagation(drawn: Drawn, seed: int) -> Propagation:
    """As `auto` asks."""
    return Propagation(drawn.coordinates, drawn.eigenvalues, num_classes=10, seed=seed)


def report(curves: dict[str, NDArray[np.float64]], budget: int) -> None:
    """Median and worst accuracy at some numbers of labels, and labels to 95 and 97 %, there to stay."""
    for arm, drawn in curves.items():
        at = [n for n in SHOWN if n <= budget]
        print(f"{arm}, {len(drawn)} draws: " + ", ".join(goal_words(drawn, goal) for goal in (0.95, 0.97)))
        print("    median " + "  ".join(f"{n}:{np.median(drawn[:, n - 1]):.3f}" for n in at))
        print("    worst  " + "  ".join(f"{n}:{drawn[:, n - 1].min():.3f}" for n in at), flush=True)


def goal_words(drawn: NDArray[np.float64], goal: float) -> str:
    """Labels from which accuracy is at the goal and stays there, of the draws' median and worst."""
    below = [np.flatnonzero(curve < goal) for curve in drawn]
    needed = sorted(int(places[-1]) + 2 if len(places) else 1 for places in below)
    most = drawn.shape[1]
    words = [f">{most}" if n > most else str(n) for n in (needed[len(needed) // 2], needed[-1])]
    return f"to {goal:.0%}: median {words[0]}, worst {words[1]}"


if __name__ == "__main__":
    main()
