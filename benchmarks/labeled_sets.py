"""Labeled sets for benchmarks: pools and test sets as the product's feature store holds them, with all their labels."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.kinds.image import load_image
from loops.embeddings.embedders import embedder_of
from loops.embeddings.features import FeatureStore
from loops.embeddings.images import candidates
from loops.embeddings.kinds import backbone_of
from loops.embeddings.squares import to_square
from loops.predictors.network_spec import NetworkSpec, choose_network

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits"
SHARE = 0.9  # of the pool that a seed draws

Ids = NDArray[np.int64]
Rows = NDArray[Any]


@dataclass(frozen=True)
class LabeledSet:
    """Rows of a pool and a test set, as the store of this predictor has them, and all labels."""

    name: str
    spec: NetworkSpec
    rows: Rows
    labels: Ids
    test_rows: Rows
    test_labels: Ids
    goal: float  # accuracy to reach and keep; 0: one point below logistic regression on all labels
    pool: str  # sets of the same pool here have the same rows, and other labels

    @property
    def classes(self) -> int:
        """C."""
        return int(self.labels.max()) + 1


@dataclass(frozen=True)
class Draw:
    """Nine tenths of a pool in a feature store; the test set is in it too, under ids of its own."""

    store: FeatureStore
    kept: Ids  # sample ids: places in the whole pool
    test: Ids


def drawn(labeled: LabeledSet, seed: int, folder: Path) -> Draw:
    """Draws from the pool by the seed, and fills a store."""
    n = len(labeled.rows)
    kept = np.sort(np.random.default_rng(seed).permutation(n)[: int(SHARE * n)])
    test = n + np.arange(len(labeled.test_rows))
    store = FeatureStore(folder, labeled.spec.backbone)
    store.append(kept, labeled.rows[kept])
    store.append(test, labeled.test_rows)
    return Draw(store, kept, test)


Sets = dict[str, Callable[[], LabeledSet]]


def all_sets(mnist: Path | None, photos: Path | None, *, quick: bool) -> Sets:
    """The sets that there is data for; each is made when its turn comes."""
    found: Sets = {"digits": sample_digits}
    if photos is not None:
        found["hymenoptera"] = lambda: photographs(photos)
    return found | (mnist_sets(mnist, quick=quick) if mnist is not None else {})


def mnist_sets(path: Path, *, quick: bool) -> Sets:
    """MNIST as it is, with two other questions, unbalanced, and repeated."""
    with np.load(path) as data:
        x, y, tx, ty = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    if quick:
        x, y, tx, ty = x[:5000], y[:5000], tx[:2000], ty[:2000]
    y, ty = y.astype(np.int64), ty.astype(np.int64)
    rare = (y < 5) | (np.random.default_rng(0).random(len(y)) < 0.1)  # 5 to 9: a tenth
    spec = choose_network("cnn", candidates([(28, 28)]))

    @cache
    def plain() -> LabeledSet:
        return LabeledSet("mnist", spec, x[:, None], y, tx[:, None], ty, 0.95, "mnist")

    def asked(name: str, answer: Callable[[Ids], Ids]) -> LabeledSet:
        return replace(plain(), name=name, labels=answer(y), test_labels=answer(ty))

    def pooled(name: str, rows: Rows, labels: Ids) -> LabeledSet:
        return LabeledSet(name, spec, rows, labels, tx[:, None], ty, 0.90, name)

    return {
        "mnist": plain,
        "odd_even": lambda: asked("odd_even", lambda labels: labels % 2),
        "at_least_5": lambda: asked("at_least_5", lambda labels: (labels >= 5).astype(np.int64)),
        "unbalanced": lambda: pooled("unbalanced", x[rare, None], y[rare]),
        "repeated": lambda: pooled("repeated", *repeated(x, y)),
    }


def repeated(x: NDArray[np.uint8], y: Ids) -> tuple[NDArray[np.uint8], Ids]:
    """A third of the images, three times, with Gaussian noise of a tenth of the range (Kirsch et al. 2019)."""
    generator = np.random.default_rng(0)
    some = np.tile(generator.permutation(len(x))[: len(x) // 3], 3)
    noisy = x[some] + generator.normal(0, 25.5, (len(some), *x.shape[1:]))
    return noisy.clip(0, 255).astype(np.uint8)[:, None], y[some]


def sample_digits() -> LabeledSet:
    """The digits that come with the package."""
    with (DIGITS / "labels.csv").open() as file:
        listed = [(DIGITS / row["path"], int(row["label"])) for row in csv.DictReader(file)]
    in_pool = [path.is_relative_to(DIGITS / "pool") for path, _ in listed]
    pool = [pair for pair, is_pool in zip(listed, in_pool, strict=True) if is_pool]
    test = [pair for pair, is_pool in zip(listed, in_pool, strict=True) if not is_pool]
    return of_files("digits", pool, test, 0.95)


def photographs(folder: Path) -> LabeledSet:
    """`train` and `val`, with one folder per class."""
    classes = sorted(path.name for path in (folder / "train").iterdir() if path.is_dir())
    pool, test = (
        [(path, index) for index, name in enumerate(classes) for path in sorted((folder / part / name).iterdir())]
        for part in ("train", "val")
    )
    return of_files("hymenoptera", pool, test, 0.0)


def of_files(name: str, pool: Sequence[tuple[Path, int]], test: Sequence[tuple[Path, int]], goal: float) -> LabeledSet:
    """Image files through the predictor that the product chooses for their sizes."""
    spec = choose_network("auto", candidates([Image.open(path).size for path, _ in pool[:500]]))
    rows, test_rows = (embedded([path for path, _ in part], spec) for part in (pool, test))
    labels, test_labels = (np.array([label for _, label in part], np.int64) for part in (pool, test))
    return LabeledSet(name, spec, rows, labels, test_rows, test_labels, goal, name)


def embedded(paths: Sequence[Path], spec: NetworkSpec) -> Rows:
    """Rows as the store gets them."""
    backbone = backbone_of(spec.backbone)
    embedder = embedder_of(backbone, Path(), "cpu")
    squares = [to_square(load_image(path), backbone.side) for path in paths]
    return np.concatenate([embedder.embed(squares[at : at + 32]) for at in range(0, len(squares), 32)])
