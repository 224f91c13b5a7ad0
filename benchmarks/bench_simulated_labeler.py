"""A simulated labeler, one second per decision: seconds to 95 % of MNIST from no label, and the share spent waiting.

    python benchmarks/bench_simulated_labeler.py --mnist mnist.npz
    python benchmarks/bench_simulated_labeler.py --mnist mnist.npz --quick

Ours: a project of 60,000 with the settings it has by default (a tenth of what is asked is audited and never trained
on; a round ends after ten labels), its database and its trainer as `labelloop run` starts it. The labeler does what the
Label page does: holds ten samples, those on screen and next in line stay, the others are asked for anew after each
decision and once more 0.8 s later. So a sample was chosen by what was known when it came next in line. The clock starts
with the first ranking; how long the trainer took until then, with all pixels in the feature store, is printed beside
it. The labels of the test set come in at the end only: the decisions are replayed in their order, and after each the
product's graph predictor predicts the test set. Seconds are those until the decision from which accuracy is 95 % and
stays there.

BaaL's loop, corrected as `network_peers.py` says and with the whole network in each of its 20 iterations, on the same
machine: ten decisions of a second each, then the labeler waits for a fit and for the scores of 1,000 of the pool. Its
seconds of labeling are counted, not slept.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from label_efficiency_table import stays
from network_peers import QUERY, STAYS, NetworkLoop, Samples
from numpy.typing import NDArray
from trainer_project import BACKBONE, TrainerProject, trainer_project

from app.project.settings import ProjectSettings
from loops.embeddings.features import FeatureStore
from loops.predictors.graph import GraphPredictor
from storage.labels import current_labels
from storage.queue import ClaimedSample

DECISION_S = 1.0
AHEAD, IN_VIEW = 10, 2  # samples that the page holds; on screen and decoded next
GOAL = 0.95
FRESHEN_S = 0.8  # after a key the page asks anew: by then the label has changed the ranking
LOOK_S = 0.02  # between two looks of a labeler who has nothing on screen


@dataclass(frozen=True)
class Outcome:
    """One session."""

    who: str
    decisions: int  # until the goal; below 0: it was not reached with so many
    seconds: float
    waited_s: float
    more: str

    def __str__(self) -> str:
        """One line."""
        reached = f"at decision {self.decisions}" if self.decisions > 0 else f"not in {-self.decisions} decisions"
        share = self.waited_s / self.seconds
        return f"{self.who}: {GOAL:.0%} {reached}, {self.seconds:.1f} s, {share:.1%} of them waiting; {self.more}"


def main() -> None:
    """Prints one line per session."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--baal-seeds", type=int, default=1)
    parser.add_argument("--decisions", type=int, default=60, help="of one of our sessions")
    parser.add_argument("--baal-decisions", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="one seed, a pool of 2,000, 10 and 20 decisions")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    with np.load(options.mnist) as data:
        x, y, tx, ty = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    if options.quick:
        x, y, options.seeds, options.decisions, options.baal_decisions = x[:2000], y[:2000], 1, 10, 20
    print(f"{len(x):,} samples; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    for seed in range(options.seeds):
        print(ours((x, y), (tx, ty), seed, options.decisions), flush=True)
    for seed in range(options.baal_seeds):
        print(baal((x, y), (tx, ty), seed, options.baal_decisions), flush=True)
    print(f"load {os.getloadavg()[0]:.1f}")


Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]  # images and digits


def ours(pool: Pair, test: Pair, seed: int, decisions: int) -> Outcome:
    """One session on the product."""
    with trainer_project(*pool, ProjectSettings("mnist", seed=seed)) as running:
        started = time.perf_counter()
        running.wait_for_ranking("")
        graph_s = time.perf_counter() - started
        ended_at, waited = label(running, decisions)
        cpu_s = running.cpu_s
        running.stop()
        curve, audited = replay(running, test, seed)
    reached = stays(curve, GOAL)
    place = (reached if reached > 0 else decisions) - 1
    more = (
        f"{audited} of all {decisions} audited, last accuracy {curve[-1][1]:.1%}; "
        f"first ranking after {graph_s:.0f} s, trainer {cpu_s:.0f} CPU-s in all"
    )
    return Outcome(f"LabelLoop, seed {seed}", reached, ended_at[place], sum(waited[: place + 1]), more)


def label(running: TrainerProject, decisions: int) -> tuple[list[float], list[float]]:
    """Labels as the page does it; returns when each decision was made, and the wait before each, in seconds."""
    began = time.perf_counter()
    held: list[ClaimedSample] = []
    ended_at, waited = [], []
    for _ in range(decisions):
        wanted = time.perf_counter()
        held = held or wait_for_samples(running)
        shown = time.perf_counter()
        waited.append(shown - wanted)
        for moment in (0.0, FRESHEN_S, DECISION_S):  # when the sample comes, once more, and the decision
            time.sleep(max(0.0, shown + moment - time.perf_counter()))
            held = running.claim(AHEAD, held[:IN_VIEW]) if moment < DECISION_S else held
        ended_at.append(time.perf_counter() - began)
        running.decide(held[0])
        held = held[1:]
    return ended_at, waited


def wait_for_samples(running: TrainerProject) -> list[ClaimedSample]:
    """With nothing on screen."""
    while not (claims := running.claim(AHEAD)):
        time.sleep(LOOK_S)
    return claims


def replay(running: TrainerProject, test: Pair, seed: int) -> tuple[list[tuple[int, float]], int]:
    """Test accuracy after each decision, and how many were audits."""
    with running.database.read() as session:
        decided = sorted(current_labels(session, project_id=running.project_id), key=lambda label: label.event_id)
    store = FeatureStore(running.project.features_dir / BACKBONE, BACKBONE)
    test_ids = max(running.class_of) + 1 + np.arange(len(test[0]))
    store.append(test_ids, test[0][:, None])

    predictor, pool = GraphPredictor(store, num_classes=10, seed=seed), np.array(list(running.class_of), np.int64)
    labels: dict[int, int] = {}
    curve = []
    for decision in decided:
        if decision.purpose != "audit" and decision.class_index is not None:
            labels[decision.sample_id] = decision.class_index
        predictor.refit(labels)
        predicted = predictor.graph(pool=pool).probs(test_ids).argmax(1)
        curve.append((len(curve) + 1, float((predicted == test[1]).mean())))
    return curve, len(decided) - len(labels)


def baal(pool: Pair, test: Pair, seed: int, decisions: int) -> Outcome:
    """One session of BaaL's loop."""
    samples, test_samples = (as_samples(pair) for pair in (pool, test))
    loop = NetworkLoop(samples, 10, "BaaL BALD", seed, mc_iterations=20, prefix_once=False)
    curve: list[tuple[int, float]] = []
    waited = [0.0]
    while True:
        began = time.perf_counter()
        loop.fit()
        fitted = time.perf_counter() - began
        curve.append((len(loop.labeled), loop.accuracy(test_samples.rows, test_samples.labels)))
        if holds(curve) or len(loop.labeled) + QUERY > decisions:
            break
        began = time.perf_counter()
        loop.ask()
        waited.append(waited[-1] + fitted + time.perf_counter() - began)
    reached = stays(curve, GOAL)
    rounds = (reached if reached > 0 else decisions) // QUERY
    waited_s = waited[rounds - 1]
    seconds = DECISION_S * QUERY * rounds + waited_s
    return Outcome(f"BaaL, seed {seed}", reached, seconds, waited_s, f"last accuracy {curve[-1][1]:.1%}")


def as_samples(pair: Pair) -> Samples:
    """For the networks."""
    return Samples(torch.from_numpy(pair[0][:, None]), torch.from_numpy(pair[1].astype(np.int64)))


def holds(curve: Sequence[tuple[int, float]]) -> bool:
    """Whether the goal was kept for some rounds."""
    last = curve[-STAYS - 1 :]
    return len(last) > STAYS and all(accuracy >= GOAL for _, accuracy in last)


if __name__ == "__main__":
    main()
