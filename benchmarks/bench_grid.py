"""Grid mode against one by one: labels a minute and wrong labels, on the sample digits, in the real app.

    python benchmarks/bench_grid.py --seconds 60

A scripted person labels in a real browser, with the trainer at work, from the same start: a model that learned from
`--labels` right labels. Every decision costs the same time in both modes (`--decision`, seconds): one by one each image
is one; in the grid each wrong image is one (arrows, X, the key of its class), and Enter is one. Looking over a grid
costs `--scan` seconds an image on top. The person is fallible: one by one a key is wrong with probability `--slip`, in
the grid a wrong image is overlooked with probability `--overlooked`. The last line says at which scan time both modes
would be equally fast.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from real_app import open_browser, running_app, wait_for

from app.project.creation import make_project
from app.project.project import Project
from app.project.settings import ProjectSettings
from storage.labels import list_events, record_decision
from storage.projects import get_or_create_annotator
from storage.samples import list_samples

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits"


@dataclass(frozen=True)
class Person:
    """How fast and how careful the scripted person is."""

    decision_s: float  # for every key that says something about an image, and for Enter
    scan_s: float  # to look over one image of a grid
    slip: float  # probability of a wrong key, one by one
    overlooked: float  # probability that a wrong image of a grid is not seen


@dataclass(frozen=True)
class Run:
    """What one mode brought."""

    labels: int
    wrong: int
    seconds: float
    errors_shown: int  # wrong images in the grids
    next_ms: list[float]  # from Enter to the frame with the next grid

    @property
    def per_minute(self) -> float:
        """Labels a minute."""
        return 60 * self.labels / self.seconds


def main() -> None:
    """Runs both modes and prints what they brought."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of labeling in each mode")
    parser.add_argument("--labels", type=int, default=100, help="right labels the model starts from")
    parser.add_argument("--size", type=int, default=24, choices=(12, 24, 40, 60))
    parser.add_argument("--decision", type=float, default=0.6)
    parser.add_argument("--scan", type=float, default=0.1)
    parser.add_argument("--slip", type=float, default=0.01)
    parser.add_argument("--overlooked", type=float, default=0.1)
    options = parser.parse_args()
    person = Person(options.decision, options.scan, options.slip, options.overlooked)
    print(f"load average at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        truth = read_truth()
        start = trained_project(Path(folder) / "start", truth, options.labels)
        one = measure(
            start, Path(folder) / "one", truth, lambda page, ids: one_by_one(page, ids, person, options.seconds)
        )
        many = measure(
            start,
            Path(folder) / "many",
            truth,
            lambda page, ids: in_grids(page, ids, person, options.seconds, options.size),
        )
    for name, run in (("one by one", one), (f"grid of {options.size}", many)):
        share = run.wrong / max(run.labels, 1)
        speed = f"{run.per_minute:6.1f} labels a minute ({run.labels} in {run.seconds:.0f} s)"
        print(f"{name:>10}: {speed}, {run.wrong} wrong ({share:.1%})")
    print(f"grid / one by one: {many.per_minute / one.per_minute:.1f} times the labels")
    print(
        f"wrong images in the grids: {many.errors_shown} of {many.labels}; one by one asks for the hardest ones instead"
    )
    if many.next_ms:
        worst = max(many.next_ms)
        print(
            f"Enter to the next grid on screen: median {statistics.median(many.next_ms):.1f} ms, worst {worst:.1f} ms"
        )
    apart = many.seconds / many.labels - person.scan_s  # seconds a label costs without the looking
    print(
        f"equally fast at {60 / one.per_minute - apart:.2f} s of looking an image (assumed here: {person.scan_s:.2f} s)"
    )


def read_truth() -> dict[str, int]:
    """The class of each digit of the pool, by file name."""
    with (DIGITS / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith("pool")]
    return {Path(row["path"]).name: int(row["label"]) for row in rows}


def trained_project(folder: Path, truth: dict[str, int], labels: int) -> Project:
    """A project whose first round has learned from some right labels."""
    settings = ProjectSettings(name="grid", query_size=20, mc_iterations=10)
    classes = [str(digit) for digit in range(10)]
    project = make_project(
        folder, settings=settings, classes=classes, data=DIGITS / "pool", test=DIGITS / "test.csv"
    ).project
    database = project.open_database()
    project_id = project.project_id(database)
    with database.read() as session:
        samples = list_samples(session, project_id=project_id, split="pool")
    with database.write() as session:
        before = get_or_create_annotator(session, project_id=project_id, name="before")
    for sample in [one for one in samples if one.audit_key >= settings.audit_share][:labels]:
        with database.write() as session:
            record_decision(
                session,
                project_id=project_id,
                sample_id=sample.id,
                annotator_id=before,
                action="label",
                class_index=truth[Path(sample.uri).name],
                request_id=f"before-{sample.id}",
            )
    database.close()
    subprocess.run(
        [sys.executable, "-m", "app.command.main", "train", str(folder), "--once"], check=True, capture_output=True
    )
    return project


def measure(
    start: Project, folder: Path, truth: dict[str, int], label: Callable[[Page, dict[int, int]], dict[str, Any]]
) -> Run:
    """Labels in a copy of a project, and compares what is stored with the truth."""
    shutil.copytree(start.folder, folder)
    project = Project(folder)
    database = project.open_database()
    project_id = project.project_id(database)
    with database.read() as session:
        true_of = {
            one.id: truth[Path(one.uri).name] for one in list_samples(session, project_id=project_id, split="pool")
        }
    with running_app(folder) as app, sync_playwright() as playwright:
        browser = open_browser(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(app.url)
        told = label(page, true_of)
        browser.close()
    with database.read() as session:
        events = list_events(session, project_id=project_id)
    database.close()
    given = [one for one in events if one.action == "label" and one.annotator == "scripted"]
    wrong = sum(one.class_index != true_of[one.sample_id] for one in given)
    return Run(len(given), wrong, told["seconds"], told.get("errors", 0), told.get("next_ms", []))


def one_by_one(page: Page, true_of: dict[int, int], person: Person, seconds: float) -> dict[str, Any]:
    """Labels on the Label page, one key an image."""
    dice = random.Random(0)
    page.goto(f"{page.url.rstrip('/')}/?annotator=scripted")

    def told(name: str) -> str:
        labeler = page.locator(".labeler").first
        return (labeler.get_attribute(f"data-{name}") or "") if labeler.count() else ""

    wait_for(lambda: told("shown"), "a sample")
    started, before = time.perf_counter(), ""
    while time.perf_counter() - started < seconds:
        shown = before
        wait_for(lambda last=before: told("shown") not in ("", last), "the next sample", pause_s=0.005)
        shown, sample_id = told("shown"), int(told("sample"))
        time.sleep(person.decision_s)
        true = true_of[sample_id]
        page.keyboard.press(str((true + 1) % 10 if dice.random() < person.slip else true))
        before = shown
    spent = time.perf_counter() - started
    wait_for(lambda: told("unsaved") == "0", "all labels to be saved")
    return {"seconds": spent}


def in_grids(page: Page, true_of: dict[int, int], person: Person, seconds: float, size: int) -> dict[str, Any]:
    """Labels on the Grid page: the wrong images get their class, Enter labels the rest."""
    dice = random.Random(0)
    page.goto(f"{page.url.rstrip('/')}/grid?annotator=scripted")
    ids = "cells => cells.map((cell) => Number(cell.dataset.sample))"

    def shown() -> list[int]:
        found: list[int] = page.locator(".cell").evaluate_all(ids)
        return found

    wait_for(shown, "a grid")
    page.get_by_role("button", name=str(size), exact=True).click()
    wait_for(lambda: len(shown()) == size, "a grid of this size")
    errors, before = 0, [0]
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        wait_for(lambda last=before: shown() not in ([], last), "the next grid", pause_s=0.005)
        before = shown()
        asked = int(page.locator(".question strong").inner_text())
        time.sleep(person.scan_s * len(before))
        wrong = [place for place, sample_id in enumerate(before) if true_of[sample_id] != asked]
        errors += len(wrong)
        for place in wrong:
            if dice.random() >= person.overlooked:
                time.sleep(person.decision_s)
                take_out(page, place, true_of[before[place]])
        time.sleep(person.decision_s)
        page.keyboard.press("Enter")
    spent = time.perf_counter() - started
    wait_for(lambda: page.locator(".grid-mode[data-unsaved='0']").count(), "all labels to be saved")
    next_ms = page.evaluate("performance.getEntriesByName('labelloop-next-grid').map((one) => one.duration)")
    return {"seconds": spent, "errors": errors, "next_ms": next_ms}


def take_out(page: Page, place: int, class_index: int) -> None:
    """A click, and the key of the class it is."""
    page.locator(".cell").nth(place).click()
    page.keyboard.press(str(class_index))


if __name__ == "__main__":
    main()
