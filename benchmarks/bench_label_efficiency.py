"""How many labels reach a given accuracy, from none: the graph's questions beside random ones and the peers'.

    python benchmarks/bench_label_efficiency.py --mnist mnist.npz --photos hymenoptera --json curves.json
    python benchmarks/bench_label_efficiency.py --json curves.json --table     prints what there is
    python benchmarks/bench_label_efficiency.py --quick

Every label is counted, the first too; there are no validation labels. "Labels to 95 %" is where accuracy is at least
that *and stays there* up to the budget. A seed draws nine tenths of the pool. The test set is on no graph and chooses
nothing. With `--json` every finished run is kept, and a repeated command goes on with what is missing.

auto, random         the product's graph learner: the graph's questions, or random ones, and its answers; every label
                     refits it and ranks the pool anew
TypiClust + graph    scikit-activeml's questions and the graph's answers
... + LR             peers on the points that the graph connects, see `point_peers.py`; every label refits
BaaL, batchbald_redux, random + network    a network trained anew every ten labels, see `network_peers.py`. Fewer seeds,
                     for they cost minutes each; up to `--network-budget` labels, and a run that held its goal for two
                     more rounds counts as staying there
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from label_efficiency_table import print_tables
from labeled_sets import Draw, LabeledSet, all_sets, drawn
from network_peers import NETWORK_ARMS, by_network
from point_peers import QUESTIONS, accuracy_of, asked_by, typiclust

from loops.graph_learner import GraphLearner
from loops.learner import Learner
from loops.points import choose_embedding

POINT_ARMS = ("auto", "random", "TypiClust + graph", *QUESTIONS, "TypiClust + LR", "random + LR")
ARMS = (*POINT_ARMS, *NETWORK_ARMS)

Curve = list[tuple[int, float]]  # labels, test accuracy


def main() -> None:
    """Runs what is missing, and prints the tables."""
    options = parse()
    torch.set_num_threads(1)
    results: dict[str, Any] = {}
    if options.json and options.json.exists():
        results = json.loads(options.json.read_text())
    if not options.table:
        run(options, results)
    print_tables(results, ARMS)


def parse() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, help="x_train, y_train, x_test, y_test as an .npz file")
    parser.add_argument("--photos", type=Path, help="a folder with train/CLASS/*.jpg and val/CLASS/*.jpg")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--network-seeds", type=int, default=3)
    parser.add_argument("--budget", type=int, default=50)
    parser.add_argument("--network-budget", type=int, default=150)
    parser.add_argument("--only", nargs="*", default=[], help="names of sets")
    parser.add_argument("--arms", nargs="*", default=list(ARMS), choices=ARMS)
    parser.add_argument("--quick", action="store_true", help="one seed, 20 labels, the sample digits, 5,000 of MNIST")
    parser.add_argument("--json", type=Path, help="keep all curves here, and go on from there")
    parser.add_argument("--table", action="store_true", help="run nothing")
    options = parser.parse_args()
    if options.quick:
        options.seeds = options.network_seeds = 1
        options.budget = options.network_budget = 20
    return options


def run(options: argparse.Namespace, results: dict[str, Any]) -> None:
    """All sets, seeds and arms that have no curve yet."""
    sets = all_sets(options.mnist, options.photos, quick=options.quick)
    wanted = (load() for name, load in sets.items() if name in options.only or not options.only)
    for _, group in groupby(wanted, lambda labeled: labeled.pool):
        of_pool = [with_goal(labeled) for labeled in group]
        for seed in range(max(options.seeds, options.network_seeds)):
            for labeled, arm, curve, seconds in missing_curves(of_pool, seed, options, results):
                of_set = results.setdefault(labeled.name, {"pool": len(labeled.rows), "goal": labeled.goal, "arms": {}})
                of_set["arms"].setdefault(arm, {})[str(seed)] = {"curve": curve, "cpu_s": seconds}
                if options.json:
                    options.json.write_text(json.dumps(results))


def with_goal(labeled: LabeledSet) -> LabeledSet:
    """Where none is given: one point below logistic regression on all labels of the pool."""
    if labeled.goal:
        return labeled
    embedding = choose_embedding(labeled.rows, 0)
    points, test_points = embedding.points(labeled.rows), embedding.points(labeled.test_rows)
    full = accuracy_of(points, labeled.labels, test_points, labeled.test_labels, points)
    print(f"{labeled.name}: logistic regression on all {len(points)} labels {full:.3f}")
    return replace(labeled, goal=full - 0.01)


def missing_curves(
    sets: list[LabeledSet], seed: int, options: argparse.Namespace, results: dict[str, Any]
) -> Iterator[tuple[LabeledSet, str, Curve, float]]:
    """Sets of one pool share the draw: its store, and the graph that is kept beside it."""
    todo = [
        (labeled, arm)
        for labeled in sets
        for arm in options.arms
        if str(seed) not in results.get(labeled.name, {}).get("arms", {}).get(arm, {})
        and seed < (options.network_seeds if arm in NETWORK_ARMS else options.seeds)
    ]
    if not todo:
        return
    with tempfile.TemporaryDirectory() as folder:
        field = Field(drawn(todo[0][0], seed, Path(folder)), seed)
        for labeled, arm in todo:
            started = time.process_time()
            if arm in NETWORK_ARMS:
                curve = by_network(labeled, field.draw, arm, seed, options.network_budget)
            else:
                curve = field.curve(labeled, arm, options.budget)
            seconds = time.process_time() - started
            print(f"{labeled.name} {arm} seed {seed}: {seconds:.0f} CPU-s, last {curve[-1]}", flush=True)
            yield labeled, arm, curve, seconds


class Field:
    """A draw with what its runs share: a graph learner per number of classes, the points, TypiClust's questions."""

    def __init__(self, draw: Draw, seed: int) -> None:
        self.draw, self.seed = draw, seed
        self._learners: dict[int, GraphLearner] = {}
        self._points: tuple[Any, Any] | None = None
        self._typical: list[int] = []

    def learner(self, labeled: LabeledSet) -> GraphLearner:
        """The product's, with the pool on its graph."""
        if labeled.classes not in self._learners:

            def make(_fold: int | None) -> Learner:
                classes = labeled.classes
                return Learner(labeled.spec, self.draw.store, num_classes=classes, seed=self.seed, accelerator="cpu")

            learner = GraphLearner(make, acquisition="auto", seed=self.seed)
            embedding = learner.graph({}, pool=self.draw.kept).embedding
            print(f"{labeled.pool} seed {self.seed}: {embedding.name} {embedding.found}", flush=True)
            self._learners[labeled.classes] = learner
        return self._learners[labeled.classes]

    def points(self, labeled: LabeledSet) -> tuple[Any, Any]:
        """Of pool and test set, in which the graph looked for neighbors."""
        if self._points is None:
            embedding = self.learner(labeled).graph({}).embedding
            rows = (self.draw.store.rows(ids) for ids in (self.draw.kept, self.draw.test))
            of_pool, of_test = (embedding.points(part) for part in rows)
            self._points = of_pool, of_test
        return self._points

    def curve(self, labeled: LabeledSet, arm: str, budget: int) -> Curve:
        """Accuracy after each label."""
        y = labeled.labels[self.draw.kept]
        next_question = self._questions(labeled, arm, y, budget)
        answered = self._by_lr if arm.endswith("LR") else self._by_graph
        asked: list[int] = []
        curve: Curve = []
        for _ in range(min(budget, len(y))):
            asked.append(next_question(asked))
            curve.append((len(asked), answered(labeled, y, asked)))
        return curve

    def _questions(self, labeled: LabeledSet, arm: str, y: Any, budget: int) -> Callable[[list[int]], int]:
        """Places in the draw, one after the other."""
        if arm == "auto":
            return lambda asked: self._best(labeled, y, asked)
        if arm in QUESTIONS:
            return lambda asked: asked_by(arm, self.points(labeled)[0], y, asked, self.seed)
        order = np.random.default_rng(self.seed).permutation(len(y)).tolist()
        if arm.startswith("TypiClust"):
            self._typical = self._typical or typiclust(self.points(labeled)[0], budget, self.seed)
            order = self._typical
        return lambda asked: order[len(asked)]

    def _labels(self, y: Any, asked: list[int]) -> dict[int, int]:
        return {int(self.draw.kept[place]): int(y[place]) for place in asked}

    def _best(self, labeled: LabeledSet, y: Any, asked: list[int]) -> int:
        """What the trainer would put in front."""
        graph = self.learner(labeled).graph(self._labels(y, asked))
        rest = np.delete(self.draw.kept, asked)
        return int(np.searchsorted(self.draw.kept, graph.rank(rest, 1)[0][0]))

    def _by_graph(self, labeled: LabeledSet, y: Any, asked: list[int]) -> float:
        graph = self.learner(labeled).graph(self._labels(y, asked))
        return float((graph.probs(self.draw.test).argmax(1) == labeled.test_labels).mean())

    def _by_lr(self, labeled: LabeledSet, y: Any, asked: list[int]) -> float:
        points, test_points = self.points(labeled)
        return accuracy_of(points[asked], y[asked], test_points, labeled.test_labels, points)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main()
