"""The tables of `bench_label_efficiency.py`, from the curves it kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHOWN = (2, 4, 6, 8, 10, 12, 15, 20, 30, 50, 100, 150)  # labels
Runs = dict[str, Any]  # seed -> curve and CPU-seconds


def print_tables(results: dict[str, Any], arms: Sequence[str]) -> None:
    """Labels to the goal of each arm and set; then accuracies set by set."""
    print("\nLabels to the goal, there to stay: median (worst) of so many seeds\n")
    print("| | " + " | ".join(f"{name}, {of_set['goal']:.1%}" for name, of_set in results.items()) + " |")
    print("|---|" + "---|" * len(results))
    for arm in arms:
        cells = [to_goal(of_set["arms"].get(arm, {}), of_set["goal"]) for of_set in results.values()]
        print(f"| {arm} | {' | '.join(cells)} |")
    for name, of_set in results.items():
        print(f"\n### {name}: pool {of_set['pool']:,}, goal {of_set['goal']:.1%}\n")
        print("| | labels to the goal: median (worst) of seeds | " + " | ".join(map(str, SHOWN)) + " | CPU-s a run |")
        print("|---|---|" + "---|" * (len(SHOWN) + 1))
        for arm in arms:
            if arm in of_set["arms"]:
                print(row(arm, of_set["arms"][arm], of_set["goal"]))
        paired(of_set["arms"], "auto", "random")


def row(arm: str, runs: Runs, goal: float) -> str:
    """One arm: labels to the goal; median accuracy and that of the worst seed at each number of labels."""
    cells = [accuracies(runs, n) for n in SHOWN]
    seconds = np.median([run["cpu_s"] for run in runs.values()])
    return f"| {arm} | {to_goal(runs, goal)} | {' | '.join(cells)} | {seconds:.0f} |"


def to_goal(runs: Runs, goal: float) -> str:
    """Median and worst number of labels, and of how many seeds; of an even number the upper of the middle two."""
    if not runs:
        return ""
    needed = sorted((stays(run["curve"], goal) for run in runs.values()), key=lambda n: (n < 0, abs(n)))
    return f"{shown(needed[len(needed) // 2])} ({shown(needed[-1])}) of {len(needed)}"


def accuracies(runs: Runs, labels: int) -> str:
    """Median and worst of the runs that have a figure there; a run that ended at its goal has none beyond."""
    found = [100 * dict(map(tuple, run["curve"]))[labels] for run in runs.values() if has(run, labels)]
    return f"{np.median(found):.1f} ({min(found):.1f})" if len(found) == len(runs) else ""


def has(run: dict[str, Any], labels: int) -> bool:
    """Whether accuracy was measured there."""
    return any(n == labels for n, _ in run["curve"])


def stays(curve: Sequence[tuple[int, float]], goal: float) -> int:
    """The labels from which a curve stays at the goal; minus the last number of labels where it does not."""
    reached = None
    for labels, accuracy in curve:
        if accuracy < goal:
            reached = None
        elif reached is None:
            reached = labels
    return -curve[-1][0] if reached is None else reached


def shown(needed: int) -> str:
    """As in the README."""
    return f"> {-needed}" if needed < 0 else str(needed)


def paired(arms: dict[str, Runs], ours: str, other: str) -> None:
    """At how many labels ours is below the other, over the seeds that have both."""
    seeds = sorted(set(arms.get(ours, {})) & set(arms.get(other, {})))
    if not seeds:
        return
    gains = np.array([accuracy_of(arms[ours][seed]) - accuracy_of(arms[other][seed]) for seed in seeds])
    median, mean = np.median(gains, axis=0), gains.mean(axis=0)
    below = [f"{n + 1} ({100 * mean[n]:+.1f} points in the mean)" for n in np.flatnonzero((median < 0) | (mean < 0))]
    at = ", ".join(below) or "no number of"
    print(f"\n{ours} minus {other}, paired over {len(seeds)} seeds: median or mean below 0 at {at} labels")


def accuracy_of(run: dict[str, Any]) -> NDArray[np.float64]:
    """After each label."""
    return np.array([accuracy for _, accuracy in run["curve"]])
