"""What is left of 400 keys when everything around them fails: the server killed 20 times, the network away, reloads.

A scripted person labels in Chromium, trainer at work, while at random moments the server is killed (kill -9) and is
started again by the supervisor, the network goes away for 5 and 60 seconds (labeling goes on with what the page holds),
and the page is loaded anew. Every label must be stored exactly once and in order, and after each fault the page must be
back on the sample that it showed.

    python benchmarks/bench_faults.py [--quick] [--seed 0]

Counted from the fault itself (the kill, the reload, the network's return): "usable_s" until the page shows a sample and
takes keys, "saved_s" until a server has confirmed everything.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from real_app import PATIENCE_S, RunningApp, ask, open_browser, open_labeler, running_app, wait_for

from app.project.creation import make_project
from app.project.demo import DEMO_CLASSES, sample_data
from app.project.project import Project
from app.project.settings import ProjectSettings
from app.running.web_server import is_healthy
from storage.events import list_events

KINDS = ("kill", "reload", "offline")


@dataclass
class Campaign:
    """What was pressed, and what the faults cost."""

    page: Page
    app: RunningApp
    given: list[tuple[int, int]] = field(default_factory=list)  # sample, class
    back: list[tuple[str, float, float]] = field(
        default_factory=list
    )  # fault, seconds until usable, until all is saved
    other_sample: int = 0  # faults after which another sample was on screen than before

    def fail(self, fault: str | float) -> None:
        """Break something, and wait until all is as before."""
        before = ask(self.page, "sample")
        began = time.perf_counter()
        if isinstance(fault, float):
            before, began = self._take_the_network_away(fault)
        elif fault == "kill":
            screens = self.app.screens()
            screens.kill()
            screens.wait()
        else:
            self.page.reload(wait_until="commit")
        wait_for(lambda: ask(self.page, "shown"), "the page to be back")
        usable = time.perf_counter() - began
        wait_for(lambda: is_healthy(self.app.port), "the next server")
        wait_for(lambda: ask(self.page, "shown") and ask(self.page, "unsaved") == "0", "everything to be saved")
        self.back.append((name_of(fault), usable, time.perf_counter() - began))
        self.other_sample += ask(self.page, "sample") != before

    def _take_the_network_away(self, seconds: float) -> tuple[str, float]:
        """Label on without a network; returns the sample on screen and when the network came back."""
        self.page.context.set_offline(True)
        ends = time.monotonic() + seconds
        for digit in range(3):
            if ask(self.page, "shown"):  # on a busy machine the page may hold fewer samples
                self.press(digit)
                time.sleep(0.2)
        time.sleep(max(0.0, ends - time.monotonic()))
        before = ask(self.page, "sample")
        self.page.context.set_offline(False)
        return before, time.perf_counter()

    def press(self, digit: int) -> None:
        """Label what is on screen and wait until it has gone."""
        wait_for(lambda: ask(self.page, "shown"), "a sample")
        sample = ask(self.page, "sample")
        deadline = time.monotonic() + PATIENCE_S
        while ask(self.page, "sample") in ("", sample):
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {PATIENCE_S:.0f} s in vain for the next sample")
            # A page that was just loading itself anew took no key: the sample is still there, a person presses again.
            if ask(self.page, "sample") == sample:
                self.page.keyboard.press(str(digit))
            time.sleep(0.2)
        self.given.append((int(sample), digit))


def run(page: Page, project: Project, app: RunningApp, faults: dict[int, str | float], keys: int) -> dict[str, object]:
    """All keys, with the faults at their moments; returns what came of them."""
    dice = random.Random(0)
    campaign = Campaign(page, app)
    open_labeler(page, app.url, "campaign")
    for number in range(keys):
        if number in faults:
            time.sleep(dice.choice([0.0, 0.02, 0.1, 0.4]))  # in the middle of a save, or after it
            campaign.fail(faults[number])
        campaign.press(number % 10)
        time.sleep(0.05)
    wait_for(lambda: ask(page, "unsaved") == "0", "all labels to be saved")
    stored = stored_labels(project)
    return {
        "pressed": len(campaign.given),
        "stored": len(stored),
        "each_once_in_order": stored == campaign.given,
        "another_sample_after": campaign.other_sample,
        "usable_s": {kind: spread([s for found, s, _ in campaign.back if found == kind]) for kind in KINDS},
        "saved_s": {kind: spread([s for found, _, s in campaign.back if found == kind]) for kind in KINDS},
    }


def name_of(fault: str | float) -> str:
    """Under which name a fault is counted."""
    return "offline" if isinstance(fault, float) else fault


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Median and worst."""
    return {"median": round(statistics.median(seconds), 2), "worst": round(max(seconds), 2), "n": len(seconds)}


def stored_labels(project: Project) -> list[tuple[int, int | None]]:
    """Sample and class of each label event, in order."""
    database = project.open_database()
    with database.read() as session:
        events = list_events(session, project_id=project.project_id(database))
    database.close()
    return [(event.sample_id, event.class_index) for event in events if event.action == "label"]


def main() -> None:
    """Run the campaign and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="60 keys, 2 kills, 2 reloads, 5 s without a network")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    keys = 60 if options.quick else 400
    wanted: list[str | float] = ["kill"] * 2 + ["reload"] * 2 + [5.0]
    if not options.quick:
        wanted = ["kill"] * 20 + ["reload"] * 10 + [5.0, 60.0]
    dice = random.Random(options.seed)
    faults = dict(zip(dice.sample(range(5, keys - 5), len(wanted)), wanted, strict=True))
    load = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        # The rankings are long, so that no key meets an empty queue.
        settings = ProjectSettings(name="faults", query_size=2 * keys, cross_validate=False)
        images = sample_data() / "pool"
        made = make_project(Path(folder) / "project", settings=settings, classes=DEMO_CLASSES, data=images)
        with running_app(made.project.folder) as app:
            browser = open_browser(playwright)
            page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            found = run(page, made.project, app, faults, keys)
            browser.close()
    print(json.dumps({"load": load} | found))


if __name__ == "__main__":
    main()
