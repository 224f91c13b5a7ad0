"""Is active learning worth it? Accuracy against labels for acquisition functions and seeds, through `labelloop
simulate`.

    python benchmarks/bench_bald_against_random.py                             the digits of sample_data
    python benchmarks/bench_bald_against_random.py --npz mnist.npz --pool 10000    MNIST, Keras' file format

Every run starts from no labels; there are no validation labels. Seeds are 0, 1, 2, ... and none is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
DIGITS = ROOT / "sample_data" / "digits"
AT = (20, 50, 100, 150, 200)  # labels


def main() -> None:
    """Runs all pairs of acquisition function and seed, two at a time, and prints one table."""
    options = parse()
    pairs = [(name, seed) for seed in range(options.seeds) for name in options.acquisitions]
    with ThreadPoolExecutor(options.processes) as pool:
        results = list(pool.map(lambda pair: simulate(options, *pair), pairs))
    for name in options.acquisitions:
        print_rows(name, [result for result in results if result["acquisition"] == name], options.budget)
    if {"bald", "random"} <= set(options.acquisitions):
        print_paired(results, options.budget)
    if options.json:
        options.json.write_text(json.dumps(results))


def parse() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--npz", type=Path, help="x_train, y_train, x_test, y_test; default: sample_data/digits")
    parser.add_argument("--pool", type=int, help="samples of x_train in the pool")
    parser.add_argument("--predictor", default="cnn")
    parser.add_argument("--acquisitions", nargs="+", default=["bald", "random"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=int, default=200, help="labels")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path, help="where all curves go")
    return parser.parse_args()


def simulate(options: argparse.Namespace, acquisition: str, seed: int) -> dict[str, Any]:
    """One run in a process of its own, on one thread."""
    data = ["--npz", str(options.npz)] if options.npz else digits_arguments()
    pool = ["--pool", str(options.pool)] if options.pool else []
    with tempfile.TemporaryDirectory() as out:
        command = [
            *(sys.executable, "-W", "ignore", "-m", "app.command.main", "simulate", *data, *pool),
            *("--predictor", options.predictor, "--acquisition", acquisition, "--seed", str(seed)),
            *("--budget", str(options.budget), "--out", out),
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    print(f"{acquisition} seed {seed} done", file=sys.stderr)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def digits_arguments() -> list[str]:
    """The sample data; test images leave the pool, though `labels.csv` has their labels too."""
    return ["--images", str(DIGITS), "--labels", str(DIGITS / "labels.csv"), "--test", str(DIGITS / "test.csv")]


def accuracy_at(result: dict[str, Any], labels: int) -> float | None:
    """Test accuracy after that many labels, if the run came by there."""
    return dict(map(tuple, result["curve"])).get(labels)


def print_rows(name: str, results: list[dict[str, Any]], budget: int) -> None:
    """Median and worst seed at each number of labels, and the labels needed."""
    print(f"\n{name}, {results[0]['learner']}, seeds {[result['seed'] for result in results]}")
    for labels in [*(at for at in AT if at < budget), budget]:
        found = [accuracy for result in results if (accuracy := accuracy_at(result, labels)) is not None]
        if found:
            print(f"  {labels:>4} labels: median {statistics.median(found):.2%}, worst {min(found):.2%}")
    for threshold in ("0.90", "0.95"):
        needed = [result["labels_to"][threshold] for result in results]
        print(f"  labels to {threshold} and staying there: {needed}")
    seconds = [result["seconds_per_round"] for result in results]
    for step in ("fit", "score"):
        print(f"  {step} per round, median of seeds: {statistics.median(s[step] for s in seconds):.1f} s")


def print_paired(results: list[dict[str, Any]], budget: int) -> None:
    """BALD minus random at the budget, seed by seed."""
    at_budget = {(result["acquisition"], result["seed"]): accuracy_at(result, budget) for result in results}
    seeds = sorted({result["seed"] for result in results})
    differences = [at_budget["bald", seed] - at_budget["random", seed] for seed in seeds]
    points = ", ".join(f"{100 * difference:+.2f}" for difference in differences)
    print(f"\nBALD minus random at {budget} labels, by seed: {points} points")


if __name__ == "__main__":
    main()
