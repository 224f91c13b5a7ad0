"""Runs the loop against known labels: what would this cost, in labels, on data like mine?"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import SettingsError
from app.importing.images import load_image
from app.simulation_config import SimulationConfig
from loops.active_learning import ActiveLearningLoop, LoopSettings
from loops.committee import learner_for
from loops.features import FeatureStore, embed
from loops.learner import Learner, choose_learner
from loops.oracle import KnownLabels, Query
from loops.seeding import seed_of

THRESHOLDS = (0.90, 0.95)


@dataclass(frozen=True)
class LabeledImages:
    """Images whose labels are all known. Ids count from 0: the pool, then the test set."""

    load: Callable[[int], NDArray[np.uint8]]  # sample id -> [H, W, C]
    sizes: Sequence[tuple[int, int]]  # (width, height) of some of them
    pool: dict[int, int]  # sample id -> class index
    test: dict[int, int]
    classes: tuple[str, ...]


def simulate(config: SimulationConfig) -> dict[str, Any]:
    """Simulates an annotator who knows all labels, from none to the budget.

    Args:
        config: Data, learner, acquisition function, budget and seed.

    Returns:
        The JSON of the command: learner, acquisition, seed, curve, seconds_per_round, labels_to.

    Raises:
        SettingsError: If the data cannot be used.
    """
    images = _from_npz(config) if config.npz is not None else _from_files(config)
    spec = choose_learner(config.learner, images.sizes)
    acquisition = spec.acquisition if config.acquisition == "auto" else config.acquisition
    config.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        store = FeatureStore(Path(folder), spec.backbone)
        broken = _embed(store, images)
        oracle = KnownLabels(
            _without(images.pool, broken),
            query_size=config.query_size,
            test=_without(images.test, broken),
            on_query=_report,
        )

        def make(fold: int | None) -> Learner:
            seed = config.seed if fold is None else seed_of(config.seed, "fold", fold)
            return Learner(spec, store, num_classes=len(images.classes), seed=seed, mc_iterations=config.mc_iterations)

        learner = learner_for(acquisition, make, seed=config.seed)
        settings = LoopSettings(
            acquisition=acquisition,
            query_size=config.query_size,
            labeling_budget=config.budget,
            cold_start=config.cold_start,
            seed=config.seed,
        )
        ActiveLearningLoop(learner=learner, oracle=oracle, settings=settings).run()
    measured = [query for query in oracle.queries if query.evaluations]
    _write_csv(config.out / "curve.csv", measured)
    _draw(config.out / "curve.png", measured, f"{spec.name}, {acquisition}, seed {config.seed}")
    curve = [(query.labels, query.evaluations[0].accuracy) for query in measured]
    return {
        "learner": spec.name,
        "acquisition": acquisition,
        "seed": config.seed,
        "curve": [list(point) for point in curve],
        "seconds_per_round": {
            "fit": round(float(np.median([query.fit_seconds for query in measured] or [0.0])), 3),
            "score": round(float(np.median([query.score_seconds for query in measured] or [0.0])), 3),
        },
        "labels_to": {f"{threshold:.2f}": labels_to(curve, threshold) for threshold in THRESHOLDS},
    }


def labels_to(curve: Sequence[tuple[int, float]], threshold: float) -> int | None:
    """The labels from which accuracy is at the threshold *and stays there*; the first crossing of a noisy curve is
    luck.

    Args:
        curve: (labels, accuracy), in the order of labels.
        threshold: 0..1.

    Returns:
        None if the curve ends below it.
    """
    reached = None
    for labels, accuracy in curve:
        if accuracy < threshold:
            reached = None
        elif reached is None:
            reached = labels
    return reached


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


def _embed(store: FeatureStore, images: LabeledImages) -> set[int]:
    broken: dict[int, str] = {}
    total = len(images.pool) + len(images.test)

    def report(done: int, todo: int) -> None:
        if total > 1000 or store.backbone.is_pixels is False:
            sys.stderr.write(f"\r{store.backbone.name}: {done} of {todo} images")
            sys.stderr.write("\n" if done == todo else "")

    embed(
        store,
        [*images.pool, *images.test],
        images.load,
        progress=report,
        on_broken=broken.__setitem__,
        should_stop=lambda: False,
    )
    for reason in broken.values():
        sys.stderr.write(f"left out: {reason}\n")
    return set(broken)


def _without(labels: dict[int, int], broken: set[int]) -> dict[int, int]:
    return {sample_id: class_index for sample_id, class_index in labels.items() if sample_id not in broken}


def _report(query: Query) -> None:
    accuracy = f", accuracy {query.evaluations[0].accuracy:.1%}" if query.evaluations else ""
    took = f", fit {query.fit_seconds:.1f} s, score {query.score_seconds:.1f} s"
    sys.stderr.write(f"round {query.round_number}: {query.labels} labels{accuracy}{took}\n")


def _write_csv(path: Path, measured: Sequence[Query]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["round", "labels", "accuracy", "low", "high", "fit_seconds", "score_seconds"])
        for query in measured:
            test = query.evaluations[0]
            seconds = [round(query.fit_seconds, 3), round(query.score_seconds, 3)]
            writer.writerow([query.round_number, query.labels, test.accuracy, test.low, test.high, *seconds])


def _draw(path: Path, measured: Sequence[Query], title: str) -> None:
    from matplotlib.figure import Figure  # without pyplot: no global state, no display

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    labels = [query.labels for query in measured]
    tests = [query.evaluations[0] for query in measured]
    axes.fill_between(labels, [t.low for t in tests], [t.high for t in tests], alpha=0.2, label="95 % interval")
    axes.plot(labels, [t.accuracy for t in tests], marker=".", label="test accuracy")
    axes.set(xlabel="labels", ylabel="accuracy on the test set", title=title, ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=150)
