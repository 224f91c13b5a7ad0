"""The data of a simulation: images whose labels are all known, from folders with CSVs or from one NPZ file."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import SettingsError
from app.kinds.image import load_image
from app.simulation.config import SimulationConfig
from loops.embeddings.features import FeatureStore, embed


@dataclass(frozen=True)
class LabeledImages:
    """Images whose labels are all known. Ids count from 0: the pool, then the test set."""

    load: Callable[[int], NDArray[np.uint8]]  # sample id -> [H, W, C]
    sizes: Sequence[tuple[int, int]]  # (width, height) of some of them
    pool: dict[int, int]  # sample id -> class index
    test: dict[int, int]
    classes: tuple[str, ...]


def load_data(config: SimulationConfig) -> LabeledImages:
    """Reads what the options name.

    Raises:
        SettingsError: If the data cannot be used.
    """
    return _from_npz(config) if config.npz is not None else _from_files(config)


def embed_all(store: FeatureStore, images: LabeledImages) -> None:
    """Computes the features that the store lacks; a file that cannot be read is named and left out."""

    def report(done: int, todo: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{store.backbone.name}: {done} of {todo} images")
            sys.stderr.write("\n" if done == todo else "")

    embed(
        store,
        [*images.pool, *images.test],
        images.load,
        progress=report,
        on_broken=lambda _sample_id, reason: _left_out(reason),
        should_stop=lambda: False,
    )


def _left_out(reason: str) -> None:
    sys.stderr.write(f"left out: {reason}\n")


def _from_npz(config: SimulationConfig) -> LabeledImages:
    assert config.npz is not None
    with np.load(config.npz) as data:
        try:
            x_train, y_train, x_test, y_test = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
        except KeyError as error:
            raise SettingsError(f"--npz {config.npz} needs x_train, y_train, x_test and y_test; {error}.") from error
    # Drawn rather than the first ones: a file may be sorted by class.
    generator = np.random.default_rng(0)
    pool = np.sort(generator.permutation(len(x_train))[: config.pool])
    test = np.sort(generator.permutation(len(x_test))[: config.test_size])
    pixels = np.concatenate([x_train[pool], x_test[test]])
    labels = np.concatenate([y_train[pool], y_test[test]]).astype(int).tolist()
    classes = tuple(str(name) for name in sorted(set(labels)))
    class_of = {int(name): index for index, name in enumerate(classes)}
    known = {sample_id: class_of[label] for sample_id, label in enumerate(labels)}
    height, width = pixels.shape[1:3]
    return LabeledImages(
        load=lambda sample_id: np.asarray(pixels[sample_id], np.uint8),
        sizes=[(width, height)],
        pool={sample_id: known[sample_id] for sample_id in range(len(pool))},
        test={sample_id: known[sample_id] for sample_id in range(len(pool), len(pixels))},
        classes=classes,
    )


def _from_files(config: SimulationConfig) -> LabeledImages:
    assert config.images is not None
    assert config.labels is not None
    assert config.test is not None
    pool, test = _read_labels(config.labels, config.images), _read_labels(config.test, config.images)
    judging = {path for path, _ in test}
    both = sum(path in judging for path, _ in pool)
    if both:
        sys.stderr.write(f"{both} images are in --labels and in --test; they test, and are not asked about\n")
        pool = [(path, label) for path, label in pool if path not in judging]
    if not pool:
        raise SettingsError("Every image of --labels is in --test too; nothing is left to ask about.")
    rows = [*pool, *test]
    classes = tuple(sorted({label for _, label in rows}))
    known = {sample_id: classes.index(label) for sample_id, (_, label) in enumerate(rows)}
    return LabeledImages(
        load=lambda sample_id: load_image(rows[sample_id][0]),
        sizes=[_size(load_image(path)) for path, _ in rows[:20]],
        pool={sample_id: known[sample_id] for sample_id in range(len(pool))},
        test={sample_id: known[sample_id] for sample_id in range(len(pool), len(rows))},
        classes=classes,
    )


def _size(image: NDArray[np.uint8]) -> tuple[int, int]:
    height, width = image.shape[:2]
    return width, height


def _read_labels(path: Path, folder: Path) -> list[tuple[Path, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if not {"path", "label"} <= set(reader.fieldnames or ()):
            raise SettingsError(f"{path} needs the columns path,label; found {','.join(reader.fieldnames or ())}.")
        rows = [(folder / row["path"], row["label"]) for row in reader if row["label"]]
    if not rows:
        raise SettingsError(f"{path} names no labeled image.")
    return rows
