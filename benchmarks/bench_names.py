"""What are the names of the classes worth before the first label, and do they ever stand in the way later?

    python benchmarks/bench_names.py             five draws of seven tenths of the sample digits
    python benchmarks/bench_names.py --quick

A small network of two towers: 64 fixed random features of the pixels, and for each class a row in the same space, the
mean of a few digits of it that nobody labels here. With twenty of them the names are read well, with one roughly; and
once the names of the classes are exchanged. Ten labels a round, asked by the champion with and without the names; the
second half of the test images judges. Accuracy in percent, median and worst.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits

from loops.active_learning import ActiveLearningLoop
from loops.embeddings.features import FeatureStore
from loops.embeddings.names import NameRows, unit
from loops.embeddings.own_source import own_backbone
from loops.oracle import KnownLabels
from loops.predictors.champion import Champion
from loops.predictors.graph import GraphPredictor
from loops.predictors.linear import LinearPredictor
from loops.settings import LoopSettings

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits"
WIDTH, SCALE, CLASSES = 64, 20.0, 10
AT = (0, 10, 20, 30, 50, 100)
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Towers:
    """Rows of images, their classes, and which of them are what."""

    rows: Floats
    classes: NDArray[np.int64]
    pool: NDArray[np.int64]
    captioned: NDArray[np.int64]  # the text tower learned from them
    judged: NDArray[np.int64]

    @classmethod
    def of(cls, seed: int) -> Towers:
        """A draw of the pool, and random features of its own."""
        generator = np.random.default_rng(seed)
        found = {split: read(split) for split in ("pool", "test")}
        pixels = np.concatenate([found["pool"][0], found["test"][0]])
        projected = (pixels - pixels.mean(0)) @ generator.standard_normal((pixels.shape[1], WIDTH)).astype(np.float32)
        size = len(found["pool"][0])
        test = size + generator.permutation(len(found["test"][0]))
        half = len(test) // 2
        drawn = np.sort(generator.permutation(size)[: int(0.7 * size)])
        classes = np.concatenate([found["pool"][1], found["test"][1]])
        return cls(np.maximum(projected, 0), classes, drawn, test[:half], test[half:])

    def names(self, images: int, *, exchanged: bool = False) -> NameRows:
        """What the text tower says of each class, after so many images of it."""
        middle = self.rows[self.captioned].mean(0)
        of_class = [self.captioned[self.classes[self.captioned] == one][:images] for one in range(CLASSES)]
        rows = unit(np.stack([self.rows[ids].mean(0) for ids in of_class]) - middle)
        return NameRows(np.roll(rows, 1, axis=0) if exchanged else rows, SCALE)

    def right_by(self, names: NameRows | None) -> float | None:
        """Percent of the judged images whose nearest name is right, without graph or labels: zero-shot."""
        if names is None:
            return None
        said = names.probs(self.rows[self.judged] - self.rows[self.captioned].mean(0)).argmax(axis=1)
        return float(100 * (said == self.classes[self.judged]).mean())


def read(split: str) -> tuple[Floats, NDArray[np.int64]]:
    """Pixels 0..1 and classes of a part of the sample digits."""
    with (DIGITS / "labels.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith(f"{split}/")]
    pixels = [np.asarray(Image.open(DIGITS / row["path"]).convert("L"), np.float32).reshape(-1) / 255 for row in rows]
    return np.stack(pixels), np.array([int(row["label"]) for row in rows], np.int64)


def curve(towers: Towers, names: NameRows | None, seed: int, budget: int) -> dict[int, float]:
    """Labels -> percent of the judged images that are answered rightly."""
    with tempfile.TemporaryDirectory() as place:
        np.save(Path(place) / "rows.npy", towers.rows)
        store = FeatureStore(Path(place) / "features", own_backbone(str(Path(place) / "rows.npy")))
        store.append(range(len(towers.rows)), towers.rows - towers.rows[towers.captioned].mean(0))
        named = {"num_classes": CLASSES, "seed": seed, "mc_iterations": 10}
        graph = GraphPredictor(store, **named, names=names)
        label_of = dict(enumerate(towers.classes.tolist()))
        people = KnownLabels({i: label_of[i] for i in towers.pool.tolist()}, query_size=10, test={
            i: label_of[i] for i in towers.judged.tolist()
        })  # fmt: skip
        settings = LoopSettings("auto", 10, labeling_budget=budget, seed=seed)
        champion = Champion(graph, [], [LinearPredictor(graph)])
        loop = ActiveLearningLoop(predictor=champion, oracle=people, settings=settings)
        loop.run()
    return {labels: 100 * accuracy for labels, accuracy in loop.curve}


def main() -> None:
    """Prints a line for each kind of names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one draw, 20 labels")
    options = parser.parse_args()
    seeds, budget = (1, 20) if options.quick else (options.seeds, AT[-1])
    at = [labels for labels in AT if labels <= budget]
    towers = [Towers.of(seed) for seed in range(seeds)]
    arms = {
        "no names": [None] * seeds,
        "read well": [one.names(20) for one in towers],
        "read roughly": [one.names(1) for one in towers],
        "exchanged": [one.names(20, exchanged=True) for one in towers],
    }
    print("| names | alone | " + " | ".join(map(str, at)) + " |\n|---|" + "---|" * (1 + len(at)))
    with threadpool_limits(1):
        for arm, names in arms.items():
            drawn = list(zip(towers, names, strict=True))
            alone = [one.right_by(known) for one, known in drawn]
            found = [curve(one, known, seed, budget) for seed, (one, known) in enumerate(drawn)]
            cells = [cell(alone), *(cell([one.get(labels) for one in found]) for labels in at)]
            print(f"| {arm} | {' | '.join(cells)} |", flush=True)


def cell(values: list[float | None]) -> str:
    """Median and worst; nothing where there is no model yet."""
    known = [value for value in values if value is not None]
    return f"{np.median(known):.1f} ({min(known):.1f})" if known else "-"


if __name__ == "__main__":
    main()
