"""Does adversarial acquisition (VAAL) help? Test accuracy against labels, beside random, margin and the cold starts.

    python benchmarks/bench_vaal.py                                 the digits of sample_data
    python benchmarks/bench_vaal.py --pool FOLDER --test FOLDER     photographs: a folder per class, or CSVs path,label

All choose on the same cached features with equal budgets. Judged is a logistic regression on those features, fitted on
what was chosen so far; test labels judge and do nothing else. Seeds are 0, 1, 2, ... and none is left out. Acquisition
functions start from the same samples, drawn at random.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from app.formats.registry import open_source
from app.formats.source import Entry
from app.kinds.image import load_image
from loops.acquisition.cold_start import diverse
from loops.acquisition.functions import random_scores, rank
from loops.acquisition.vaal import vaal_cold_start, vaal_scores
from loops.embeddings.features import FeatureStore, embed
from loops.embeddings.images import candidates
from loops.predictors.network_spec import choose_network
from loops.seeding import seed_of

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits"


@dataclass(frozen=True)
class Task:
    """Features and labels of a pool, where ids are rows, and of a test set."""

    pool_N_D: NDArray[np.float32]
    labels_N: NDArray[np.int64]
    test_M_D: NDArray[np.float32]
    test_labels_M: NDArray[np.int64]

    @property
    def ids(self) -> NDArray[np.int64]:
        """Of the pool."""
        return np.arange(len(self.labels_N))

    def probe(self, chosen: NDArray[np.int64]) -> Pipeline | None:
        """A logistic regression on what was chosen; None while it is of one class."""
        labels = self.labels_N[chosen]
        if len(set(labels.tolist())) < 2:
            return None
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(self.pool_N_D[chosen], labels)

    def accuracy(self, chosen: NDArray[np.int64]) -> float:
        """Of the probe, on the test set; with one class, of always answering it."""
        probe = self.probe(chosen)
        if probe is None:
            return float((self.test_labels_M == self.labels_N[chosen[0]]).mean())
        return float(probe.score(self.test_M_D, self.test_labels_M))


Choose = Callable[[Task, int, int, int], NDArray[np.int64]]  # (task, budget, query_size, seed) -> ids as asked
Scores = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]  # (chosen, pool) -> scores of the pool


def main() -> None:
    """Prints a table of mean accuracy per way of choosing, then VAAL against random seed by seed."""
    options = parse()
    task = load(options)
    shapes = f"{len(task.ids)} samples x {task.pool_N_D.shape[1]} features, {len(task.test_labels_M)} test samples"
    print(f"pool of {shapes}, seeds 0..{options.seeds - 1}, queries of {options.query_size}\n")
    at = list(range(options.query_size, options.budget + 1, options.query_size))
    print(f"{'mean test accuracy at labels':32}" + "".join(f"{labels:>7}" for labels in at) + "   curve  CPU s")
    curves = {name: run(task, options, choose, at, name) for name, choose in STRATEGIES.items()}
    print()
    for name in list(STRATEGIES)[1:]:
        pairs = zip(curves[name], curves["random"], strict=True)
        points = ", ".join(f"{100 * (mine - theirs).mean():+.1f}" for mine, theirs in pairs)
        print(f"{name} minus random, points, mean of the curve, by seed: {points}")


def parse() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=Path, help="folder with a folder per class, or CSV path,label")
    parser.add_argument("--test", type=Path, help="the same")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=int, default=100, help="labels")
    parser.add_argument("--query-size", type=int, default=10)
    return parser.parse_args()


def run(task: Task, options: argparse.Namespace, choose: Choose, at: list[int], name: str) -> list[NDArray[np.float64]]:
    """One way of choosing, all seeds: prints its row and returns a curve per seed."""
    curves, seconds = [], []
    for seed in range(options.seeds):
        start = time.process_time()
        chosen = choose(task, options.budget, options.query_size, seed)
        seconds.append(time.process_time() - start)
        assert len(set(chosen.tolist())) == options.budget, "equal budgets"
        curves.append(np.array([task.accuracy(chosen[:labels]) for labels in at]))
    means = np.mean(curves, axis=0)
    print(f"{name:32}" + "".join(f"{mean:7.1%}" for mean in means), end="")
    print(f"{means.mean():8.1%}{statistics.median(seconds):7.1f}", flush=True)
    return curves


def at_random(task: Task, budget: int, _query_size: int, seed: int) -> NDArray[np.int64]:
    """The yardstick."""
    return rank(task.ids, random_scores(task.ids, seed=seed), budget, seed=seed)


def by_vaal(task: Task, budget: int, query_size: int, seed: int) -> NDArray[np.int64]:
    """The most unlabeled-looking, query by query, after a query at random."""
    first = at_random(task, query_size, query_size, seed)
    return query_by_query(task, first, budget, query_size, adversarial(task, seed))


def by_margin(task: Task, budget: int, query_size: int, seed: int) -> NDArray[np.int64]:
    """The least lead of the probe's first class over its second, after a query at random."""

    def scores(chosen: NDArray[np.int64], pool: NDArray[np.int64]) -> NDArray[np.float32]:
        probe = task.probe(chosen)
        if probe is None:
            return random_scores(pool, seed=seed)
        top = np.sort(probe.predict_proba(task.pool_N_D[pool]), axis=1)
        return (top[:, -2] - top[:, -1]).astype(np.float32)

    return query_by_query(task, at_random(task, query_size, query_size, seed), budget, query_size, scores)


def by_vaal_throughout(task: Task, budget: int, query_size: int, seed: int) -> NDArray[np.int64]:
    """The cold start's first query, then the acquisition function."""
    first = vaal_cold_start(task.ids, task.pool_N_D, query_size, seed)
    return query_by_query(task, first, budget, query_size, adversarial(task, seed))


def adversarial(task: Task, seed: int) -> Scores:
    """VAAL's scores."""
    return lambda chosen, pool: vaal_scores(task.pool_N_D[chosen], task.pool_N_D[pool], seed=seed_of(seed, len(chosen)))


def query_by_query(
    task: Task,
    chosen: NDArray[np.int64],
    budget: int,
    query_size: int,
    scores: Scores,
) -> NDArray[np.int64]:
    """Goes on to the budget, always with the highest scores."""
    while len(chosen) < budget:
        pool = np.setdiff1d(task.ids, chosen)
        wanted = min(query_size, budget - len(chosen))
        chosen = np.concatenate([chosen, rank(pool, scores(chosen, pool), wanted, seed=len(chosen))])
    return chosen


STRATEGIES: dict[str, Choose] = {
    "random": at_random,
    "acquisition vaal": by_vaal,
    "acquisition margin": by_margin,
    "cold start vaal": lambda task, budget, _query_size, seed: vaal_cold_start(task.ids, task.pool_N_D, budget, seed),
    "cold start diverse": lambda task, budget, _query_size, seed: diverse(task.ids, task.pool_N_D, budget, seed),
    "cold start + acquisition vaal": by_vaal_throughout,
}


def load(options: argparse.Namespace) -> Task:
    """Embeds pool and test set as the application would."""
    test = entries(options.test or DIGITS / "test.csv")
    tested = {entry.path for entry in test}
    pool = [entry for entry in entries(options.pool or DIGITS / "labels.csv") if entry.path not in tested]
    images = [load_image(entry.path) for entry in (*pool, *test)]
    classes = sorted({entry.class_name for entry in (*pool, *test)})
    labels = np.array([classes.index(entry.class_name) for entry in (*pool, *test)])
    rows = embedded(images)
    n = len(pool)
    return Task(rows[:n], labels[:n], rows[n:], labels[n:])


def entries(path: Path) -> list[Entry]:
    """The labeled images of a folder or CSV."""
    with tempfile.TemporaryDirectory() as uploads:
        return [entry for entry in open_source(path, uploads=Path(uploads)).entries if entry.class_name]


def embedded(images: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Cached features of the backbone that the application chooses for images of this size."""
    spec = choose_network("auto", candidates([(image.shape[1], image.shape[0]) for image in images[:20]]))

    def broken(sample_id: int, reason: str) -> None:
        raise SystemExit(f"image {sample_id} cannot be used: {reason}")

    with tempfile.TemporaryDirectory() as folder:
        store = FeatureStore(Path(folder), spec.backbone)
        ids = range(len(images))
        embed(
            store,
            ids,
            images.__getitem__,
            progress=lambda _done, _todo: None,
            on_broken=broken,
            should_stop=lambda: False,
        )
        return np.array(store.rows(ids), np.float32).reshape(len(images), -1)


if __name__ == "__main__":
    main()
