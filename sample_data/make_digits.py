"""Write `sample_data/digits` from the handwritten digits that ship inside scikit-learn.

Run from anywhere: `python sample_data/make_digits.py`. The split is fixed: the same seed gives the same files.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

FOLDER = Path(__file__).parent / "digits"
SEED = 0
TEST_PER_CLASS = 40
BRIGHTEST = 16  # the data set counts ink in 4x4 blocks of a bitmap: 0..16

Row = tuple[str, int]


def main() -> None:
    """Write the images of both splits, `labels.csv` (all of them) and `test.csv` (the test split alone)."""
    digits = load_digits()
    pixels_N_H_W = np.round(digits.images * 255 / BRIGHTEST).astype(np.uint8)
    in_test_N = choose_test(digits.target)
    pool = write_split("pool", pixels_N_H_W[~in_test_N], digits.target[~in_test_N])
    test = write_split("test", pixels_N_H_W[in_test_N], digits.target[in_test_N])
    write_csv(FOLDER / "labels.csv", pool + test)
    write_csv(FOLDER / "test.csv", test)


def choose_test(labels_N: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return a mask that is true for `TEST_PER_CLASS` samples of each class, drawn by a seeded shuffle."""
    shuffled_N = np.random.default_rng(SEED).permutation(len(labels_N))
    in_test_N = np.zeros(len(labels_N), dtype=bool)
    for label in np.unique(labels_N):
        of_class = shuffled_N[labels_N[shuffled_N] == label]
        in_test_N[of_class[:TEST_PER_CLASS]] = True
    return in_test_N


def write_split(split: str, pixels_N_H_W: NDArray[np.uint8], labels_N: NDArray[np.int64]) -> list[Row]:
    """Write one PNG per sample, 8-bit gray, and return the manifest's rows."""
    (FOLDER / split).mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (pixels_H_W, label) in enumerate(zip(pixels_N_H_W, labels_N, strict=True), start=1):
        name = f"{split}/{number:04d}.png"
        Image.fromarray(pixels_H_W).save(FOLDER / name)
        rows.append((name, int(label)))
    return rows


def write_csv(path: Path, rows: list[Row]) -> None:
    """Write a manifest `path,label`; paths are relative to the manifest's folder."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "label"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
