"""How long a key takes to become the next sample, beside a page made of Streamlit's buttons.

Keys at 5 per second in Chromium while the trainer fits (a new round is asked for when it is idle), measured in the page
with performance.now() from the key's own time stamp to the frame after paint.

    python benchmarks/bench_labeler_latency.py [--quick] [--only labeler|buttons]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from real_app import PATIENCE_S, RunningApp, ask, free_port, open_browser, open_labeler, running_app, wait_for

from app.project.creation import make_project
from app.project.demo import DEMO_CLASSES, sample_data
from app.project.project import Project
from app.project.settings import ProjectSettings
from app.running.web_server import is_healthy
from storage.engine import Database
from storage.rounds import open_round
from storage.trainer import get_heartbeat, request_training

LOST_AFTER_S = 3.0  # a key that a page of buttons did not answer by then is lost
# The button page does not measure itself: the key's time stamp, and the frame after the new image was painted.
MEASURE_BUTTONS = """() => {
    window.times = [];
    let began = null;
    let before = null;
    const sample = () => document.querySelector('[class*="st-key-token_"]')?.className ?? null;
    window.addEventListener('keydown', (event) => { [began, before] = [event.timeStamp, sample()]; }, true);
    const look = () => {
        const image = document.querySelector('.st-key-sample img');
        if (began !== null && sample() !== before && image?.complete && image.naturalWidth) {
            const start = began;
            began = null;
            const channel = new MessageChannel();
            channel.port1.onmessage = () => window.times.push(performance.now() - start);
            channel.port2.postMessage(null);
        }
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""


@contextlib.contextmanager
def sample_project(folder: Path) -> Iterator[tuple[RunningApp, Project, Database]]:
    """Run `labelloop run` on the sample data; the rankings are long, so that no key meets an empty queue."""
    settings = ProjectSettings(name="bench", query_size=400, cross_validate=False)
    project = make_project(folder, settings=settings, classes=DEMO_CLASSES, data=sample_data() / "pool").project
    with running_app(folder) as app, contextlib.closing(project.open_database()) as database:
        yield app, project, database


class Fitting:
    """Keeps the trainer at work: asks for another round whenever it is idle, and counts how often it was not."""

    def __init__(self, database: Database, project_id: int) -> None:
        self._database, self._project_id = database, project_id
        self.looks = self.busy = 0

    def look(self) -> None:
        """Call this between two keys."""
        with self._database.read() as session:
            heartbeat = get_heartbeat(session, project_id=self._project_id)
        self.looks += 1
        if heartbeat is not None and heartbeat.state not in ("idle", "stopped", "failed"):
            self.busy += 1
        elif self.looks % 5 == 1:
            with self._database.write() as session:
                request_training(session, project_id=self._project_id, kind="train", annotator_id=None)


def press(page: Page, key: str) -> tuple[int, int]:
    """Label what is on screen and wait for the next sample; returns sample and class."""
    wait_for(lambda: ask(page, "shown"), "a sample")
    token, sample = ask(page, "shown"), int(ask(page, "sample"))
    deadline = time.monotonic() + PATIENCE_S
    while ask(page, "shown") in ("", token):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_S:.0f} s in vain for the next sample")
        # A page that was just loading itself anew took no key: the sample is still there, and a person presses again.
        if ask(page, "shown") == token:
            page.keyboard.press(key)
        time.sleep(0.2)
    return sample, int(key)


def summary(milliseconds: list[float]) -> dict[str, float]:
    """Median, 95th percentile, worst."""
    ordered = sorted(milliseconds)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    worst = ordered[-1]
    return {"keys": len(ordered), "median_ms": statistics.median(ordered), "p95_ms": p95, "worst_ms": worst}


def pace(number: int, started: float, seconds: float) -> None:
    """Wait until the next key is due."""
    time.sleep(max(0.0, started + number * seconds - time.perf_counter()))


def measure_labeler(browser: Browser, folder: Path, keys: int) -> dict[str, float]:
    """The labeler of the Label screen."""
    with sample_project(folder) as (app, project, database):
        fitting = Fitting(database, project.project_id(database))
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        open_labeler(page, app.url, "bench")
        for number in range(10):  # the trainer needs labels to fit
            press(page, str(number))
        page.reload()  # a page measures from its beginning
        open_labeler(page, app.url, "bench")
        started = time.perf_counter()
        for number in range(keys):
            pace(number, started, 0.2)
            press(page, str(number % 10))
            fitting.look()
        wait_for(lambda: ask(page, "unsaved") == "0", "all labels to be saved")
        measured = json.loads(ask(page, "latency"))
        page.close()
        return {
            "keys": measured["n"],
            "median_ms": measured["median"],
            "p95_ms": measured["p95"],
            "worst_ms": measured["worst"],
            "trainer_busy": fitting.busy / fitting.looks,
        }


def measure_buttons(browser: Browser, folder: Path, keys: int) -> dict[str, float]:
    """A page of Streamlit's buttons on the same kind of project."""
    with sample_project(folder) as (_, project, database):
        project_id = project.project_id(database)
        fitting = Fitting(database, project_id)
        wait_for(lambda: has_ranking(database, project_id), "the first ranking")
        port = free_port()
        script = Path(__file__).with_name("button_labeler.py")
        command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
        flags = [f"--server.port={port}", "--server.address=127.0.0.1", "--browser.gatherUsageStats=false"]
        environment = {**os.environ, "LABELLOOP_PROJECT": str(project.folder)}
        server = subprocess.Popen([*command, *flags, "--server.fileWatcherType=none"], env=environment)
        try:
            wait_for(lambda: is_healthy(port), "the button page")
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(f"http://127.0.0.1:{port}")
            page.locator(".st-key-sample img").wait_for(timeout=PATIENCE_S * 1000)
            page.evaluate(MEASURE_BUTTONS)
            lost = 0
            started = time.perf_counter()
            for number in range(keys):
                pace(number, started, 0.2)
                lost += press_button(page, number)
                fitting.look()
            busy = {"keys_lost": lost, "trainer_busy": fitting.busy / fitting.looks}
            return summary(page.evaluate("window.times")) | busy
        finally:
            server.terminate()
            server.wait()


def press_button(page: Page, number: int) -> int:
    """Press until the page answers; returns how many keys it lost while it was drawing itself anew."""
    lost = -1
    while True:
        lost += 1
        page.keyboard.press(str(number % 10))
        patience = time.monotonic() + LOST_AFTER_S
        while time.monotonic() < patience:
            if page.evaluate("window.times.length") > number:
                return lost
            time.sleep(0.01)


def has_ranking(database: Database, project_id: int) -> bool:
    """Whether there is something to label."""
    with database.read() as session:
        return open_round(session, project_id=project_id) is not None


def main() -> None:
    """Run what was asked for and print one line of JSON each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the keys")
    parser.add_argument("--only", choices=("labeler", "buttons"))
    given = parser.parse_args()
    keys = 50 if given.quick else 500
    parts = {"labeler": measure_labeler, "buttons": measure_buttons}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = open_browser(playwright)
        for name in [given.only] if given.only else list(parts):
            result = parts[name](browser, Path(folder) / name, keys)
            print(json.dumps({"part": name, "load": round(os.getloadavg()[0], 1)} | result))
        browser.close()


if __name__ == "__main__":
    main()
