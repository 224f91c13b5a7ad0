"""The sets of `bench_any_data.py`, as a pool and a test set, each a CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits"
SHARE = 0.9  # of the pool that a seed draws
SMALL = 32  # pixels


@dataclass(frozen=True)
class Table:
    """A pool or a test set as a CSV: header and rows, the label last."""

    header: list[str]
    rows: list[list[str]]


def all_names(data: Path) -> list[str]:
    """Every set that the folder has, and the sample digits."""
    lists = [
        path.name.removesuffix("-pool.csv")
        for part in ("text", "tables")
        for path in sorted((data / part).glob("*-pool.csv"))
    ]
    folders = sorted(path.parent.name for path in data.glob("*/train"))
    of_flowers = ["flowers", "flowers32"] if (data / "flowers").exists() else []
    return [*of_flowers, *folders, *(["mnist"] if (data / "mnist.npz").exists() else []), "digits", *lists]


def drawn(data: Path, name: str, seed: int, folder: Path) -> tuple[Path, Path]:
    """Nine tenths of the pool, and the test set, as CSV files."""
    pool, test = load(data, name, folder)
    order = np.sort(np.random.default_rng(seed).permutation(len(pool.rows))[: int(SHARE * len(pool.rows))])
    paths = folder / "pool.csv", folder / "test.csv"
    for path, table in zip(paths, (Table(pool.header, [pool.rows[k] for k in order]), test), strict=True):
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([table.header, *table.rows])
    return paths


def load(data: Path, name: str, folder: Path) -> tuple[Table, Table]:
    """Pool and test set of a name."""
    if name == "digits":
        rows = read(DIGITS / "labels.csv").rows
        pairs = [[str(DIGITS / path), label] for path, label in rows]
        return images([pair for pair in pairs if "/pool/" in pair[0]]), images(
            [p for p in pairs if "/pool/" not in p[0]]
        )
    if (data / name / "train").exists():
        return photographs(data / name / "train"), photographs(data / name / "val")
    if name in ("flowers", "flowers32"):
        parts = [flowers(data / "flowers", part) for part in ("pool", "test")]
        pool, test = [shrunk(part, folder) for part in parts] if name == "flowers32" else parts
        return pool, test
    if name == "mnist":
        return mnist(data / "mnist.npz", folder)
    part = next(part for part in ("text", "tables") if (data / part / f"{name}-pool.csv").exists())
    return read(data / part / f"{name}-pool.csv"), read(data / part / f"{name}-test.csv")


def read(path: Path) -> Table:
    """As it stands there."""
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return Table(header, rows)


def images(pairs: Sequence[Sequence[str]]) -> Table:
    """Paths and labels."""
    return Table(["path", "label"], [list(pair) for pair in pairs])


def photographs(folder: Path) -> Table:
    """One folder per class."""
    return images([(str(path), path.parent.name) for path in sorted(folder.glob("*/*"))])


def flowers(folder: Path, part: str) -> Table:
    """Paths relative to the folder."""
    return images([(str(folder / path), label) for path, label in read(folder / f"{part}.csv").rows])


def shrunk(table: Table, folder: Path) -> Table:
    """The middle square of each photograph at 32 x 32 pixels."""
    (folder / "small").mkdir(exist_ok=True)
    rows = []
    for path, label in table.rows:
        target = folder / "small" / f"{Path(path).parent.name}-{Path(path).stem}.png"
        with Image.open(path) as image:
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            square = image.convert("RGB").crop((left, top, left + side, top + side))
            square.resize((SMALL, SMALL), Image.Resampling.LANCZOS).save(target)
        rows.append((str(target), label))
    return images(rows)


def mnist(path: Path, folder: Path) -> tuple[Table, Table]:
    """60,000 and 10,000 images, as files."""
    with np.load(path) as data:
        parts = [(data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])]
    tables = []
    for part, (pixels, labels) in zip(("pool", "test"), parts, strict=True):
        (folder / part).mkdir()
        rows = []
        for number, (image, label) in enumerate(zip(pixels, labels, strict=True)):
            target = folder / part / f"{number:05d}.png"
            Image.fromarray(image).save(target, compress_level=1)
            rows.append((str(target), str(label)))
        tables.append(images(rows))
    return tables[0], tables[1]
