"""How many labels reach a given accuracy, from none: the graph's questions beside random ones and the peers'.

    python benchmarks/bench_label_efficiency.py --mnist mnist.npz --photos hymenoptera --json curves.json
    python benchmarks/bench_label_efficiency.py --json curves.json --table     prints what there is
    python benchmarks/bench_label_efficiency.py --quick

Every label is counted, the first too; there are no validation labels. "Labels to 95 %" is where accuracy is at least
that *and stays there* up to the budget. A seed draws nine tenths of the pool. The test set is on no graph and chooses
nothing. With `--json` every finished run is kept, and a repeated command goes on with what is missing.

auto                 the product: ten labels by the computed graph, then by the one that was chosen by structure, which
                     labels held out review at the end of each round of ten; every label refits it and ranks the pool
                     anew. Features are learned in time (where any are), the round's network has no part in it
computed, learned    one of the two graphs from the first label to the last
random               random questions, answers as `auto`'s
TypiClust + graph    scikit-activeml's questions, answers as `auto`'s
... + LR             peers on the points that the graph chosen by structure connects, see `point_peers.py`
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
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from drawn_graphs import WholePool
from label_efficiency_table import print_tables
from labeled_sets import Draw, LabeledSet, all_sets, drawn
from network_peers import NETWORK_ARMS, by_network
from point_peers import QUESTIONS, accuracy_of, asked_by, typiclust

from app.project.settings import ProjectSettings
from loops.embeddings.computed_embedding import choose_embedding
from loops.embeddings.graph_choice import COMPUTED_FIRST, GraphChoice, write_choice
from loops.predictors.graph import GraphPredictor

BY_ONE_GRAPH = {"computed": False, "learned": True}  # only where the product learns features
ARMS = (
    "auto",
    *BY_ONE_GRAPH,
    "random",
    "TypiClust + graph",
    *QUESTIONS,
    "TypiClust + LR",
    "random + LR",
    *NETWORK_ARMS,
)

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
    parser.add_argument("--cache", type=Path, help="keep embedded pools and their neighbors here")
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
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.cache or Path(temporary)
        for pool, group in groupby(wanted, lambda labeled: labeled.pool):
            runs = Runs([with_goal(labeled) for labeled in group], folder / pool, options, results)
            for seed in range(max(options.seeds, options.network_seeds)):
                runs.run(seed)


def with_goal(labeled: LabeledSet) -> LabeledSet:
    """Where none is given: one point below logistic regression on all labels of the pool."""
    if labeled.goal:
        return labeled
    embedding = choose_embedding(labeled.rows, 0, backbone=labeled.spec.backbone)
    points, test_points = embedding.points(labeled.rows), embedding.points(labeled.test_rows)
    full = accuracy_of(points, labeled.labels, test_points, labeled.test_labels, points)
    print(f"{labeled.name}: logistic regression on all {len(points)} labels {full:.3f}")
    return replace(labeled, goal=full - 0.01)


@dataclass
class Runs:
    """The sets of one pool, which share embedding, draws and graphs."""

    sets: list[LabeledSet]
    folder: Path
    options: argparse.Namespace
    results: dict[str, Any]

    @cached_property
    def whole(self) -> WholePool:
        """Embedded when the first run needs it."""
        whole = WholePool(self.sets[0], self.folder)
        print(f"{self.sets[0].pool}: {whole.sentence} {whole.learning_s:.0f} CPU-s of learning", flush=True)
        for found in whole.embeddings.values():
            share = found.of_one_class(self.sets[0].labels)
            print(f"  {found.stored.embedding.name}: {share:.2%} of the nearest are of a sample's class", flush=True)
        return whole

    def run(self, seed: int) -> None:
        """What is missing of this seed."""
        todo = [
            (labeled, arm) for labeled in self.sets for arm in self.options.arms if self._is_missing(labeled, arm, seed)
        ]
        if not todo:
            return
        if any(arm not in NETWORK_ARMS for _, arm in todo):
            _ = self.whole  # before the first run, which is not to pay for it
        with tempfile.TemporaryDirectory() as folder:
            field = Field(self, drawn(todo[0][0], seed, Path(folder)), seed)
            for labeled, arm in todo:
                started = time.process_time()
                curve = self._curve(field, labeled, arm)
                seconds = time.process_time() - started
                if curve:
                    print(f"{labeled.name} {arm} seed {seed}: {seconds:.0f} CPU-s, last {curve[-1]}", flush=True)
                    self._keep(labeled, arm, seed, {"curve": curve, "cpu_s": seconds})

    def _is_missing(self, labeled: LabeledSet, arm: str, seed: int) -> bool:
        has = self.results.get(labeled.name, {}).get("arms", {}).get(arm, {})
        return str(seed) not in has and seed < (
            self.options.network_seeds if arm in NETWORK_ARMS else self.options.seeds
        )

    def _curve(self, field: Field, labeled: LabeledSet, arm: str) -> Curve:
        if arm in NETWORK_ARMS:
            return by_network(labeled, field.draw, arm, field.seed, self.options.network_budget)
        if arm in BY_ONE_GRAPH and True not in self.whole.embeddings:
            return []
        return field.curve(labeled, arm, self.options.budget)

    def _keep(self, labeled: LabeledSet, arm: str, seed: int, run: dict[str, Any]) -> None:
        of_set = self.results.setdefault(labeled.name, {"pool": len(labeled.rows), "goal": labeled.goal, "arms": {}})
        of_set["arms"].setdefault(arm, {})[str(seed)] = run
        if self.options.json:
            self.options.json.write_text(json.dumps(self.results))


class Field:
    """A draw with what its runs share: the graphs and the choice between them, the points, TypiClust's questions."""

    def __init__(self, runs: Runs, draw: Draw, seed: int) -> None:
        self.draw, self.seed, self._runs = draw, seed, runs
        self._predictors: dict[tuple[int, bool], GraphPredictor] = {}
        self._typical: list[int] = []

    @cached_property
    def choice(self) -> GraphChoice:
        """By structure, of the graphs of this draw, which are on disk from now on."""
        return self._runs.whole.choice(self.draw, self.seed)

    @cached_property
    def points(self) -> tuple[Any, Any]:
        """Of pool and test set, in which the chosen graph looked for neighbors."""
        embedding = self._runs.whole.embeddings[self.choice.clearer].stored.embedding
        of_pool, of_test = (embedding.points(self.draw.store.rows(ids)) for ids in (self.draw.kept, self.draw.test))
        return of_pool, of_test

    def curve(self, labeled: LabeledSet, arm: str, budget: int) -> Curve:
        """Accuracy after each label."""
        y = labeled.labels[self.draw.kept]
        predictor = self._predictor(labeled, learned=BY_ONE_GRAPH.get(arm, False))
        next_question = self._questions(arm, y, budget)
        answered = self._by_lr if arm.endswith("LR") else self._by_graph
        asked: list[int] = []
        curve: Curve = []
        for _ in range(min(budget, len(y))):
            asked.append(next_question(predictor, asked))
            predictor = self._reviewed(predictor, labeled, arm, self._labels(y, asked))
            curve.append((len(asked), answered(predictor, labeled, y, asked)))
        return curve

    def _reviewed(
        self, predictor: GraphPredictor, labeled: LabeledSet, arm: str, labels: dict[int, int]
    ) -> GraphPredictor:
        """What the trainer does at the end of a round; after the first ten labels structure's choice takes over."""
        if arm in BY_ONE_GRAPH or arm.endswith("LR"):
            return predictor
        if len(labels) == COMPUTED_FIRST:
            return self._predictor(labeled, learned=self.choice.clearer)
        if len(labels) % ProjectSettings.query_size == 0:
            predictor.review(labels, pool=self.draw.kept, begins=True)
        return predictor

    def _predictor(self, labeled: LabeledSet, *, learned: bool) -> GraphPredictor:
        """The product's, with this graph in force; kept, for to hang a test set on a graph takes ten seconds."""
        write_choice(replace(self.choice, learned=learned), self.draw.store.folder, self.seed)
        key = labeled.classes, learned
        if key not in self._predictors:
            self._predictors[key] = self._runs.whole.predictor(labeled, self.draw, self.seed)
        self._predictors[key].refit({})
        self._predictors[key].review({}, pool=self.draw.kept, begins=True)
        built_for = self._predictors[key].graph().stored.built_for
        assert built_for == len(self.draw.kept), "it built a graph of its own"
        return self._predictors[key]

    def _questions(self, arm: str, y: Any, budget: int) -> Callable[[GraphPredictor, list[int]], int]:
        """Places in the draw, one after the other."""
        if arm == "auto" or arm in BY_ONE_GRAPH:
            return partial(self._best, y)
        if arm in QUESTIONS:
            return lambda _, asked: asked_by(arm, self.points[0], y, asked, self.seed)
        order = np.random.default_rng(self.seed).permutation(len(y)).tolist()
        if arm.startswith("TypiClust"):
            self._typical = self._typical or typiclust(self.points[0], budget, self.seed)
            order = self._typical
        return lambda _, asked: order[len(asked)]

    def _labels(self, y: Any, asked: list[int]) -> dict[int, int]:
        return {int(self.draw.kept[place]): int(y[place]) for place in asked}

    def _best(self, y: Any, predictor: GraphPredictor, asked: list[int]) -> int:
        """What the trainer would put in front."""
        predictor.refit(self._labels(y, asked))
        graph = predictor.graph()
        rest = np.delete(self.draw.kept, asked)
        return int(np.searchsorted(self.draw.kept, graph.rank(rest, 1)[0][0]))

    def _by_graph(self, predictor: GraphPredictor, labeled: LabeledSet, y: Any, asked: list[int]) -> float:
        predictor.refit(self._labels(y, asked))
        graph = predictor.graph()
        return float((graph.probs(self.draw.test).argmax(1) == labeled.test_labels).mean())

    def _by_lr(self, _: GraphPredictor, labeled: LabeledSet, y: Any, asked: list[int]) -> float:
        points, test_points = self.points
        return accuracy_of(points[asked], y[asked], test_points, labeled.test_labels, points)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main()
