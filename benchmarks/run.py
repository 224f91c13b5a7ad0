"""Runs every benchmark in turn and writes one table, with what each of them printed below it.

    python benchmarks/run.py --mnist mnist.npz --photos FOLDER    everything, as the README quotes it: hours
    python benchmarks/run.py                  the same on the sample data
    python benchmarks/run.py --quick          the same scripts on less: whether they run, not what they say
    python benchmarks/run.py --only kfold grid

One after the other, each in a process of its own: two at once would measure each other. What is not installed is said
before the first one; `pip install '.[bench]'` brings what can live beside LabelLoop, and `peers.py` fetches the other
peers where it can.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path

import peers

HERE = Path(__file__).parent
BROWSER = {
    "bench_annotators",
    "bench_faults",
    "bench_grid",
    "bench_kills",
    "bench_labeler_latency",
    "bench_map",
    "bench_start",
}
# For the scripts that have no --quick of their own.
QUICK = {
    "bench_bald_against_random": ["--seeds", "1", "--budget", "20"],
    "bench_every_label": ["--samples", "2000", "--labels", "5"],
    "bench_first_labels": ["--images", "2000", "--pools", "1", "--labels", "4"],
    "bench_from_scratch": ["--epochs", "1"],
    "bench_grid": ["--seconds", "5"],
    "bench_instant_head": ["--samples", "500", "--labels", "50", "--acquisitions", "margin", "--repetitions", "2"],
    "bench_instant_ranking": ["--seeds", "1", "--labels", "20"],
    "bench_kfold": ["--seeds", "1", "--labels", "40"],
    "bench_loops_overhead": ["--rounds", "1", "--repetitions", "1", "--instant-repetitions", "2"],
    "bench_vaal": ["--seeds", "1", "--budget", "20"],
}
NEEDS_MNIST = {"bench_every_label", "bench_first_labels", "bench_simulated_labeler"}
WITH_MNIST = {"bench_bald_against_random": ["--pool", "10000"]}  # as the README quotes it


@dataclass(frozen=True)
class Outcome:
    """How one script went."""

    name: str
    question: str  # first line of its docstring
    code: int
    seconds: float
    processor_seconds: float
    output: str


def main() -> int:
    """Runs what was asked for; 1 if a script failed."""
    options = parse()
    scripts = [
        script for script in find(HERE) if not options.only or script.stem.removeprefix("bench_") in options.only
    ]
    options.out.mkdir(parents=True, exist_ok=True)
    for sentence in missing_peers():
        print(sentence)
    left_out = {script: why for script in scripts if (why := what_is_missing(script, options))}
    for script, why in left_out.items():
        print(f"{script.name} is left out: {why}")
    scripts = [script for script in scripts if script not in left_out]
    outcomes: list[Outcome] = []
    for place, script in enumerate(scripts, start=1):
        print(f"[{place} of {len(scripts)}] {script.name} ...", flush=True)
        outcomes.append(run(script, arguments_of(script, options)))
        print(f"    {verdict(outcomes[-1])}, {outcomes[-1].seconds:.0f} s", flush=True)
        # After each: who breaks off keeps what there is.
        (options.out / "bench.md").write_text(report(outcomes, quick=options.quick), encoding="utf-8")
    print(table(outcomes))
    return int(any(outcome.code for outcome in outcomes))


def parse() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [script.stem.removeprefix("bench_") for script in find(HERE)]
    parser.add_argument("--quick", action="store_true", help="less of everything: minutes")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--mnist", type=Path, help="x_train, y_train, x_test, y_test as an .npz file")
    parser.add_argument("--photos", type=Path, help="a folder with train/CLASS/*.jpg and val/CLASS/*.jpg")
    parser.add_argument("--out", type=Path, default=Path("bench-results"), help="folder for bench.md")
    return parser.parse_args()


def find(folder: Path) -> list[Path]:
    """The benchmarks, by name."""
    return sorted(folder.glob("bench_*.py"))


def what_is_missing(script: Path, options: argparse.Namespace) -> str:
    """Why a script cannot run; empty: it can."""
    if script.stem in NEEDS_MNIST and options.mnist is None:
        return "it needs --mnist"
    if script.stem in BROWSER and not is_installed("playwright"):
        return "it drives a browser through playwright, which is not installed; pip install '.[bench]'"
    return ""


def missing_peers() -> list[str]:
    """A sentence for each kind of peer that is not there."""
    fetched = [name for name in peers.PACKAGES if not (peers.FOLDER / name).exists()]
    sentences = [f"Not there yet, fetched when they are first asked: {', '.join(fetched)}."] if fetched else []
    if not is_installed("cleanlab"):
        sentences.append("cleanlab is not installed: kfold runs without it; pip install '.[bench]'.")
    return sentences


def is_installed(package: str) -> bool:
    """Whether it could be imported; it is not."""
    return importlib.util.find_spec(package) is not None


def arguments_of(script: Path, options: argparse.Namespace) -> list[str]:
    """What a script is called with."""
    text = script.read_text(encoding="utf-8")
    if options.quick:
        small = ["--quick"] if '"--quick"' in text else QUICK.get(script.stem, [])
        return [*small, "--mnist", str(options.mnist)] if script.stem in NEEDS_MNIST else small
    data = {"--mnist": options.mnist, "--npz": options.mnist, "--photos": options.photos}
    given = [[flag, str(path)] for flag, path in data.items() if path is not None and f'"{flag}"' in text]
    return [*chain.from_iterable(given), *(WITH_MNIST.get(script.stem, []) if options.mnist else [])]


def run(script: Path, arguments: Sequence[str]) -> Outcome:
    """One script, in a process of its own."""
    before, started_at = os.times(), time.monotonic()
    command = [sys.executable, str(script), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    after = os.times()
    spent = (after.children_user + after.children_system) - (before.children_user + before.children_system)
    question = (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or script.stem).splitlines()[0]
    return Outcome(script.stem, question, done.returncode, time.monotonic() - started_at, spent, done.stdout)


def verdict(outcome: Outcome) -> str:
    """Whether it ran."""
    return "done" if outcome.code == 0 else f"failed ({outcome.code})"


def table(outcomes: Sequence[Outcome]) -> str:
    """One row per benchmark."""
    cells = [
        (o.name.removeprefix("bench_"), o.question, verdict(o), f"{o.seconds:.0f}", f"{o.processor_seconds:.0f}")
        for o in outcomes
    ]
    rows = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join(["| benchmark | question | outcome | s | CPU s |", "|---|---|---|---|---|", *rows])


def report(outcomes: Sequence[Outcome], *, quick: bool) -> str:
    """The table, on which machine it was made, and what each script printed."""
    mode = "quick: these figures say that it runs, no more" if quick else "full"
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    when = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load}"
    printed = [f"## {o.name.removeprefix('bench_')}\n\n```\n{o.output.rstrip()}\n```" for o in outcomes]
    return "\n\n".join([f"# Benchmarks ({mode})", f"{when}, {machine}.", table(outcomes), *printed]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
