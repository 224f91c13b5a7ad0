"""How many labels reach a given accuracy, from none: the graph's questions against random ones and against margin.

    python benchmarks/bench_label_efficiency.py --mnist mnist.npz --photos hymenoptera --seeds 10
    python benchmarks/bench_label_efficiency.py --quick

Every label is counted, the first too; there are no validation labels. After each label the learner is refit, the pool
is ranked anew and the test set is predicted. "Labels to 95 %" is where accuracy is at least that *and stays there* up
to the budget. Nothing in the learner is random, so a seed draws another nine tenths of the pool. The test set is on
no graph and chooses nothing; samples of it are predicted by the pool's samples near them.

Peers get the same points (the embedding that was chosen without labels): `random` has the graph's answers and random
questions, `random + LR` and `margin + LR` are logistic regression, the latter asked as modAL's margin sampling asks.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from loops.embedding import embedder_of, to_square
from loops.features import EFFICIENTNET, backbone_of
from loops.graph import COORDINATES, NEIGHBORS, Graph, connect, smoothest
from loops.nearest import Nearest, nearest
from loops.points import choose_embedding
from loops.propagation import Propagation

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits"
SHARE = 0.9  # of the pool that a seed draws
SPARE = 2 * NEIGHBORS + 5  # neighbors looked for once; enough are left in nine tenths of the pool
SHOWN = (2, 4, 6, 8, 10, 12, 15, 20, 30, 40, 50)
ARMS = ("auto", "typical", "random", "random + LR", "margin + LR")

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LabeledSet:
    """Points of a pool and a test set with all their labels, and each one's nearest of the pool."""

    name: str
    points: Floats
    labels: Ids
    test_points: Floats
    test_labels: Ids
    goal: float  # accuracy to reach and keep
    within: Nearest  # of the pool in the pool
    of_test: Nearest  # of the test set in the pool
    budget: int
    graph: str  # sets of the same name here have the same pool, and other labels

    @property
    def classes(self) -> int:
        """C."""
        return int(self.labels.max()) + 1


@dataclass(frozen=True)
class Draw:
    """Nine tenths of a pool, on a graph of their own."""

    kept: Ids
    coordinates: Floats
    eigenvalues: Floats
    test_coordinates: Floats


_DRAWS: dict[tuple[str, int], Draw] = {}


def main() -> None:
    """Runs all sets, arms and seeds, and prints a table."""
    options = parse()
    results: dict[str, Any] = {}
    for name, load in sets(options).items():
        if name in options.only or not options.only:
            results[name] = run_set(load(), options.seeds)
            if options.json:
                options.json.write_text(json.dumps(results, indent=1))


def parse() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, help="x_train, y_train, x_test, y_test as an .npz file")
    parser.add_argument("--photos", type=Path, help="a folder with train/CLASS/*.jpg and val/CLASS/*.jpg")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--budget", type=int, default=50)
    parser.add_argument("--only", nargs="*", default=[], help="names of sets")
    parser.add_argument("--quick", action="store_true", help="2 seeds, the sample digits and 5,000 of MNIST")
    parser.add_argument("--json", type=Path, help="write all curves here")
    options = parser.parse_args()
    options.seeds = 2 if options.quick else options.seeds
    return options


def sets(options: argparse.Namespace) -> dict[str, Callable[[], LabeledSet]]:
    """The sets that the options give data for; each is made when its turn comes."""
    found: dict[str, Callable[[], LabeledSet]] = {"digits": lambda: sample_digits(options.budget)}
    if options.photos is not None:
        found["hymenoptera"] = lambda: photographs(options.photos, options.budget)
    return found | (mnist_sets(options) if options.mnist is not None else {})


def mnist_sets(options: argparse.Namespace) -> dict[str, Callable[[], LabeledSet]]:
    """MNIST as it is, with two other questions, unbalanced, and repeated."""
    with np.load(options.mnist) as data:
        x, y, tx, ty = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    y, ty = y.astype(np.int64), ty.astype(np.int64)
    if options.quick:
        x, y, tx, ty = x[:5000], y[:5000], tx[:2000], ty[:2000]
    rare = (y < 5) | (np.random.default_rng(0).random(len(y)) < 0.1)  # 5 to 9: a tenth

    @cache
    def plain() -> LabeledSet:
        return embedded("mnist", x[:, None], y, tx[:, None], ty, 0.95, options.budget)

    def asked(name: str, answer: Callable[[Ids], Ids]) -> LabeledSet:
        return LabeledSet(**{**vars(plain()), "name": name, "labels": answer(y), "test_labels": answer(ty)})

    return {
        "mnist": plain,
        "odd_even": lambda: asked("odd_even", lambda labels: labels % 2),
        "at_least_5": lambda: asked("at_least_5", lambda labels: (labels >= 5).astype(np.int64)),
        "unbalanced": lambda: embedded("unbalanced", x[rare, None], y[rare], tx[:, None], ty, 0.90, options.budget),
        "repeated": lambda: embedded("repeated", *repeated(x, y), tx[:, None], ty, 0.90, options.budget),
    }


def repeated(x: NDArray[np.uint8], y: Ids) -> tuple[NDArray[np.uint8], Ids]:
    """A third of the images, three times, with Gaussian noise of a tenth of the range (Kirsch et al. 2019)."""
    generator = np.random.default_rng(0)
    some = np.tile(generator.permutation(len(x))[: len(x) // 3], 3)
    noisy = x[some] + generator.normal(0, 25.5, (len(some), *x.shape[1:]))
    return noisy.clip(0, 255).astype(np.uint8)[:, None], y[some]


def sample_digits(budget: int) -> LabeledSet:
    """The digits that come with the package."""
    rows = list(csv.DictReader((DIGITS / "labels.csv").read_text().splitlines()))
    images = [Image.open(DIGITS / row["path"]).convert("L").resize((16, 16)) for row in rows]
    pixels, y = (
        np.stack([np.asarray(image) for image in images])[:, None],
        np.array([int(row["label"]) for row in rows]),
    )
    in_pool = np.array([row["path"].startswith("pool/") for row in rows])
    return embedded("digits", pixels[in_pool], y[in_pool], pixels[~in_pool], y[~in_pool], 0.95, budget)


def photographs(folder: Path, budget: int) -> LabeledSet:
    """Photographs through the frozen network; the goal is one point below logistic regression on all labels."""
    (x, y), (tx, ty) = features_of(folder / "train"), features_of(folder / "val")
    made = embedded("hymenoptera", x, y, tx, ty, 0.0, budget)
    full = accuracy_of_lr(made.points, made.labels, made)
    print(f"hymenoptera: logistic regression on all {len(y)} labels {full:.3f}")
    return LabeledSet(**{**vars(made), "goal": full - 0.01})


def features_of(folder: Path) -> tuple[Floats, Ids]:
    """Features and classes of the photographs of a folder with one folder per class."""
    backbone = backbone_of(EFFICIENTNET)
    embedder = embedder_of(backbone, "cpu")
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    paths = [(path, index) for index, of_class in enumerate(classes) for path in sorted(of_class.iterdir())]
    squares = [to_square(np.asarray(Image.open(path).convert("RGB")), backbone.side) for path, _ in paths]
    tiles = [embedder.embed(squares[at : at + 32]) for at in range(0, len(squares), 32)]
    return np.concatenate(tiles).astype(np.float32), np.array([index for _, index in paths])


def embedded(name: str, x: NDArray[Any], y: Ids, tx: NDArray[Any], ty: Ids, goal: float, budget: int) -> LabeledSet:
    """Chooses the embedding by the pool alone, and finds all neighbors once."""
    started = time.perf_counter()
    embedding = choose_embedding(x, 0)
    points, test_points = embedding.points(x), embedding.points(tx)
    within, of_test = nearest(points, points, SPARE), nearest(test_points, points, SPARE)
    took = time.perf_counter() - started
    print(f"\n{name}: pool {len(x)}, embedding {embedding.name} {embedding.found}, {took:.0f} s", flush=True)
    return LabeledSet(name, points, y, test_points, ty, goal, within, of_test, budget, graph=name)


def drawn(labeled: LabeledSet, seed: int) -> Draw:
    """Nine tenths of the pool on their graph, the test set hung on it."""
    n = len(labeled.points)
    kept = np.sort(np.random.default_rng(seed).permutation(n)[: int(SHARE * n)])
    place = np.full(n, -1)
    place[kept] = np.arange(len(kept))
    within = restricted(labeled.within, place, kept, NEIGHBORS + 1)
    eigenvalues, vectors = smoothest(connect(within), min(COORDINATES, len(kept) // 4), seed)
    of_test = restricted(labeled.of_test, place, np.arange(len(labeled.test_points)), NEIGHBORS)
    graph = Graph(labeled.points[kept], eigenvalues, vectors)
    return Draw(kept, vectors, eigenvalues, graph.mean_of(of_test))


def restricted(found: Nearest, place: Ids, queries: Ids, k: int) -> Nearest:
    """The nearest among those that have a place."""
    positions = place[found.positions_Q_k[queries]]
    order = np.argsort(positions < 0, axis=1, kind="stable")[:, :k]
    squares = np.take_along_axis(found.squares_Q_k[queries], order, axis=1)
    return Nearest(squares, np.maximum(np.take_along_axis(positions, order, axis=1), 0))


def run_set(labeled: LabeledSet, seeds: int) -> dict[str, list[list[float]]]:
    """All arms, all seeds; prints the set's part of the table."""
    curves: dict[str, list[list[float]]] = {arm: [] for arm in ARMS}
    for seed in range(seeds):
        key = (labeled.graph, seed)  # MNIST's three questions have the same graphs
        if key not in _DRAWS:
            _DRAWS[key] = drawn(labeled, seed)
        draw = _DRAWS[key]
        for arm in ARMS:
            curve = by_lr(labeled, draw, arm, seed) if arm.endswith("LR") else by_graph(labeled, draw, arm, seed)
            curves[arm].append(curve)
    for arm in ARMS:
        report(labeled, arm, np.array(curves[arm]), np.array(curves["random"]))
    return curves


def by_graph(labeled: LabeledSet, draw: Draw, arm: str, seed: int) -> list[float]:
    """Test accuracy after each label, propagated."""
    y, order = labeled.labels[draw.kept], np.random.default_rng(seed).permutation(len(draw.kept))
    learner = Propagation(
        draw.coordinates, draw.eigenvalues, num_classes=labeled.classes, adaptive=arm == "auto", seed=seed
    )
    labels: dict[int, int] = {}
    curve = []
    for step in range(min(labeled.budget, len(y))):
        row = int(order[step]) if arm == "random" else int(best(learner, labels))
        labels[row] = int(y[row])
        learner.refit(labels)
        curve.append(float((learner.probs_at(draw.test_coordinates).argmax(1) == labeled.test_labels).mean()))
    return curve


def best(learner: Propagation, labels: dict[int, int]) -> int:
    """What the graph asks next."""
    scores = learner.scores()
    scores[list(labels)] = -1.0
    return int(scores.argmax())


def by_lr(labeled: LabeledSet, draw: Draw, arm: str, seed: int) -> list[float]:
    """Test accuracy after each label, by logistic regression on the points; between the budgets shown as before."""
    points, y = labeled.points[draw.kept], labeled.labels[draw.kept]
    order = np.random.default_rng(seed).permutation(len(y))
    rows: list[int] = []
    curve: list[float] = []
    for step in range(min(labeled.budget, len(y))):
        rows.append(int(order[step]) if arm.startswith("random") or step == 0 else margin(points, y, rows))
        needed = step + 1 in SHOWN or not curve
        curve.append(accuracy_of_lr(points[rows], y[rows], labeled) if needed else curve[-1])
    return curve


def margin(points: Floats, y: Ids, rows: Sequence[int]) -> int:
    """The sample whose two likeliest classes are closest, of 5,000."""
    some = np.random.default_rng(len(rows)).permutation(len(y))[:5000]
    some = some[~np.isin(some, rows)]
    if len(set(y[rows].tolist())) < 2:
        return int(some[0])
    probs = np.sort(fitted(points[rows], y[rows]).predict_proba(points[some]), axis=1)
    return int(some[np.argmin(probs[:, -1] - probs[:, -2])])


def accuracy_of_lr(points: Floats, y: Ids, labeled: LabeledSet) -> float:
    """On the test set."""
    if len(set(y.tolist())) < 2:
        return float((labeled.test_labels == y[0]).mean())
    return float((fitted(points, y).predict(labeled.test_points) == labeled.test_labels).mean())


def fitted(points: Floats, y: Ids) -> LogisticRegression:
    """Logistic regression as scikit-learn has it by default, on points of unit spread."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=1.0 / float(points.var(0).sum()) * points.shape[1], max_iter=200).fit(points, y)


def report(labeled: LabeledSet, arm: str, curves: NDArray[np.float64], random: NDArray[np.float64]) -> None:
    """One arm's rows: median and worst accuracy, labels to the goal, and how often it was below random."""
    at = [n for n in SHOWN if n <= curves.shape[1]]
    needed = sorted(stays(curve, labeled.goal) for curve in curves)
    inf = labeled.budget + 1
    shown = [f">{labeled.budget}" if n == inf else str(n) for n in (needed[len(needed) // 2], needed[-1])]
    print(f"{labeled.name:>12} {arm:12} to {labeled.goal:.3f}: median {shown[0]}, worst {shown[1]}")
    print(" " * 14 + "median " + "  ".join(f"{n}:{np.median(curves[:, n - 1]):.3f}" for n in at))
    print(" " * 14 + "worst  " + "  ".join(f"{n}:{curves[:, n - 1].min():.3f}" for n in at))
    if arm in ("auto", "typical"):
        gain = curves - random
        below = [n + 1 for n in range(gain.shape[1]) if np.median(gain[:, n]) < 0]
        print(" " * 14 + f"paired with random: median gain below 0 at {below or 'no number of'} labels", flush=True)


def stays(curve: NDArray[np.float64], goal: float) -> int:
    """The labels from which a curve stays at the goal; one more than it has where it does not."""
    below = np.flatnonzero(np.asarray(curve) < goal)
    return int(below[-1]) + 2 if len(below) else 1


if __name__ == "__main__":
    main()
