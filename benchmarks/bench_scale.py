"""10,000, 100,000 and 1,000,000 samples in one project: time per round, memory, and the query for the next sample.

    OMP_NUM_THREADS=1 python benchmarks/bench_scale.py                          an hour on one core, most of it at 1M
    OMP_NUM_THREADS=1 python benchmarks/bench_scale.py --samples 10000 --peers  ten minutes

Each step runs in a process of its own, which says how much memory it took at most: of its own, and in parentheses with
the pages of files that it reads, features above all, which the system takes back when somebody needs the room.

fill      samples into the database and their rows into the feature store; synthetic gray images, 28 x 28
open      what the trainer does at each start: settings, samples, features
round 0   the graph of the pool, its first ranking, published
label     one decision after another: claimed, stored, and the whole pool ranked anew
next      the Label page's transactions: a decision stored, and the queue filled up; no torch in this process
screens   counts, a page of samples, and a round's scores as Uncertainty and Grid read them
round 1   the network fitted on those labels, the pool scored by MC dropout, ranked, published

Peers, at the N that they hold: BaaL's generator path over the same kind of network, scikit-activeml over points.
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

import scale_steps

STEPS = ("fill", "open", "round 0", "label", "next", "round 1", "screens")
PEERS = ("baal generator", "scikit-activeml")


def main() -> None:
    """Prints one table per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--only", nargs="+", choices=STEPS, default=STEPS, metavar="STEP", help="; ".join(STEPS))
    parser.add_argument("--labels", type=int, default=50, help="decisions that are timed")
    parser.add_argument("--peers", action="store_true", help="BaaL and scikit-activeml beside it")
    parser.add_argument("--quick", action="store_true", help="2,000 samples and 10 labels")
    parser.add_argument("--folder", type=Path, help="keeps the projects; without it they are thrown away")
    parser.add_argument("--one", nargs=4, metavar=("STEP", "FOLDER", "N", "LABELS"), help="used by itself")
    options = parser.parse_args()
    if options.one:
        step, folder, n, labels = options.one
        print(json.dumps(measured(lambda: scale_steps.ALL[step](Path(folder), int(n), int(labels)))))
        return
    if options.quick:
        options.samples, options.labels = [2_000], 10
    print(f"load average at the start {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for n in options.samples:
        print(f"\n{n:,} samples")
        with tempfile.TemporaryDirectory() as made:
            folder = (options.folder or Path(made)) / f"scale-{n}"
            for step in (*options.only, *(PEERS if options.peers else ())):
                run(step, folder, n, options.labels)
    print(f"\nload average at the end {os.getloadavg()[0]:.1f}")


def run(step: str, folder: Path, n: int, labels: int) -> None:
    """One step, in a process of its own; one that fails says why on stderr, and the others go on."""
    command = [sys.executable, "-W", "ignore", __file__, "--one", step, str(folder), str(n), str(labels)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print(f"  {step:<16} failed ({done.returncode})", flush=True)
        return
    found = json.loads(done.stdout.splitlines()[-1])
    time_s = f"{found['seconds']:>8,.1f} s, {found['cpu_seconds']:>8,.1f} CPU-s"
    print(f"  {step:<16}{time_s}, peak {found['own']:>6,.0f} ({found['all']:,.0f}) MiB  {found['said']}", flush=True)


def measured(step: Callable[[], str]) -> dict[str, object]:
    """What a step says, how long it took, and the most memory this process ever held."""
    own, ended = [mebibytes("RssAnon")], threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            own.append(mebibytes("RssAnon"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    began, cpu_began = time.perf_counter(), time.process_time()
    try:
        said = step()
    finally:
        ended.set()
        watcher.join()
    return {
        "said": said,
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu_began,
        "own": max(own),
        "all": mebibytes("VmHWM"),
    }


def mebibytes(kind: str) -> float:
    """What Linux says of this process's memory."""
    with Path("/proc/self/status").open() as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines[kind].split()[0]) / 1024


if __name__ == "__main__":
    main()
