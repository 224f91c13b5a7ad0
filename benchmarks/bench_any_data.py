"""Data that nobody tuned for: the default, with no option but the kind, beside simple rules with logistic regression.

    python benchmarks/bench_any_data.py --data FOLDER                          every set there is
    python benchmarks/bench_any_data.py --data FOLDER --sets trec wheat --seeds 5

A seed draws nine tenths of the pool. `labelloop simulate` labels it from nothing to 200 labels, as it is. Peers ask ten
labels at a time on rows of length 1, once on every embedding there is of the kind (the best of them is told) and once
on that which the default chose. Medians of the seeds, the worst in brackets, in percent: accuracy on the test set, and
where a class is rare its mean over classes and the average precision of the rare class.

Sets that no choice of this project was made on are marked. `make_unseen_sets.py` makes dozens more; any folder
with `text/NAME-pool.csv`, `tables/NAME-pool.csv` (each beside `NAME-test.csv`) or `NAME/{train,val}/CLASS` will do.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from any_data_peers import AT, RULES, Asked, Floats, Ids, curve_of
from any_data_sets import all_names, drawn
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_limits

from app.simulation.config import SimulationConfig
from app.simulation.data import embed_all, load_data
from app.simulation.pool_features import build_graphs
from app.simulation.run import MeasuredRound
from app.simulation.study import prepared, simulate
from loops.embeddings.features import FeatureStore
from loops.oracle import Query

CHOSEN_ON = ("flowers32", "hymenoptera", "mnist", "digits", "trec", "subjective", "wheat", "adult")
ACCURACY, BALANCED, PRECISION = "accuracy", "balanced accuracy", "average precision of the rare class"
MEASURES = {  # of sets with a rare class, the one that counts first; accuracy alone of all others
    "adult": (ACCURACY, BALANCED, PRECISION),
    "german_credit": (ACCURACY, BALANCED, PRECISION),
    "mammography": (BALANCED, PRECISION),  # 2 of 100 are positive
}
BEST = "the best of them"
MOST_EMBEDDED = 10_000  # samples of a pool that is embedded in every way; of a larger one only as the default does

Judged = dict[str, float]  # by the name of the measure


def main() -> None:
    """One table per set, then by how much the default is above the best peer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the sets")
    parser.add_argument("--sets", nargs="*")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--budget", type=int, default=AT[-1])
    parser.add_argument("--quick", action="store_true", help="wheat or digits, one seed, 20 labels")
    options = parser.parse_args()
    if options.quick:
        options.seeds, options.budget = 1, 20
    names = options.sets or (["digits"] if options.quick or options.data is None else all_names(options.data))
    jobs = [(options.data, name, seed, options.budget) for name in names for seed in range(options.seeds)]
    found: dict[str, list[Measured]] = defaultdict(list)
    with ProcessPoolExecutor(options.processes) as processes:
        try:
            for (_, name, _, _), measured in zip(jobs, processes.map(measure, jobs), strict=True):
                found[name].append(measured)
                if len(found[name]) == options.seeds:
                    report(name, found[name])
        finally:  # also of those that there are once it is stopped
            summarize({name: seeds for name, seeds in found.items() if len(seeds) == options.seeds})


@dataclass(frozen=True)
class Measured:
    """One seed of one set."""

    embedding: str  # that the default chose
    default: dict[int, Judged]  # labels -> reached
    peers: dict[tuple[str, str], dict[int, dict[bool, Judged]]]  # (rule, embedding) -> labels -> intercept -> reached
    fit_s: float
    cpu_s: float  # of the whole simulation


def measure(job: tuple[Path, str, int, int]) -> Measured:
    """The default and its peers on one draw."""
    data, name, seed, budget = job
    with tempfile.TemporaryDirectory() as place, threadpool_limits(1), Path(os.devnull).open("w") as nowhere:
        folder = Path(place)
        pool, test = drawn(data, name, seed, folder)
        config = SimulationConfig(labels=pool, test=test, out=folder / "out", budget=budget, seed=seed)
        with redirect_stderr(nowhere):
            return _measured(config, folder=folder)


def _measured(config: SimulationConfig, *, folder: Path) -> Measured:
    samples = load_data(config)
    truth = labels_of(samples.test)
    rare = int(np.bincount(truth, minlength=len(samples.classes)).argmin())
    default: dict[int, Judged] = {}

    def noted(_query: Query, round_: MeasuredRound | None) -> None:
        answers = None if round_ is None or round_.labels not in AT else round_.test.answers
        if round_ is not None and answers is not None:
            is_rare, confidence = answers.predicted_N == rare, answers.confidence_N
            of_rare = np.where(is_rare, confidence, 1 - confidence)  # of more classes than two nobody asks for it
            default[round_.labels] = judged(answers.labels_N, answers.predicted_N, answers.labels_N == rare, of_rare)

    def judge(predicted: Ids, probs: Floats) -> Judged:
        return judged(truth, predicted, truth == rare, probs[:, rare])

    started = time.process_time()
    with prepared(config, samples, folder / "stores") as simulation:
        build_graphs(simulation.store, samples.pool, num_classes=len(samples.classes), seed=config.seed, progress=print)
        result = simulate(config, simulation, noted)
        chosen, cpu_s = simulation.store.backbone.name, time.process_time() - started
        names = samples.candidates if len(samples.pool) <= MOST_EMBEDDED else (chosen,)
        found = {}
        for embedding in names:
            store = FeatureStore(folder / "stores" / embedding, embedding)
            embed_all(store, samples)
            rows, test_rows = (unit(store.flat_rows(sorted(part))) for part in (samples.pool, samples.test))
            for rule in RULES:
                asked = Asked(rows, labels_of(samples.pool), config.seed)
                found[rule, embedding] = curve_of(rule, asked, test_rows, judge)
    return Measured(chosen, default, found, result["seconds_per_round"]["fit"], cpu_s)


def labels_of(part: dict[int, int]) -> Ids:
    """In ascending order of ids."""
    return np.array([part[sample_id] for sample_id in sorted(part)], np.int64)


def judged(truth: Ids, predicted: Ids, is_rare: np.ndarray, of_rare: Floats) -> Judged:
    """Each measure, of classes and of the probability of the rare one."""
    recalls = [float((predicted[truth == one] == one).mean()) for one in np.unique(truth)]
    return {
        ACCURACY: float((predicted == truth).mean()),
        BALANCED: statistics.fmean(recalls),
        PRECISION: float(average_precision_score(is_rare, of_rare)),
    }


def unit(rows: np.ndarray) -> Floats:
    """Rows of length 1."""
    return rows / np.maximum(np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True), 1e-9)


def report(name: str, seeds: Sequence[Measured]) -> None:
    """Median and worst of each arm."""
    budgets = budgets_of(seeds)
    unseen = "" if name in CHOSEN_ON else " (no choice was made on it)"
    cpu, fit = statistics.median(one.cpu_s for one in seeds), statistics.median(one.fit_s for one in seeds)
    chosen = statistics.mode(one.embedding for one in seeds)
    print(f"\n## {name}{unseen}: {len(seeds)} seeds, {cpu:.0f} CPU-s a run, {fit:.1f} s a fit")
    for measure in MEASURES.get(name, (ACCURACY,)):
        print(f"\n| {measure}: arm | " + " | ".join(f"{at}" for at in budgets) + " |")
        print("|---" * (len(budgets) + 1) + "|")
        row(f"**LabelLoop** ({chosen})", [[one.default[at][measure] for one in seeds] for at in budgets])
        for rule in RULES:
            for label, embeddings in (("best embedding", {e for _, e in seeds[0].peers}), (chosen, {chosen})):
                cells = [best_of(seeds, rule, embeddings, at, measure) for at in budgets]
                row(f"{rule} + logistic regression ({label})", cells)
    sys.stdout.flush()


def best_of(seeds: Sequence[Measured], rule: str, embeddings: set[str], at: int, measure: str) -> list[float]:
    """What each seed reached, with the embedding and the kind of regression that is best in the median."""
    arms = [
        [one.peers[rule, embedding][at][intercept][measure] for one in seeds]
        for embedding in sorted(embeddings)
        for intercept in (False, True)
        if all(at in one.peers[rule, embedding] for one in seeds)
    ]
    return max(arms, key=statistics.median)


def row(name: str, cells: Sequence[Sequence[float]]) -> None:
    """Median and worst, in percent."""
    print(f"| {name} | " + " | ".join(f"{100 * statistics.median(c):.1f} ({100 * min(c):.1f})" for c in cells) + " |")


def summarize(found: dict[str, list[Measured]]) -> None:
    """By how much the default is above its peers: of each set, then on average over the sets."""
    print("\n## Default minus the best peer, points (standard error over seeds)")
    gains_of: dict[str, dict[int, list[float]]] = {rule: defaultdict(list) for rule in (*RULES, BEST)}
    for name, seeds in found.items():
        first, *others = MEASURES.get(name, (ACCURACY,))
        for measure in (first, *others):
            gains = gains_over(seeds, measure)
            cells = [f"{at}: {statistics.fmean(of[BEST]):+.1f} ({error_of(of[BEST]):.1f})" for at, of in gains.items()]
            print(f"{name}, {measure}: {', '.join(cells)}")
            for at, of_rule in gains.items() if measure == first else ():
                for rule, gain in of_rule.items():
                    gains_of[rule][at].append(statistics.fmean(gain))
    sets = len(found)
    print(f"\n## Default minus a peer, mean over {sets} sets (standard error over sets; on how many it is not below)")
    print("| minus | " + " | ".join(f"{at}" for at in gains_of[BEST]) + " |")
    print("|---" * (len(gains_of[BEST]) + 1) + "|")
    for rule, of_budget in gains_of.items():
        cells = []
        for gains in of_budget.values():
            ahead = sum(gain >= 0 for gain in gains)
            cells.append(f"{statistics.fmean(gains):+.1f} ({error_of(gains):.1f}; {ahead} of {len(gains)})")
        print(f"| {rule} | {' | '.join(cells)} |")


def gains_over(seeds: Sequence[Measured], measure: str) -> dict[int, dict[str, list[float]]]:
    """The default minus each rule, and minus the best of them, of each seed, in points, by the number of labels."""
    found = {}
    for at in budgets_of(seeds):
        of_rule = {rule: best_of(seeds, rule, {e for _, e in seeds[0].peers}, at, measure) for rule in RULES}
        of_rule[BEST] = max(of_rule.values(), key=statistics.median)
        found[at] = {
            rule: [100 * (one.default[at][measure] - peer) for one, peer in zip(seeds, reached, strict=True)]
            for rule, reached in of_rule.items()
        }
    return found


def budgets_of(seeds: Sequence[Measured]) -> list[int]:
    """Numbers of labels that each seed was measured at."""
    return sorted(set.intersection(*(set(one.default) for one in seeds)))


def error_of(values: Sequence[float]) -> float:
    """Standard error of a mean."""
    return statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0


if __name__ == "__main__":
    main()
