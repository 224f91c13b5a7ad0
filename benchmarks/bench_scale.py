"""10,000, 100,000 and 1,000,000 samples in one project: time per round, memory, and the query for the next sample.

    OMP_NUM_THREADS=1 python benchmarks/bench_scale.py --folder FOLDER    most of it at 1M; goes on where it was ended
    OMP_NUM_THREADS=1 python benchmarks/bench_scale.py --samples 10000    some minutes

Each step runs in a process of its own, which says how much memory it took at most: of its own, and in parentheses with
the pages of files that it reads, features above all, which the system takes back when somebody needs the room. A
project that is kept in a folder keeps its figures too: a step that was measured is not run again, only shown.

import    files into a project of their own, 100,000 at most: found, hashed, decoded, stored
fill      samples into the database and their rows into the feature store; synthetic gray images, 28 x 28
graph     what the trainer does at the first start: settings, samples, features, the graph of the pool
open      the same at each later start
round 0   the first ranking, published
label     one decision after another: claimed, stored, and the whole pool ranked anew
next      the Label page's transactions: a decision stored, and the queue filled up; no torch in this process
round 1   the network fitted on those labels, the pool scored by MC dropout, ranked, published
screens   counts, a page of samples, and a round's scores as Uncertainty and Grid read them

Peers, at the sizes that they hold: BaaL's generator path over the same network (1,000 samples are scored, the pool's
time follows), scikit-activeml's query over points.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import scale_peers
import scale_steps

STEPS = {**scale_steps.ALL, **scale_peers.ALL}
COLUMNS = {  # of the table: heading, step, figure
    "files imported": ("import", "files"),
    "in CPU-s": ("import", "import CPU-s"),
    "graph, once, CPU-s": ("graph", "ready CPU-s"),
    "opened in CPU-s": ("open", "ready CPU-s"),
    "whole round, CPU-s": ("round 1", "round CPU-s"),
    "its memory, MiB": ("round 1", "own"),
    "label: ranked anew, CPU ms median": ("label", "re-ranked CPU median ms"),
    "p95": ("label", "re-ranked CPU p95 ms"),
    "trainer's memory, MiB": ("label", "own"),
    "next samples, CPU ms p95": ("next", "next CPU p95 ms"),
    "wall ms p95": ("next", "next p95 ms"),
    "BaaL's round, CPU-s": ("baal generator", "whole pool CPU-s"),
    "scikit-activeml's query, CPU ms": ("scikit-activeml", "query CPU median ms"),
    "its memory MiB": ("scikit-activeml", "own"),
}

Found = dict[str, float]


def main() -> None:
    """Prints the figures of each step, and one table of all sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--only", nargs="+", choices=STEPS, default=list(STEPS), metavar="STEP", help="; ".join(STEPS))
    parser.add_argument("--labels", type=int, default=50, help="decisions that are timed")
    parser.add_argument("--quick", action="store_true", help="2,000 samples and 10 labels")
    parser.add_argument("--folder", type=Path, help="keeps projects and figures; without it they are thrown away")
    parser.add_argument("--one", nargs=4, metavar=("STEP", "FOLDER", "N", "LABELS"), help="used by itself")
    options = parser.parse_args()
    if options.one:
        step, folder, n, labels = options.one
        print(json.dumps(measured(lambda: STEPS[step](Path(folder), int(n), int(labels)))))
        return
    if options.quick:
        options.samples, options.labels = [2_000], 10
    print(f"load average at the start {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as made:
        kept = options.folder or Path(made)
        kept.mkdir(parents=True, exist_ok=True)
        found = {n: of_size(kept, n, options.only, options.labels) for n in options.samples}
    print(f"\nload average at the end {os.getloadavg()[0]:.1f}\n\n{table(found)}")


def of_size(folder: Path, n: int, steps: list[str], labels: int) -> dict[str, Found]:
    """All steps at one size; those that were measured before are not repeated."""
    print(f"\n{n:,} samples", flush=True)
    path = folder / f"scale-{n}.json"
    found: dict[str, Found] = json.loads(path.read_text()) if path.exists() else {}
    for step in steps:
        if step not in found and (figures := run(step, folder / f"scale-{n}", n, labels)):
            found[step] = figures
            path.write_text(json.dumps(found, indent=1))
        print(f"  {step:<16}{line(found[step]) if step in found else 'failed'}", flush=True)
    return found


def run(step: str, folder: Path, n: int, labels: int) -> Found | None:
    """One step, in a process of its own; one that fails says why on stderr, and the others go on."""
    command = [sys.executable, "-W", "ignore", __file__, "--one", step, str(folder), str(n), str(labels)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return None if done.returncode else json.loads(done.stdout.splitlines()[-1])


def line(found: Found) -> str:
    """What a step found, in words."""
    said = ", ".join(
        f"{name} {value:,.1f}" for name, value in found.items() if name not in ("s", "CPU-s", "own", "all")
    )
    time_s = f"{found['s']:>8,.1f} s, {found['CPU-s']:>8,.1f} CPU-s"
    return f"{time_s}, peak {found['own']:>6,.0f} ({found['all']:,.0f}) MiB  {said}"


def table(found: dict[int, dict[str, Found]]) -> str:
    """One line for each size."""
    lines = [["samples", *COLUMNS], ["---"] * (1 + len(COLUMNS))]
    for n, steps in found.items():
        figures = [steps.get(step, {}).get(figure) for step, figure in COLUMNS.values()]
        lines.append([f"{n:,}", *("" if figure is None else rounded(figure) for figure in figures)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def rounded(figure: float) -> str:
    """To three digits or so."""
    return f"{figure:,.1f}" if figure < 100 else f"{figure:,.0f}"


def measured(step: Callable[[], Found]) -> Found:
    """What a step found, how long it took, and the most memory this process ever held."""
    own, ended = [mebibytes("RssAnon")], threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            own.append(mebibytes("RssAnon"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    began, cpu_began = time.perf_counter(), time.process_time()
    try:
        found = step()
    finally:
        ended.set()
        watcher.join()
    took = {"s": time.perf_counter() - began, "CPU-s": time.process_time() - cpu_began}
    return {**took, "own": max(own), "all": mebibytes("VmHWM"), **found}


def mebibytes(kind: str) -> float:
    """What Linux says of this process's memory."""
    with Path("/proc/self/status").open() as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines[kind].split()[0]) / 1024


if __name__ == "__main__":
    main()
