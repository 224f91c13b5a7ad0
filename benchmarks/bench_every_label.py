"""From a confirmed label to a re-ranked pool of 60,000, another process busy: every label; beside peers.

    python benchmarks/bench_every_label.py --mnist mnist.npz --labels 100

A project in a temporary folder with the settings it has by default, its samples in the database and their rows in the
feature store, and its trainer as `labelloop run` starts it, at low priority. A label is confirmed every 0.7 to 1.0 s as
the Label page does it. The time ends when the new ranking of the whole pool can be read from the database: the wait
until the trainer looks, reading labels, spreading them over the graph, ranking, and the transaction. A process at nice
10 computes beside it. The labels are told apart by what else the trainer was doing when they were confirmed: nothing,
learning features from the pool (the first minutes of a project), or training the network of a round.

Peers, in this process, the same busy one beside it: from a label to the next question out of 60,000, on the points in
which the graph looks for neighbors. They store nothing and tell nobody. BaaL's loop trains its network and runs it 20
times over 1,000 samples of the pool; the time of that is scaled to the whole of it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import peers
import torch
from network_peers import CANDIDATES, NetworkLoop, Samples
from point_peers import QUESTIONS, regression
from trainer_project import TrainerProject, trainer_project

from app.project.settings import ProjectSettings
from loops.embeddings.computed_embedding import choose_embedding
from storage.trainer import get_heartbeat

BUSY = "import os\nparent = os.getppid()\nos.nice(10)\nwhile os.getppid() == parent: sum(range(10**6))"
PAUSE_S = 0.7, 1.0  # between two labels, drawn, so that they meet the trainer at any point of its own pause
MOST_OF_PEERS = 100  # labels
FIRST = 10  # labels that the peers begin with


def main() -> None:
    """Times us, then the peers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--labels", type=int, default=100)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with np.load(options.mnist) as data:
        images, digits = data["x_train"][: options.samples], data["y_train"][: options.samples]
    print(f"{len(images):,} samples; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    ours(images, digits, options.labels)
    points = choose_embedding(images[:, None], 0).points(images[:, None])
    order = np.random.default_rng(0).permutation(len(images))[: FIRST + MOST_OF_PEERS].tolist()
    with busy():
        for name, step in peers_of(points, digits.astype(np.int64), order).items():
            seconds, cpu_seconds = timed(step, min(options.labels, MOST_OF_PEERS))
            report(name, seconds, f"; {1000 * float(np.median(cpu_seconds)):.0f} CPU-ms")
        baal(images, digits)
    print(f"load {os.getloadavg()[0]:.1f}")


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Another process computes."""
    with subprocess.Popen([sys.executable, "-c", BUSY]) as process:
        try:
            yield
        finally:
            process.kill()


def report(name: str, seconds: list[float], more: str = "") -> None:
    """One line."""
    median, p95, worst = np.percentile(1000 * np.array(seconds), [50, 95, 100])
    print(f"{name:>36}: median {median:.0f} ms, p95 {p95:.0f} ms, worst {worst:.0f} ms{more}", flush=True)


def ours(images: np.ndarray, digits: np.ndarray, labels: int) -> None:
    """The trainer, whatever else it does."""
    with trainer_project(images, digits, ProjectSettings("mnist", audit_share=0.0)) as running:
        time_labels(running, labels)


def time_labels(running: TrainerProject, labels: int) -> None:
    """From each confirmed label to the new ranking, by what the trainer does meanwhile."""
    generator = np.random.default_rng(0)
    seconds: dict[str, list[float]] = {}
    started = time.perf_counter()
    ranking = running.wait_for_ranking("")
    print(f"graph and first ranking: {time.perf_counter() - started:.0f} s", flush=True)
    with busy():
        for _ in range(labels):
            time.sleep(generator.uniform(*PAUSE_S))
            claim, ranking = running.claim(1)[0], running.ranking()
            meanwhile = occupation(running)
            running.decide(claim)
            if claim.purpose == "recheck":  # the same answer again: the ranking stays as it is
                continue
            began = time.perf_counter()
            running.wait_for_ranking(ranking)
            seconds.setdefault(meanwhile, []).append(time.perf_counter() - began)
    for meanwhile, found in {**seconds, "in all": list(chain.from_iterable(seconds.values()))}.items():
        report(f"LabelLoop, {meanwhile}", found, f"; {len(found)} labels")


def occupation(running: TrainerProject) -> str:
    """What the trainer is doing."""
    with running.database.read() as session:
        heartbeat = get_heartbeat(session, project_id=running.project_id)
    if heartbeat is None or heartbeat.state != "idle":
        return "a round in training"
    return "learning features" if "Learning" in (heartbeat.message or "") else "at rest"


def timed(step: Callable[[int], None], labels: int) -> tuple[list[float], list[float]]:
    """Wall and processor seconds of each label."""
    seconds, cpu_seconds = [], []
    for count in range(FIRST + 1, FIRST + labels + 1):
        began, cpu_began = time.perf_counter(), time.process_time()
        step(count)
        seconds.append(time.perf_counter() - began)
        cpu_seconds.append(time.process_time() - cpu_began)
    return seconds, cpu_seconds


def peers_of(points: np.ndarray, y: np.ndarray, order: list[int]) -> dict[str, Callable[[int], None]]:
    """Each refits on the first so many labels, and asks the next."""
    peers.add_peers()
    warnings.filterwarnings("ignore")

    def of(question: Callable[..., int]) -> Callable[[int], None]:
        return lambda count: void(question(points, y, order[:count], 0))

    return {name: of(question) for name, question in QUESTIONS.items()} | {
        "small-text breaking ties + LR": small_text(points, y, order)
    }


def void(_answer: object) -> None:
    """The next question is not followed: all peers get the same labels."""


def small_text(points: np.ndarray, y: np.ndarray, order: list[int]) -> Callable[[int], None]:
    """small-text's active predictor, which keeps the pool."""
    from scipy.sparse import csr_matrix
    from small_text import BreakingTies, PoolBasedActiveLearner, SklearnClassifierFactory, SklearnDataset

    classes = int(y.max()) + 1
    pool = SklearnDataset(csr_matrix(points), np.full(len(points), -1), target_labels=np.arange(classes))
    predictor = PoolBasedActiveLearner(SklearnClassifierFactory(regression(points), classes), BreakingTies(), pool)
    predictor.initialize_data(np.array(order[:FIRST]), y[order[:FIRST]])
    predictor.query(num_samples=1)

    def step(_count: int) -> None:
        predictor.update(y[predictor.indices_queried])
        predictor.query(num_samples=1)

    return step


def baal(images: np.ndarray, digits: np.ndarray) -> None:
    """One label of BaaL's loop, as long as it takes."""
    samples = Samples(torch.from_numpy(images[:, None]), torch.from_numpy(digits.astype(np.int64)))
    loop = NetworkLoop(samples, 10, "BaaL BALD", 0, mc_iterations=20, prefix_once=False)
    began = time.perf_counter()
    loop.fit()
    fitted = time.perf_counter()
    loop.ask()
    asked = (time.perf_counter() - fitted) * (len(images) - FIRST) / CANDIDATES
    fit = fitted - began
    print(
        f"{'BaaL BALD':>36}: {fit + asked:.0f} s: fit {fit:.1f} s, {asked:.0f} s for the pool (by {CANDIDATES:,} of it)"
    )


if __name__ == "__main__":
    main()
