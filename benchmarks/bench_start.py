"""How long from nothing to the first image on screen and the model's first question, and what does embedding cost?

    python benchmarks/bench_start.py --photos hymenoptera

Photographs (those of `train/CLASS` below `--photos`) and 60 sample digits, `--repeats` times each, a new project every
time: `labelloop init`; then `labelloop run`, a page of a real browser opened as soon as one answers, until it shows a
sample, and until round 0 is open, whose questions are the model's. Seconds, and the processor seconds that the trainer
and what it starts have used by then. Besides, `labelloop --help`, and the processor seconds that the networks take for
1,000 of the photographs, on one thread.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import torch
from playwright.sync_api import Page, sync_playwright
from real_app import RunningApp, open_browser, open_labeler, running_app, wait_for

from app.kinds.image import load_image
from loops.embeddings.embedding import EfficientNetEmbedder, on_device

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits"
COMMAND = [sys.executable, "-m", "app.command.main"]
EMBEDDED = 64  # photographs that stand for 1,000


@dataclass(frozen=True)
class Start:
    """One project, from nothing."""

    init_s: float
    image_s: float  # from `labelloop run` to the first sample on screen
    question_s: float  # likewise, to the first round
    trainer_cpu_s: float  # by then


def main() -> None:
    """One line per measured thing: the median and the worst."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="folder with train/CLASS/*.jpg")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="digits, once")
    options = parser.parse_args()
    repeats = 1 if options.quick else options.repeats
    report("labelloop --help", [timed([*COMMAND, "--help"]) for _ in range(repeats)])
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        page = open_browser(playwright).new_page()
        sources = {"60 digits": (sixty_digits(Path(place) / "digits"), "0,1,2,3,4,5,6,7,8,9")}
        if options.photos is not None and not options.quick:
            count = len(list((options.photos / "train").glob("*/*")))
            sources[f"{count} photographs"] = (options.photos / "train", "")
        for name, (folder, classes) in sources.items():
            starts = [started(folder, classes, Path(place) / f"{name} {k}", page) for k in range(repeats)]
            report(f"{name}: labelloop init", [one.init_s for one in starts])
            report(f"{name}: run to the first image", [one.image_s for one in starts])
            report(f"{name}: run to the model's first question", [one.question_s for one in starts])
            report(f"{name}: processor seconds of the trainer by then", [one.trainer_cpu_s for one in starts])
    if options.photos is not None and not options.quick:
        embedding(options.photos)


def report(what: str, seconds: list[float]) -> None:
    """One line."""
    print(f"{what:>60}: median {statistics.median(seconds):.1f} s, worst {max(seconds):.1f} s", flush=True)


def timed(command: list[str]) -> float:
    """Seconds of a command that must succeed."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def sixty_digits(folder: Path) -> Path:
    """The first ones of the pool."""
    folder.mkdir()
    with (DIGITS / "labels.csv").open() as file:
        paths = [row["path"] for row in csv.DictReader(file) if "pool/" in row["path"]]
    for path in paths[:60]:
        shutil.copy(DIGITS / path, folder)
    return folder


def started(folder: Path, classes: str, project: Path, page: Page) -> Start:
    """One new project, until its model has asked."""
    of_classes = ["--classes", classes] if classes else []
    init_s = timed([*COMMAND, "init", str(project), "--images", str(folder), *of_classes])
    began = time.perf_counter()
    with running_app(project) as app:
        open_labeler(page, app.url, "bench")
        image_s = time.perf_counter() - began
        wait_for(asked(project), "the model's first question")
        question_s, cpu_s = time.perf_counter() - began, trainer_cpu_s(app)
        page.goto("about:blank")
    return Start(init_s, image_s, question_s, cpu_s)


def asked(project: Path) -> Callable[[], bool]:
    """Whether a round has questions."""

    def look() -> bool:
        database = sqlite3.connect(f"file:{project / 'labelloop.db'}?mode=ro", uri=True)
        try:
            return database.execute("SELECT 1 FROM queries LIMIT 1").fetchone() is not None
        finally:
            database.close()

    return look


def trainer_cpu_s(app: RunningApp) -> float:
    """Of the trainer and all that it has started."""
    everybody = psutil.Process(app.supervisor).children(recursive=True)
    trainers = [one for one in everybody if "app.trainer.process" in one.cmdline()]
    times = [one.cpu_times() for one in trainers]
    return sum(one.user + one.system + one.children_user + one.children_system for one in times)


def embedding(photos: Path) -> None:
    """Processor seconds of each network, and of decoding, for 1,000 photographs."""
    torch.set_num_threads(1)
    paths, ours = sorted((photos / "train").glob("*/*"))[:EMBEDDED], EfficientNetEmbedder(torch.device("cpu"))
    began = time.process_time()
    squares = [ours.prepare(load_image(path)) for path in paths]
    per_1000("1,000 photographs: read and made squares", began, len(squares))
    theirs = on_device(torch.device("cpu"))
    ways = {
        "ONNX Runtime, as it is": ours.embed,
        "torch": lambda part: theirs(np.stack(part).transpose(0, 3, 1, 2).copy()),
    }
    for name, embed in ways.items():
        embed(squares[: ours.batch_size])  # what is made at the first call is not counted
        began = time.process_time()
        for start in range(0, len(squares), ours.batch_size):
            embed(squares[start : start + ours.batch_size])
        per_1000(f"1,000 photographs: both networks by {name}", began, len(squares))


def per_1000(what: str, began: float, count: int) -> None:
    """One line, of processor seconds."""
    print(f"{what:>60}: {1000 * (time.process_time() - began) / count:.1f} processor seconds", flush=True)


if __name__ == "__main__":
    main()
