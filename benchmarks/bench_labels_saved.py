"""Does the estimate of labels saved against random hold? Its band beside the truth, on data whose labels are all known.

    python benchmarks/bench_labels_saved.py                   the digits of sample_data
    python benchmarks/bench_labels_saved.py --npz mnist.npz   10,000 of MNIST, Keras' file format

Logistic regression on 40 principal components chooses by margin, 20 labels at a time, from 20 random ones; every tenth
label given is an audit label. The truth is how many random labels the same predictor needs for the same test accuracy,
mean of four seeds; the estimate knows audit labels only. Seeds are 0, 1, 2, ... and none is left out.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from loops.evaluation.labels_saved import LabelsSaved, labels_saved
from loops.evaluation.shadow import Shadows

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits"
MARKS = (180, 360, 720)  # chosen labels at which it is asked
PER_AUDIT = 9  # chosen labels for each audit label
STEP = 20  # labels of a round


@dataclass(frozen=True)
class Data:
    """Rows and classes of a pool, where ids are rows, and of a test set."""

    pool_N_D: NDArray[np.float64]
    classes_N: NDArray[np.int64]
    test_M_D: NDArray[np.float64]
    test_classes_M: NDArray[np.int64]


class Logistic:
    """The predictor."""

    def __init__(self, data: Data) -> None:
        self._data = data

    def fit(self, labels: Mapping[int, int], *, round_number: int = 0) -> None:  # noqa: ARG002 - convex: no seed
        """Fits on all labels."""
        self.model = LogisticRegression(max_iter=100, tol=1e-3)
        self.model.fit(self._data.pool_N_D[list(labels)], list(labels.values()))

    def predict(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """Class probabilities."""
        rows = self._data.pool_N_D[np.asarray(sample_ids)]
        probs = np.zeros((len(rows), int(self._data.classes_N.max()) + 1), np.float32)
        probs[:, self.model.classes_] = self.model.predict_proba(rows)
        return probs

    def accuracy(self) -> float:
        """On the test set."""
        return float(np.mean(self.model.predict(self._data.test_M_D) == self._data.test_classes_M))


def main() -> None:
    """Prints one line per seed and number of labels, and how often the band held the truth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--npz", type=Path, help="x_train, y_train, x_test, y_test")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one seed, up to 180 labels")
    options = parser.parse_args()
    data = load(options.npz)
    curve = random_curve(data)
    print(
        "| seed | chosen | audit | test accuracy | random needs | estimate | 95 % band | holds |\n" + "|---" * 8 + "|"
    )
    held = []
    for seed in range(1 if options.quick else options.seeds):
        for found, accuracy in one_seed(data, seed, MARKS[:1] if options.quick else MARKS):
            truth = labels_needed(curve, accuracy)
            held.append(found.low <= truth <= (found.high or np.inf))
            band = f"{found.low:.0f} to {'more' if found.high is None else format(found.high, '.0f')}"
            needs = "more" if np.isinf(truth) else f"{truth:.0f}"
            cells = [seed, found.labels, found.audited, f"{accuracy:.3f}", needs, f"{found.wanted:.0f}", band, held[-1]]
            print(f"| {' | '.join(map(str, cells))} |", flush=True)
    print(f"\nThe band held the truth in {sum(held)} of {len(held)} cases.")


def load(npz: Path | None) -> Data:
    """The sample digits, or a part of an NPZ file."""
    if npz is None:
        pool, test = (read_digits(split) for split in ("pool", "test"))
        return project(*pool, *test)
    with np.load(npz) as file:
        generator = np.random.default_rng(0)
        chosen = generator.permutation(len(file["x_train"]))[:10_000]
        judged = generator.permutation(len(file["x_test"]))[:3_000]
        parts = file["x_train"][chosen], file["y_train"][chosen], file["x_test"][judged], file["y_test"][judged]
    return project(*parts)


def read_digits(split: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images and classes."""
    with (DIGITS / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith(f"{split}/")]
    images = np.stack([np.asarray(Image.open(DIGITS / row["path"]).convert("L").resize((16, 16))) for row in rows])
    return images, np.array([int(row["label"]) for row in rows])


def project(pool: NDArray, classes: NDArray, test: NDArray, test_classes: NDArray) -> Data:
    """Pixels to 40 principal components of the pool."""
    flat, test_flat = (images.reshape(len(images), -1) / 255.0 for images in (pool, test))
    components = PCA(40, random_state=0).fit(flat)
    return Data(
        components.transform(flat), classes.astype(int), components.transform(test_flat), test_classes.astype(int)
    )


def random_curve(data: Data) -> list[tuple[int, float]]:
    """(labels, mean test accuracy) of labels drawn at random."""
    sizes = [round(20 * 2 ** (step / 2)) for step in range(16)]
    sizes = [size for size in sizes if size <= len(data.classes_N) // 2]
    predictor, accuracies = Logistic(data), []
    for seed in range(4):
        order = np.random.default_rng(1_000 + seed).permutation(len(data.classes_N))
        for size in sizes:
            predictor.fit({i: int(data.classes_N[i]) for i in order[:size].tolist()})
            accuracies.append(predictor.accuracy())
    means = np.array(accuracies).reshape(4, -1).mean(axis=0)
    return list(zip(sizes, np.maximum.accumulate(means).tolist(), strict=True))


def labels_needed(curve: Sequence[tuple[int, float]], accuracy: float) -> float:
    """Random labels for an accuracy, between the points of the curve; infinite beyond it."""
    sizes, accuracies = (np.array(column, float) for column in zip(*curve, strict=True))
    if accuracy > accuracies[-1]:
        return float("inf")
    return float(np.exp(np.interp(accuracy, accuracies, np.log(sizes))))


def one_seed(data: Data, seed: int, marks: Sequence[int]) -> list[tuple[LabelsSaved, float]]:
    """Chooses labels, and asks for the estimate on the way."""
    order = np.random.default_rng(seed).permutation(len(data.classes_N)).tolist()
    audits, rest = order[: max(marks) // PER_AUDIT], order[max(marks) // PER_AUDIT :]
    chosen, left, predictor, found = rest[:STEP], set(rest[STEP:]), Logistic(data), []
    while True:
        predictor.fit({i: int(data.classes_N[i]) for i in chosen})
        if len(chosen) in marks:
            estimate = ask(data, predictor, chosen, audits[: len(chosen) // PER_AUDIT], sorted(left), seed)
            found += [] if estimate is None else [(estimate, predictor.accuracy())]
        if len(chosen) >= min(max(marks), len(rest) - STEP):
            return found
        pool = np.array(sorted(left))
        top_N_2 = np.sort(predictor.predict(pool), axis=1)[:, -2:]
        wanted = min(STEP, next(mark for mark in marks if mark > len(chosen)) - len(chosen))
        picked = pool[np.argsort(top_N_2[:, 1] - top_N_2[:, 0])[:wanted]].tolist()
        chosen, left = [*chosen, *picked], left - set(picked)


def ask(
    data: Data, predictor: Logistic, chosen: list[int], audits: list[int], left: list[int], seed: int
) -> LabelsSaved | None:
    """The estimate from audit labels alone."""
    audit = {i: int(data.classes_N[i]) for i in audits}
    rights_A = predictor.predict(audits).argmax(axis=1) == np.array(list(audit.values()))
    answers = dict(zip(left, predictor.predict(left).argmax(axis=1).tolist(), strict=True))
    labels = {i: int(data.classes_N[i]) for i in chosen}
    shadows = Shadows(lambda _fold: Logistic(data), audit=audit, chosen=labels, reserve=audits, seed=seed)
    return labels_saved(shadows, rights_A, answers=answers, pool_size=len(data.classes_N))


if __name__ == "__main__":
    main()
