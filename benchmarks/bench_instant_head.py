"""From a label's confirmation to a queue ranked anew: the instant head on 10,000 samples of 1,280 features.

    OMP_NUM_THREADS=1 python benchmarks/bench_instant_head.py

Ten overlapping classes in synthetic features. Each repetition adds three labels, refits the head on all of them and
ranks every sample that is left, on one thread, as the trainer of a machine with two cores: on a busy one two threads
wait for one another, and a refit of 34 CPU-ms took 400. Processor time is what the process itself used, whatever else
the machine was doing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

import numpy as np
import torch
from torch import nn

from loops.acquisition.catalog import find
from loops.acquisition.choosing import scorer
from loops.acquisition.functions import rank
from loops.predictors.instant_head import InstantHead
from loops.predictors.layers import feature_head

CLASSES, NEW_LABELS = 10, 3


def main() -> None:
    """Prints median and worst time for each number of labels and acquisition function."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--features", type=int, default=1_280)
    parser.add_argument("--labels", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--acquisitions", nargs="+", default=["margin", "bald"])
    parser.add_argument("--repetitions", type=int, default=25)
    parser.add_argument("--accelerator", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{options.samples} samples x {options.features} features, {options.repetitions} repetitions")
    print(f"{options.accelerator}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    classes_N = np.arange(options.samples) % CLASSES
    features_N_D = clusters(classes_N, options.features)
    for labels in options.labels:
        for acquisition in options.acquisitions:
            head = make_head(features_N_D, options.accelerator)
            wall, used = repeat(head, acquisition, classes_N, labels, options.repetitions)
            print(
                f"  {labels} labels, {acquisition}: median {statistics.median(wall):.0f} ms, worst {max(wall):.0f} ms; "
                f"processor time median {statistics.median(used):.0f} ms; load {os.getloadavg()[0]:.1f}"
            )


def clusters(classes_N: np.ndarray, dim: int) -> np.ndarray:
    """Features `[N, D]` around one center per class, near enough to be mixed up now and then."""
    generator = np.random.default_rng(0)
    centers = 0.15 * generator.normal(size=(CLASSES, dim))
    return (centers[classes_N] + generator.normal(size=(len(classes_N), dim))).astype(np.float32)


def make_head(features_N_D: np.ndarray, accelerator: str) -> InstantHead:
    """A head of a round that knew nothing yet: the farthest way to go."""
    layer = feature_head(features_N_D.shape[1], CLASSES)
    for weights in layer.parameters():
        nn.init.zeros_(weights)
    ids = np.arange(len(features_N_D))
    return InstantHead(ids, features_N_D, layer, accelerator=accelerator)


def repeat(
    head: InstantHead, acquisition: str, classes_N: np.ndarray, labels: int, repetitions: int
) -> tuple[list[float], list[float]]:
    """Wall and processor time of each repetition, in ms; one more before them is not counted."""
    wall, used, score = [], [], scorer(find(acquisition))
    for repetition in range(repetitions + 1):
        given = labels + NEW_LABELS * repetition
        known = {i: int(classes_N[i]) for i in range(given)}
        started, started_used = time.perf_counter(), time.process_time()
        tail = np.arange(given, len(classes_N))
        head.refit(known)
        rank(tail, score(head.draws(tail)))
        wall.append(1000 * (time.perf_counter() - started))
        used.append(1000 * (time.process_time() - started_used))
    return wall[1:], used[1:]


if __name__ == "__main__":
    main()
