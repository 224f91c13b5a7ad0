"""How long a key takes to become the next sample, and what is left of 400 keys when everything around them fails.

Latency: keys at 5 per second in Chromium while the trainer fits (a new round is asked for when it is idle), measured
in the page with performance.now() from the key's own time stamp to the frame after paint. Beside it the same for a page
made of Streamlit's buttons. Campaign: keys while the server is killed (kill -9) again and again, the network goes away
and the page is loaded anew; every label must be stored exactly once.

    python benchmarks/bench_labeler_latency.py [--quick] [--only latency|buttons|campaign]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Error, Page, sync_playwright

from app.creation import make_project
from app.demo import DEMO_CLASSES, sample_data
from app.project import Project
from app.settings import ProjectSettings
from app.web_server import is_healthy
from storage.engine import Database
from storage.events import list_events
from storage.rounds import open_round
from storage.trainer import get_heartbeat, request_training

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
PATIENCE_S = 180.0
LOST_AFTER_S = 3.0  # a key that a page of buttons did not answer by then is lost
LABELER = """(name) => [...document.querySelectorAll('[data-testid="stBidiComponentIsolated"]')]
    .map((host) => host.shadowRoot?.querySelector('.labeler')?.dataset[name]).find(Boolean) ?? ''"""
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


def wait_for(look: Callable[[], object], what: str) -> None:
    """Look again and again."""
    deadline = time.monotonic() + PATIENCE_S
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_S:.0f} s in vain for {what}")
        time.sleep(0.01)


def ask(page: Page, name: str) -> str:
    """One of the labeler's facts; nothing while a page is being loaded."""
    try:
        return str(page.evaluate(LABELER, name))
    except Error:
        return ""


@contextlib.contextmanager
def running(folder: Path, *, query_size: int) -> Iterator[tuple[Project, Database, str, int]]:
    """Run `labelloop run` on the sample data; the rankings are long, so that no key meets an empty queue."""
    settings = ProjectSettings(name="bench", query_size=query_size, cross_validate=False)
    images = sample_data() / "pool"
    project = make_project(folder, settings=settings, classes=DEMO_CLASSES, images=images).project
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "app.cli", "run", str(project.folder), "--no-browser", "--port", str(port)]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        database = project.open_database()
        try:
            wait_for(lambda: is_healthy(port), "the screens")
            yield project, database, f"http://127.0.0.1:{port}", process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            database.close()


def screens_of(supervisor: int) -> psutil.Process | None:
    """The supervisor's Streamlit child."""
    for child in psutil.Process(supervisor).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "streamlit" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                return child
    return None


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


def say_hello(page: Page, url: str) -> None:
    """Open the Label page and wait for the first sample."""
    page.goto(f"{url}/?annotator=bench")
    wait_for(lambda: ask(page, "shown"), "the first sample")


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


def press_what_is_there(page: Page, *, keys: int) -> list[tuple[int, int]]:
    """Label without a server, as long as the page holds samples; on a busy machine that may be fewer than wanted."""
    given = []
    for digit in range(keys):
        token = ask(page, "shown")
        if not token:
            break
        given.append((int(ask(page, "sample")), digit))
        page.keyboard.press(str(digit))
        wait_for(lambda token=token: ask(page, "shown") != token, "the key to be taken")
        time.sleep(0.2)
    return given


def summary(milliseconds: list[float]) -> dict[str, float]:
    """Median, 95th percentile, worst."""
    ordered = sorted(milliseconds)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    worst = ordered[-1]
    return {"keys": len(ordered), "median_ms": statistics.median(ordered), "p95_ms": p95, "worst_ms": worst}


def pace(number: int, started: float, seconds: float) -> None:
    """Wait until the next key is due."""
    time.sleep(max(0.0, started + number * seconds - time.perf_counter()))


def measure_component(browser: Browser, folder: Path, keys: int) -> dict[str, float]:
    """The labeler of the Label screen."""
    with running(folder, query_size=400) as (project, database, url, _):
        fitting = Fitting(database, project.project_id(database))
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        say_hello(page, url)
        for number in range(10):  # the trainer needs labels to fit
            press(page, str(number))
        page.reload()  # a page measures from its beginning
        say_hello(page, url)
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
    with running(folder, query_size=400) as (project, database, _, supervisor):
        fitting = Fitting(database, project.project_id(database))
        wait_for(lambda: len(_open_rounds(database, project)) > 0, "the first ranking")
        screens = screens_of(supervisor)
        assert screens is not None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
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


def _open_rounds(database: Database, project: Project) -> list[object]:
    with database.read() as session:
        found = open_round(session, project_id=project.project_id(database))
    return [found] if found else []


def campaign(browser: Browser, folder: Path, *, keys: int, kills: int, offline: list[float], reloads: int) -> dict:
    """Keys while everything around them fails; what is stored must be what was pressed."""
    generator = random.Random(0)
    moments = generator.sample(range(5, keys - 5), kills + len(offline) + reloads)
    faults = dict(zip(moments, ["kill"] * kills + ["reload"] * reloads + offline, strict=True))
    back: list[float] = []
    with running(folder, query_size=2 * keys) as (project, database, url, supervisor):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        say_hello(page, url)
        given = []
        for number in range(keys):
            fault = faults.get(number)
            if fault is not None:
                time.sleep(generator.choice([0.0, 0.02, 0.1, 0.4]))
                back.append(_fail(fault, page, url, supervisor, given))
            given.append(press(page, str(number % 10)))
            time.sleep(0.05)
        wait_for(lambda: ask(page, "unsaved") == "0", "all labels to be saved")
        with database.read() as session:
            events = list_events(session, project_id=project.project_id(database))
        context.close()
    stored = [(event.sample_id, event.class_index) for event in events if event.action == "label"]
    return {
        "pressed": len(given),
        "stored": len(stored),
        "each_once_in_order": stored == given,
        "kills": kills,
        "offline_s": offline,
        "reloads": reloads,
        "back_median_s": statistics.median(back),
        "back_worst_s": max(back),
    }


def _fail(fault: object, page: Page, url: str, supervisor: int, given: list[tuple[int, int]]) -> float:
    """Break something, go on labeling as far as the page can, and return the seconds until all is saved again."""
    if fault == "kill":
        _kill_screens(supervisor, url)
    elif fault == "reload":
        page.reload()
    else:
        assert isinstance(fault, float)
        page.context.set_offline(True)
        given.extend(press_what_is_there(page, keys=3))
        time.sleep(fault)
        page.context.set_offline(False)
    began = time.perf_counter()
    wait_for(lambda: ask(page, "shown") and ask(page, "unsaved") == "0", "the page to be back")
    return time.perf_counter() - began


def _kill_screens(supervisor: int, url: str) -> None:
    """Kill the server and wait until the supervisor's next one answers."""
    screens = screens_of(supervisor)
    assert screens is not None
    screens.kill()
    screens.wait()
    wait_for(lambda: is_healthy(int(url.rsplit(":", 1)[1])), "the next server")


def main() -> None:
    """Run what was asked for and print one line of JSON each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--only", choices=("latency", "buttons", "campaign"))
    given = parser.parse_args()
    keys = 50 if given.quick else 500
    fault = {"keys": 60, "kills": 2, "offline": [5.0], "reloads": 2}
    whole = {"keys": 400, "kills": 20, "offline": [5.0, 60.0], "reloads": 10}
    parts: dict[str, Callable[[Browser, Path], dict]] = {
        "latency": lambda browser, folder: measure_component(browser, folder, keys),
        "buttons": lambda browser, folder: measure_buttons(browser, folder, keys),
        "campaign": lambda browser, folder: campaign(browser, folder, **(fault if given.quick else whole)),
    }
    found = os.environ.get("LABELLOOP_TEST_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        for name in [given.only] if given.only else list(parts):
            result = parts[name](browser, Path(folder) / name)
            print(json.dumps({"part": name, "load": round(os.getloadavg()[0], 1)} | result))
        browser.close()


if __name__ == "__main__":
    main()
