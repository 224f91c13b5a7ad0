"""Ten annotators at once, with the trainer at work: who waits, who gets whose sample, what goes wrong.

Two people label in real browsers; the others are processes that call what the server calls for a browser: `claim_batch`
for the queue, with ten samples fetched ahead, and `decisions.apply` for every label. All work on one project with
`labelloop run`, whose trainer fits, scores and ranks anew meanwhile. Shown: labels stored, samples that two had at the
same time (looked for ten times a second), the time a save takes (in the browsers from the key to the confirmation, the
way there and back included), the time the next samples take, and errors on screen.

    python benchmarks/bench_annotators.py [--quick] [--labels 2000] [--annotators 10] [--pace 0.5]

The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from real_app import LABELER, PATIENCE_S, open_browser, running_app, wait_for
from sqlalchemy import select

from app.project.creation import make_project
from app.project.project import Project, open_project
from app.project.settings import ProjectSettings
from storage.asking import is_live, latest_claim
from storage.engine import Database
from storage.labels import list_events
from storage.models import Claim
from storage.plain import utc_now
from storage.rounds import list_rounds

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits" / "pool"
AHEAD = 10  # samples an annotator has in hand
POLL_S = 5.0  # a page asks that often at least, which renews what it has in hand


@dataclass
class Person:
    """What one annotator met with; times in milliseconds."""

    name: str
    sent: list[str] = field(default_factory=list)  # request ids of confirmed decisions
    saves: list[float] = field(default_factory=list)
    fetches: list[float] = field(default_factory=list)
    waited_s: float = 0.0  # for a queue that had run out
    errors: list[str] = field(default_factory=list)


class DoubleClaims(threading.Thread):
    """Looks ten times a second for samples that two annotators hold at once."""

    def __init__(self, database: Database) -> None:
        super().__init__(daemon=True)
        self.database, self.looks, self.found, self.ended = database, 0, set[int](), threading.Event()

    def run(self) -> None:
        """Looks until it is told to end."""
        while not self.ended.wait(0.1):
            with self.database.read() as session:
                held = session.scalars(select(Claim.sample_id).where(is_live(now := utc_now(), latest_claim(now))))
                self.found |= {sample_id for sample_id, people in Counter(held).items() if people > 1}
            self.looks += 1


def make_pool(folder: Path, copies: int) -> None:
    """The sample digits, and copies moved by a pixel: 2,000 labels need more than there are."""
    folder.mkdir(parents=True)
    for number, path in enumerate(sorted(DIGITS.iterdir())):
        pixels = np.asarray(Image.open(path))
        for copy in range(copies):
            Image.fromarray(np.roll(pixels, copy, axis=1)).save(folder / f"{number:04d}-{copy}.png")


@contextmanager
def running(folder: Path, *, query_size: int, copies: int) -> Iterator[tuple[Project, str]]:
    """`labelloop run` on a fresh project, once its first ranking is there."""
    make_pool(folder / "images", copies)
    settings = ProjectSettings(name="annotators", query_size=query_size, mc_iterations=10)
    classes = [str(digit) for digit in range(10)]
    project = make_project(folder / "project", settings=settings, classes=classes, data=folder / "images").project
    with running_app(project.folder) as app:
        with closing(project.open_database()) as database:
            wait_for(lambda: rounds_published(database, project), "the first ranking")
        yield project, app.url


def rounds_published(database: Database, project: Project) -> int:
    """How many rankings there have been."""
    with database.read() as session:
        rounds = list_rounds(session, project_id=project.project_id(database))
    return sum(info.state in ("open", "closed") for info in rounds)


def share(left: Any, ready: Any) -> None:
    """Gives a process the number of labels still to give by all, and the barrier at which all begin."""
    global labels_left, everybody_ready  # the one way to hand such things to a pool's processes
    labels_left, everybody_ready = left, ready


def take_one() -> bool:
    """Takes one of the labels still to give; False when there is none."""
    with labels_left.get_lock():
        labels_left.value -= 1
        return bool(labels_left.value >= 0)


def label_as_the_server_does(folder: Path, name: str, pace_s: float) -> Person:
    """One annotator without a browser, in a process of their own."""
    os.environ["LABELLOOP_PROJECT"] = str(folder)
    import logging

    logging.disable(logging.WARNING)  # Streamlit's, that there is no page around
    import streamlit as st

    from app.screens.shared.decisions import apply
    from app.screens.shared.identity import ANNOTATOR_KEY

    st.session_state[ANNOTATOR_KEY] = name
    person, queue, asked = Person(name), list[tuple[str, int]](), 0.0
    everybody_ready.wait(PATIENCE_S)
    while take_one():
        if len(queue) <= AHEAD // 2 or time.monotonic() - asked > POLL_S:
            queue, asked = fetch(person, queue), time.monotonic()
        while not queue:
            time.sleep(0.25)
            person.waited_s += 0.25
            queue, asked = fetch(person, queue), time.monotonic()
        time.sleep(pace_s)
        token, sample_id = queue.pop(0)
        decision = {"id": token, "kind": "label", "sample_id": sample_id, "class_index": sample_id % 10}
        began = time.perf_counter()
        applied = apply([decision | {"lead_time_s": pace_s}])
        person.saves.append(1000 * (time.perf_counter() - began))
        person.sent += applied.confirmed
        person.errors += [sentence for _, sentence in applied.refused] + ([applied.trouble] if applied.trouble else [])
    return person


def fetch(person: Person, queue: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Asks for the next samples as a page does: what is on screen and what comes next stays."""
    from app.screens.shared.session import annotator_id, database, project_id
    from storage.queue import claim_batch

    began = time.perf_counter()
    identity, who = project_id(), annotator_id()
    with database().write() as session:
        keep = [token for token, _ in queue[:2]]
        claimed = claim_batch(session, project_id=identity, annotator_id=who, count=AHEAD, keep=keep)
    person.fetches.append(1000 * (time.perf_counter() - began))
    return [(entry.token, entry.sample.id) for entry in claimed]


def label_in_a_browser(page: Page, person: Person, pace_s: float) -> None:
    """One annotator at the keyboard; a save ends when the page says that nothing is unsaved."""
    while take_one():
        while not (shown := page.evaluate(LABELER, "shown")):
            page.wait_for_timeout(250)
            person.waited_s += 0.25
        page.wait_for_timeout(1000 * pace_s)
        began = time.perf_counter()
        page.keyboard.press(str(int(page.evaluate(LABELER, "sample")) % 10))
        page.wait_for_function(f"() => ({LABELER})('unsaved') === '0' && ({LABELER})('shown') !== {json.dumps(shown)}")
        person.saves.append(1000 * (time.perf_counter() - began))
    alerts = page.locator('[data-testid="stAlertContentError"]')
    person.errors += alerts.all_inner_texts()


def browse(url: str, name: str, pace_s: float) -> Person:
    """A browser in a process of its own: Playwright's waits must not hold up another's keys."""
    person = Person(name)
    with sync_playwright() as playwright:
        page = open_browser(playwright).new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(1000 * PATIENCE_S)
        page.on("pageerror", lambda error: person.errors.append(str(error)))
        page.goto(f"{url}/?annotator={name}")
        page.wait_for_function(f"() => ({LABELER})('shown')")
        everybody_ready.wait(PATIENCE_S)
        label_in_a_browser(page, person, pace_s)
    return person


def everybody(project: Project, url: str, options: argparse.Namespace) -> list[Person]:
    """All annotators at once, each as many labels as they find the time for."""
    context = multiprocessing.get_context("spawn")
    shared = (context.Value("i", options.labels), context.Barrier(options.annotators))
    with context.Pool(options.annotators, initializer=share, initargs=shared) as pool:
        jobs = [
            pool.apply_async(browse, (url, f"browser-{number}", options.pace)) for number in range(options.browsers)
        ]
        jobs += [
            pool.apply_async(label_as_the_server_does, (project.folder, f"person-{number}", options.pace))
            for number in range(options.annotators - options.browsers)
        ]
        return [job.get() for job in jobs]


def figures(people: Sequence[Person], events: Sequence[Any]) -> dict[str, Any]:
    """What is shown, by name."""
    labels = [event for event in events if event.action == "label"]
    decided = Counter(event.sample_id for event in labels)
    stored = Counter(event.request_id for event in labels)
    browsers = [person for person in people if person.name.startswith("browser")]
    others = [person for person in people if not person.name.startswith("browser")]
    return {
        "labels": len(labels),
        "labels_given": sum(len(person.saves) for person in people),
        "lost": sum(stored[name] != 1 for person in people for name in person.sent),
        "decided_twice": sum(times > 1 for times in decided.values()),
        "errors": [error for person in people for error in person.errors],
        "save_ms": spread([took for person in others for took in person.saves]),
        "fetch_ms": spread([took for person in others for took in person.fetches]),
        "browser_save_ms": spread([took for person in browsers for took in person.saves]),
        "waited_s": round(sum(person.waited_s for person in people), 1),
    }


def spread(milliseconds: Sequence[float]) -> dict[str, float]:
    """Median, 95 of 100, and the worst."""
    if not milliseconds:
        return {}
    median, p95, worst = np.percentile(milliseconds, [50, 95, 100])
    return {"median": round(median, 1), "p95": round(p95, 1), "worst": round(worst, 1), "n": len(milliseconds)}


def main() -> None:
    """Runs everybody and prints what they met with."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=int, default=2000)
    parser.add_argument("--annotators", type=int, default=10)
    parser.add_argument("--browsers", type=int, default=2)
    parser.add_argument("--pace", type=float, default=0.5, help="seconds a person takes to decide")
    parser.add_argument("--query-size", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="40 labels by 4 people, one of them in a browser")
    options = parser.parse_args()
    if options.quick:
        options.labels, options.annotators, options.browsers, options.pace, options.query_size = 40, 4, 1, 0.05, 10
    load, began = os.getloadavg()[0], time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        copies = 1 + (options.labels + 12 * options.annotators) // 1300
        with running(Path(folder), query_size=options.query_size, copies=copies) as (project, url):
            database = open_project(project.folder).open_database()
            watch, before = DoubleClaims(database), rounds_published(database, project)
            watch.start()
            labeling = time.monotonic()
            people = everybody(project, url, options)
            seconds = time.monotonic() - labeling
            watch.ended.set()
            watch.join()
            with database.read() as session:
                events = list_events(session, project_id=project.project_id(database))
            rounds = rounds_published(database, project) - before
            database.close()
    found = figures(people, events) | {"double_claims": len(watch.found), "looks": watch.looks, "rounds": rounds}
    print(f"load average at the start {load:.1f}, at the end {os.getloadavg()[0]:.1f}, on {os.cpu_count()} cores")
    print(f"{found['labels']} labels in {seconds:.0f} s of labeling ({time.monotonic() - began:.0f} s in all)")
    for name, value in found.items():
        print(f"{name:>16}: {value}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
