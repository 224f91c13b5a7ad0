"""What many runs say together: a table of medians and worst seeds, and a plot with bands."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.simulation.run import THRESHOLDS, labels_to
from loops.acquisition.catalog import RANDOM

LABELS = (10, 20, 50, 100, 150, 200, 300, 500, 1_000, 2_000, 5_000, 10_000)  # rows of the table, up to the budget
Result = Mapping[str, Any]


def by_acquisition(results: Sequence[Result]) -> dict[str, list[Result]]:
    """The runs of each acquisition function, in the order in which they were asked for."""
    names = dict.fromkeys(str(result["asked_for"]) for result in results)
    return {name: [result for result in results if result["asked_for"] == name] for name in names}


def accuracy_at(curve: Sequence[Sequence[float]], labels: int) -> float | None:
    """Accuracy of the last model trained with at most that many labels; None before the first."""
    return next((accuracy for at, accuracy in reversed(curve) if at <= labels), None)


def table_rows(results: Sequence[Result], budget: int) -> list[dict[str, Any]]:
    """One row per acquisition function and number of labels: median and worst over the seeds."""
    marks = [labels for labels in LABELS if labels < budget] + [budget]
    rows = []
    for name, runs in by_acquisition(results).items():
        for labels in marks:
            found = [accuracy_at(run["curve"], labels) for run in runs]
            known = [accuracy for accuracy in found if accuracy is not None]
            if len(known) == len(runs):
                row = {"acquisition": name, "labels": labels, "seeds": len(runs)}
                rows.append({**row, "median": statistics.median(known), "worst": min(known)})
    return rows


def labels_to_rows(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Labels to each threshold, and staying there: median and worst; None where the median run, or one, never does."""
    rows = []
    for name, runs in by_acquisition(results).items():
        for threshold in THRESHOLDS:
            found = [run["labels_to"][f"{threshold:.2f}"] for run in runs]
            reached = [float("inf") if labels is None else labels for labels in found]
            row = {"acquisition": name, "accuracy": threshold, "seeds": len(runs)}
            rows.append({**row, "median": _finite(statistics.median(reached)), "worst": _finite(max(reached))})
    return rows


def _finite(value: float) -> float | None:
    return None if value == float("inf") else value


def table_text(results: Sequence[Result], budget: int) -> str:
    """The table as a person reads it, in Markdown; the worst seed in brackets."""
    names = list(by_acquisition(results))
    seeds = len(results) // len(names)
    lines = [f"| labels | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    cells = {(row["labels"], row["acquisition"]): row for row in table_rows(results, budget)}
    for labels in sorted({labels for labels, _ in cells}):
        shown = [_cell(cells.get((labels, name))) for name in names]
        lines.append(f"| {labels:,} | {' | '.join(shown)} |")
    to = {(row["accuracy"], row["acquisition"]): row for row in labels_to_rows(results)}
    for threshold in THRESHOLDS:
        shown = [_labels_cell(to[threshold, name]) for name in names]
        lines.append(f"| to {100 * threshold:.0f} % and staying | {' | '.join(shown)} |")
    heading = "Test accuracy: median (worst)" if seeds > 1 else "Test accuracy"
    return "\n".join([f"{heading} of {seeds} seed{'s' * (seeds > 1)}.", "", *lines])


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "-"
    worst = f" ({100 * row['worst']:.1f} %)" if row["seeds"] > 1 else ""
    return f"{100 * row['median']:.1f} %{worst}"


def _labels_cell(row: Mapping[str, Any]) -> str:
    median, worst = (f"{row[name]:,.0f}" if row[name] is not None else "never" for name in ("median", "worst"))
    return f"{median} ({worst})" if row["seeds"] > 1 else median


def saved_rows(results: Sequence[Result]) -> list[dict[str, Any]]:
    """What each run said of labels saved against random, beside the truth: how many the runs of `random` needed.

    Labels that were trained on, here and there. `drawn` is how many the runs of `random` went up to, 0 without any;
    `random` is None where no number of them was enough; `held`: whether the band has the truth in it, None where they
    ended before it could be told.
    """
    random = by_acquisition(results).get(RANDOM, [])
    marks = sorted({trained for run in random for trained in run["trained"]})
    columns = [(n, [accuracy_at(_trained_curve(run), n) for run in random]) for n in marks]
    curve = [(n, statistics.median(found)) for n, column in columns if (found := [a for a in column if a is not None])]
    rows = []
    for run in results:
        said = run["labels_saved"]
        if said is not None and run["asked_for"] != RANDOM:
            needed, drawn = labels_to(curve, run["curve"][-1][1]), curve[-1][0] if curve else 0
            row = {"acquisition": run["asked_for"], "seed": run["seed"], "random": needed, "drawn": drawn}
            band = {name: said[name] for name in ("labels", "audited", "wanted", "low", "high")}
            rows.append({**row, **band, "held": _held(said, needed, most=drawn) if drawn else None})
    return rows


def _trained_curve(run: Result) -> list[tuple[int, float]]:
    return [(trained, accuracy) for trained, (_, accuracy) in zip(run["trained"], run["curve"], strict=True)]


def _held(said: Mapping[str, Any], needed: int | None, *, most: int) -> bool | None:
    """Whether the band has the truth in it, which is `needed`, or beyond `most`."""
    if needed is not None:
        return bool(said["low"] <= needed <= (float("inf") if said["high"] is None else said["high"]))
    return True if said["high"] is None else False if said["high"] < most else None


def saved_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The same for a person; empty without audit labels enough."""
    if not rows:
        return ""
    lines = [
        "Labels drawn at random for the same accuracy: what the audit labels said, and what it took.",
        "",
        "| run | chosen labels | audit labels | said (95 % band) | took | in the band |",
        "|---|---|---|---|---|---|",
    ]
    words = {True: "yes", False: "no", None: "not known"}
    for row in rows:
        high = "more" if row["high"] is None else f"{row['high']:,.0f}"
        more = f"more than {row['drawn']:,}" if row["drawn"] else "random was not run"
        took = more if row["random"] is None else f"{row['random']:,}"
        cells = [f"{row['acquisition']}, seed {row['seed']}", f"{row['labels']:,}", f"{row['audited']:,}"]
        said = f"{row['wanted']:,.0f} ({row['low']:,.0f} to {high})"
        lines.append(f"| {' | '.join([*cells, said, took, words[row['held']]])} |")
    return "\n".join(lines)


def honest_text(results: Sequence[Result]) -> str:
    """What each run could say of itself without a test set, beside what the test set says; and when it said stop."""
    lines = [
        "What a project would have said of its last model, beside the test set (95 % intervals).",
        "",
        "| run | test set | audit | LURE | cross-validated (biased) | stop adviser |",
        "|---|---|---|---|---|---|",
    ]
    for run in results:
        labels, accuracy = run["curve"][-1] if run["curve"] else (0, None)
        audit = run["audit_curve"][-1][1:] if run["audit_curve"] else None
        told = [run["accuracies"].get(name) for name in ("lure", "cross_validated")]
        cells = [
            "-" if accuracy is None else f"{100 * accuracy:.1f} % at {labels:,} labels",
            _interval_cell(audit),
            *(_interval_cell([one[key] for key in ("accuracy", "low", "high")] if one else None) for one in told),
            _stop_cell(run),
        ]
        lines.append(f"| {run['asked_for']}, seed {run['seed']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _interval_cell(found: Sequence[float] | None) -> str:
    if found is None:
        return "-"
    accuracy, low, high = (100 * share for share in found)
    return f"{accuracy:.1f} % ({low:.1f} to {high:.1f})"


def _stop_cell(run: Result) -> str:
    if run["stop_at"] is None:
        return str(run["advice"]["verdict"]) if run["advice"] else "-"
    labels, accuracy = run["stop_at"]
    return f"stop at {labels:,} labels ({100 * accuracy:.1f} %)"


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """The table for programs."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["acquisition", "labels", "seeds", "median", "worst"])
        writer.writeheader()
        writer.writerows(rows)


def draw_curves(path: Path, results: Sequence[Result]) -> None:
    """Median over the seeds as a line, from the worst to the best seed as a band."""
    from matplotlib.figure import Figure  # without pyplot: no global state, no display

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for place, (name, runs) in enumerate(by_acquisition(results).items()):
        labels_N = sorted({labels for run in runs for labels, _ in run["curve"]})
        columns = [(n, [accuracy_at(run["curve"], n) for run in runs]) for n in labels_N]
        whole = [(n, [a for a in column if a is not None]) for n, column in columns if None not in column]
        at = [n for n, _ in whole]
        color = f"C{place}"
        axes.fill_between(at, [min(c) for _, c in whole], [max(c) for _, c in whole], alpha=0.18, color=color, lw=0)
        # Eyes that see few colors have the shape; there are ten colors and more functions.
        marker, line = "osD^vPX*<>dphH8"[place % 15], "-" if place < 10 else "--"
        middle = [statistics.median(c) for _, c in whole]
        axes.plot(at, middle, marker=marker, ls=line, ms=4, color=color, label=name)
    seeds = len(results) // max(1, len(by_acquisition(results)))
    title = f"median of {seeds} seeds; band: worst to best" if seeds > 1 else "one seed"
    axes.set(xlabel="labels", ylabel="accuracy on the test set", title=title)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=150)
