"""Two keys a second, and screens, trainer and database are killed: when is the next key saved?

    python benchmarks/bench_kills.py
    python benchmarks/bench_kills.py --database postgresql://me@/labels --restart 'pg_ctl -D data -m immediate restart'

A scripted person labels in Chromium and never waits for the page. Every few seconds the screens, later the trainer are
killed (kill -9) and started again by the supervisor, `--kills` times each; with `--restart` that command restarts the
database's server as often as `--restarts` says. Rounds are of five labels, so that a trainer is mostly killed when its
queue is used up. Counted from the fault: seconds until a key is stored that was pressed after it, and the seconds
in which the page showed no sample. Nothing is loaded anew by hand; every key that met a sample must be stored, once and
in order.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from bench_faults import spread, stored_labels
from playwright.sync_api import Page, sync_playwright
from real_app import RunningApp, ask, open_browser, open_labeler, running_app, wait_for

from app.project.creation import make_project
from app.project.demo import DEMO_CLASSES, sample_data
from app.project.project import DATABASE_URL_VARIABLE, Project
from app.project.settings import ProjectSettings
from storage.errors import StorageError
from storage.labels import list_events
from storage.rounds import list_queries, open_round

PAUSE_S = 0.5  # between two keys
TAKEN_S = 0.3  # in which a page that is whole shows the next sample
BETWEEN_FAULTS_S = 6.0, 9.0  # drawn: a trainer loads its libraries for five


@dataclass
class Person:
    """Presses keys whatever happens, and notes what was on screen."""

    page: Page
    given: list[tuple[int, int]] = field(default_factory=list)  # sample, class
    without_sample_s: float = 0.0  # the longest time since the last fault
    _seen_at: float = field(default_factory=time.monotonic)
    _next_key: float = 0.0

    def look(self) -> None:
        """Once: is there a sample, and is it time for a key?"""
        sample, now = ask(self.page, "sample") if ask(self.page, "shown") else "", time.monotonic()
        self._seen_at = now if sample else self._seen_at
        self.without_sample_s = max(self.without_sample_s, now - self._seen_at)
        if sample and now >= self._next_key:
            self._press(sample, len(self.given) % 10)
        time.sleep(0.02)

    def _press(self, sample: str, digit: int) -> None:
        """A page that is just being loaded takes no key: the sample stays, and the person presses again."""
        self.page.keyboard.press(str(digit))
        self._next_key = time.monotonic() + PAUSE_S
        while time.monotonic() < self._next_key - PAUSE_S + TAKEN_S:
            if ask(self.page, "sample") != sample:
                self.given.append((int(sample), digit))
                return
            time.sleep(0.01)


@dataclass(frozen=True)
class Outcome:
    """Of one fault."""

    saved_s: float  # until a key that was pressed after it was stored
    without_sample_s: float
    is_queue_empty: bool  # when it came


def campaign(person: Person, project: Project, faults: list[Callable[[], object]]) -> list[Outcome]:
    """All faults, one after the other, keys all the while."""
    dice = random.Random(0)
    outcomes = []
    for fault in faults:
        ends = time.monotonic() + dice.uniform(*BETWEEN_FAULTS_S)
        while time.monotonic() < ends:
            person.look()
        before, is_empty, person.without_sample_s = len(person.given), is_used_up(project), 0.0
        began = time.monotonic()
        fault()
        wait_for(lambda before=before: person.look() or stored(project) > before, "the next key to be saved", pause_s=0)
        outcomes.append(Outcome(time.monotonic() - began, person.without_sample_s, is_empty))
    return outcomes


def stored(project: Project) -> int:
    """Label events; none while the database does not answer."""
    try:
        with project.opened_to_read(settle=False) as database, database.read() as session:
            events = list_events(session, project_id=project.project_id(database))
    except StorageError:
        return 0
    return sum(event.action == "label" for event in events)


def is_used_up(project: Project) -> bool:
    """Whether the open round has no question that is not answered."""
    with project.opened_to_read(settle=False) as database, database.read() as session:
        identity = project.project_id(database)
        opened = open_round(session, project_id=identity)
        asked = set() if opened is None else {one.sample_id for one in list_queries(session, round_id=opened.id)}
        return asked <= {event.sample_id for event in list_events(session, project_id=identity)}


def kill_screens(app: RunningApp) -> None:
    """The supervisor's Streamlit child."""
    app.screens().kill()


def kill_trainer(app: RunningApp) -> None:
    """With what it has forked; one that has just been killed is not there yet."""
    for child in psutil.Process(app.supervisor).children():
        if "app.trainer.process" in child.cmdline():
            child.kill()


def report(name: str, outcomes: list[Outcome]) -> None:
    """One line."""
    saved, without = (spread([getattr(one, what) for one in outcomes]) for what in ("saved_s", "without_sample_s"))
    empty = sum(one.is_queue_empty for one in outcomes)
    print(
        f"{name}: {len(outcomes)} times, {empty} with an empty queue; next key saved after {saved['median']} s "
        f"(worst {saved['worst']}); without a sample {without['median']} s (worst {without['worst']})",
        flush=True,
    )


def main() -> None:
    """One line per kind of fault, then what is stored."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--database", help="URL of an empty database; none: the project's own file")
    parser.add_argument("--restart", help="command that restarts its server")
    parser.add_argument("--restarts", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="2 kills each")
    options = parser.parse_args()
    kills = 2 if options.quick else options.kills
    if options.database:
        os.environ[DATABASE_URL_VARIABLE] = options.database
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        settings = ProjectSettings(name="kills", query_size=5, cross_validate=False)
        images = sample_data() / "pool"
        project = make_project(Path(folder) / "project", settings=settings, classes=DEMO_CLASSES, data=images).project
        with running_app(project.folder) as app:
            page = open_browser(playwright).new_page()
            open_labeler(page, app.url, "campaign")
            person = Person(page)
            kinds: dict[str, list[Callable[[], object]]] = {
                "screens killed": [lambda: kill_screens(app)] * kills,
                "trainer killed": [lambda: kill_trainer(app)] * kills,
            }
            if options.restart:
                restart = shlex.split(options.restart)
                kinds["database restarted"] = [lambda: subprocess.run(restart, check=True)] * options.restarts
            for name, faults in kinds.items():
                if faults:
                    report(name, campaign(person, project, faults))
            wait_for(lambda: ask(page, "unsaved") == "0", "all labels to be saved")
            kept = stored_labels(project)
            each = "each once and in order" if kept == person.given else "NOT AS THEY WERE PRESSED"
            print(f"{len(person.given)} keys, {len(kept)} stored, {each}; 0 reloads by hand")


if __name__ == "__main__":
    main()
