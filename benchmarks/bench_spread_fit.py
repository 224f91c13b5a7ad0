"""What a second machine adds to a fit: test accuracy and time, two machines of one thread each beside one.

    OMP_NUM_THREADS=1 python benchmarks/bench_spread_fit.py --mnist mnist.npz
    OMP_NUM_THREADS=1 python benchmarks/bench_spread_fit.py --quick          sample digits; whether it runs

one          the product on one device: with more than 3,200 labels an epoch sees 3,200 of them
two          the product with `--num-nodes 2`: as many steps, each over a batch of either machine. Both machines are
             processes of this one, so they need two cores that have nothing else to do; their start is in the time
one, twice   one device that takes twice the steps, which sees as many labels as two
"""

from __future__ import annotations

import argparse
import os
import socket
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from labeled_sets import all_sets
from numpy.typing import NDArray

from loops.devices.network import MODULE, DistributedNetwork
from loops.devices.processes import Devices, follow
from loops.embeddings.features import FeatureStore
from loops.predictors.network import Network
from loops.predictors.network_spec import NetworkSpec

ARMS = ("one", "two", "one, twice")


def main() -> None:
    """Prints accuracy and seconds of each, and the median over seeds."""
    options = parse()
    torch.set_num_threads(1)
    print(f"one thread each; load at the start {os.getloadavg()[0]:.1f}")
    labeled = all_sets(options.mnist, None, quick=options.quick)["digits" if options.quick else "mnist"]()
    spec = labeled.spec
    if options.quick:
        spec = replace(spec, epochs=2, max_steps_per_epoch=20)
        options.labels, options.seeds = [1_000], 1
    for labels in options.labels:
        found: dict[str, list[tuple[float, float]]] = {arm: [] for arm in ARMS}
        for seed in range(options.seeds):
            with tempfile.TemporaryDirectory() as folder:
                store, classes, test = stored(labeled, labels, seed, Path(folder))
                for arm in ARMS:
                    found[arm].append(fitted(arm, spec, store, classes, test, seed))
                    print(f"  {labels} labels, seed {seed}, {arm}: {found[arm][-1][0]:.2%}, {found[arm][-1][1]:.0f} s")
        for arm, results in found.items():
            accuracies, seconds = zip(*results, strict=True)
            print(
                f"{labels} labels, {arm}: median {median(accuracies):.2%}, worst {min(accuracies):.2%}, "
                f"{median(seconds):.0f} s (worst {max(seconds):.0f})",
                flush=True,
            )


def parse() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, help="x_train, y_train, x_test, y_test as an .npz file")
    parser.add_argument("--labels", type=int, nargs="*", default=[20_000, 50_000])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="sample digits, few steps")
    options = parser.parse_args()
    if not options.mnist and not options.quick:
        print("without MNIST, as --quick: of the sample digits there are fewer than an epoch has")
        options.quick = True
    return options


def stored(
    labeled: Any, labels: int, seed: int, folder: Path
) -> tuple[FeatureStore, dict[int, int], tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Some of the pool with their labels, and the test set with its."""
    drawn = np.random.default_rng(seed).permutation(len(labeled.rows))[:labels]
    test_ids = len(labeled.rows) + np.arange(len(labeled.test_rows))
    FeatureStore(folder / "features", labeled.spec.backbone).append(
        np.concatenate([drawn, test_ids]), np.concatenate([labeled.rows[drawn], labeled.test_rows])
    )
    classes = dict(zip(drawn.tolist(), labeled.labels[drawn].tolist(), strict=True))
    return FeatureStore(folder / "features", labeled.spec.backbone), classes, (test_ids, labeled.test_labels)


def fitted(
    arm: str, spec: NetworkSpec, store: FeatureStore, classes: dict[int, int], test: Any, seed: int
) -> tuple[float, float]:
    """Test accuracy, and seconds of the fit."""
    given: dict[str, Any] = {"num_classes": 10, "seed": seed, "accelerator": "cpu"}
    passes = store.folder.parent / "passes"
    if arm == "two":
        predictor: Network = DistributedNetwork(spec, store, devices=Devices(1, 2, passes, accelerator="cpu"), **given)
    else:
        times = 2 if arm == "one, twice" else 1
        predictor = Network(replace(spec, max_steps_per_epoch=times * spec.max_steps_per_epoch), store, **given)
    with second_machine(passes):
        started = time.perf_counter()
        predictor.fit(classes, round_number=1)
        seconds = time.perf_counter() - started
    test_ids, test_labels = test
    return float((predictor.predict(test_ids).argmax(1) == test_labels).mean()), seconds


@contextmanager
def second_machine(passes: Path) -> Iterator[None]:
    """A follower as `labelloop train --num-nodes 2` with NODE_RANK 1 runs it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port, NODE_RANK="1", OMP_NUM_THREADS="1")
    ended = threading.Event()
    follower = threading.Thread(target=follow, args=(passes, [MODULE], ended))
    follower.start()
    try:
        yield
    finally:
        ended.set()
        follower.join()


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main()
