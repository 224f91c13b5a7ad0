"""Pools of a few hundred images: `auto` beside BALD and random questions, and its graph with and without copies.

    python benchmarks/bench_small_pools.py                     the digits of sample_data
    python benchmarks/bench_small_pools.py --mnist mnist.npz    MNIST

Each seed draws a pool of its own. First the graph alone, as the product builds it and without the distorted copies of
the pool's images (`loops/embeddings/copies.py`). Then `labelloop simulate` from no label, in which the network may take
over from the graph; BALD and random questions are answered by the network. Accuracy is on the test set, of which 2,000
are drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
from labeled_sets import LabeledSet, all_sets

from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_of_pool import GraphOfPool

ROOT = Path(__file__).parent.parent
AT = (10, 20, 30, 40, 50, 60)  # labels
TESTED = 2_000  # samples

Curve = dict[int, float]


@dataclass(frozen=True)
class Pool:
    """Some samples of a labeled set, and all or some that test it."""

    labeled: LabeledSet
    size: int
    seed: int

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """As `labelloop simulate --npz` takes them."""
        generator = np.random.default_rng([self.seed, self.size])
        drawn = np.sort(generator.permutation(len(self.labeled.rows))[: self.size])
        tested = np.sort(generator.permutation(len(self.labeled.test_rows))[:TESTED])
        return {
            "x_train": self.labeled.rows[drawn, 0],
            "y_train": self.labeled.labels[drawn],
            "x_test": self.labeled.test_rows[tested, 0],
            "y_test": self.labeled.test_labels[tested],
        }


def main() -> None:
    """Both tables, size by size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, help="x_train, y_train, x_test, y_test as an .npz file")
    parser.add_argument("--graph-sizes", type=int, nargs="*", default=[60, 200, 1_000, 5_000], help="samples")
    parser.add_argument("--sizes", type=int, nargs="*", default=[60, 200], help="samples, with the network")
    parser.add_argument("--arms", nargs="*", default=["auto", "bald", "random"])
    parser.add_argument("--graph-seeds", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="60 samples, one seed, two rounds")
    options = parser.parse_args()
    if options.quick:
        options.graph_sizes = options.sizes = [60]
        options.graph_seeds = options.seeds = 1
    budget = 20 if options.quick else AT[-1]
    labeled = all_sets(options.mnist, None, quick=False)["mnist" if options.mnist else "digits"]()
    sizes, graph_sizes = (
        [size for size in wanted if size <= len(labeled.rows)] for wanted in (options.sizes, options.graph_sizes)
    )
    for size in graph_sizes:
        pools = [Pool(labeled, size, seed) for seed in range(options.graph_seeds)]
        for copies in (0, 9):
            curves, cpu_s = zip(*(by_graph(pool, copies, budget) for pool in pools), strict=True)
            built = f"built in {statistics.median(cpu_s):.1f} CPU-s"
            report(f"{size} samples, graph with {'' if copies else 'no '}copies, {built}", list(curves))
    for size in sizes:
        pairs = [(Pool(labeled, size, seed), arm) for seed in range(options.seeds) for arm in options.arms]
        with ThreadPoolExecutor(options.processes) as threads:
            curves = list(threads.map(lambda pair: simulated(*pair, budget), pairs))
        of_arm = {arm: curves[place :: len(options.arms)] for place, arm in enumerate(options.arms)}
        for arm, its_curves in of_arm.items():
            report(f"{size} samples, {arm}", its_curves)
        if {"auto", "random"} <= of_arm.keys():
            runs = zip(of_arm["auto"], of_arm["random"], strict=True)
            gains = [{at: auto[at] - random[at] for at in auto} for auto, random in runs]
            report(f"{size} samples, auto minus random", gains)


def by_graph(pool: Pool, copies: int, budget: int) -> tuple[Curve, float]:
    """The graph's questions and answers, without network or learned features; and what it took to build, CPU-s."""
    arrays, backbone = pool.arrays, pool.labeled.spec.backbone
    ids, test_ids = np.arange(pool.size), pool.size + np.arange(len(arrays["x_test"]))
    curve: Curve = {}
    with tempfile.TemporaryDirectory() as folder, patch("loops.embeddings.copies.MOST", copies):
        store = FeatureStore(Path(folder), backbone)
        store.append(ids, arrays["x_train"][:, None])
        store.append(test_ids, arrays["x_test"][:, None])
        graph = GraphOfPool(store, num_classes=pool.labeled.classes, seed=pool.seed)
        started = time.process_time()
        graph.hold(ids)
        cpu_s = time.process_time() - started
        known: dict[int, int] = {}
        while len(known) < min(budget, pool.size):
            graph.refit(known)
            asked = int(graph.rank(np.setdiff1d(ids, list(known)), 1)[0][0])
            known[asked] = int(arrays["y_train"][asked])
            if len(known) in AT:
                graph.refit(known)
                curve[len(known)] = float((graph.probs(test_ids).argmax(1) == arrays["y_test"]).mean())
    return curve, cpu_s


def simulated(pool: Pool, arm: str, budget: int) -> Curve:
    """Accuracy of whoever answers, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "pool.npz", **pool.arrays)
        command = [
            *(sys.executable, "-W", "ignore", "-m", "app.command.main", "simulate", "--npz", f"{folder}/pool.npz"),
            *("--acquisition", arm, "--seed", str(pool.seed), "--budget", str(budget), "--out", f"{folder}/out"),
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    run = json.loads(done.stdout.splitlines()[-1])
    return {labels: accuracy for labels, accuracy in run["curve"] if labels in AT}


def report(name: str, curves: list[Curve]) -> None:
    """Median and worst of the seeds, in percent."""
    cells = []
    for at in curves[0]:
        values = [100 * curve[at] for curve in curves]
        cells.append(f"{at}: {statistics.median(values):.1f} ({min(values):.1f})")
    print(f"{name}, {len(curves)} seeds, median (worst): {', '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
