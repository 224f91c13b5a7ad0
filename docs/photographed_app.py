"""The running app as `pictures.py` sees it: `labelloop run`, a browser before it, and pictures that stay small."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from PIL import Image, ImageChops
from playwright.sync_api import Browser, Error, Locator, Page

from storage.opening import open_database
from storage.samples import get_sample

PATIENCE_S = 300.0
MOST_BYTES = 200_000  # of one picture
WIDTH, HEIGHT, SIDEBAR = 1280, 840, 240
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
FACT = """(name) => [...document.querySelectorAll('[data-testid="stBidiComponentIsolated"]')]
    .map((host) => host.shadowRoot?.querySelector('.labeler')?.dataset[name]).find(Boolean) ?? ''"""
IS_STILL = """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-stale="true"], [data-testid="stSkeleton"]')"""

Truth = dict[str, str]  # class name by file name


@dataclass(frozen=True)
class Running:
    """A project with its screens and trainer."""

    folder: Path
    url: str
    classes: list[str]  # in the order of their keys
    truth: Truth

    def class_of(self, sample_id: int) -> str:
        """The true class of a sample, by the name of its file."""
        database = open_database(f"sqlite:///{self.folder / 'labelloop.db'}")
        try:
            with database.read() as session:
                return self.truth[Path(get_sample(session, sample_id=sample_id).uri).name]
        finally:
            database.close()

    def rounds(self) -> tuple[int, bool]:
        """How many rounds were published, and whether the trainer waits for labels."""
        said = json.loads(labelloop("status", str(self.folder), "--json"))
        published = sum(found["state"] in {"open", "closed"} for found in said["rounds"])
        return published, said["trainer"]["state"] == "idle"


@contextlib.contextmanager
def running(folder: Path, classes: list[str], truth: Truth, *, demo: bool = False) -> Iterator[Running]:
    """`labelloop run` until its screens answer; ended afterwards."""
    port = free_port()
    project = [] if demo else [str(folder)]
    command = [str(program()), "run", *project, "--no-browser", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(lambda: answers(port), "the screens", pause_s=0.5)
        yield Running(folder, f"http://127.0.0.1:{port}", classes, truth)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextlib.contextmanager
def opened(browser: Browser, app: Running, name: str, *, path: str = "", height: int = HEIGHT) -> Iterator[Page]:
    """A page of the app under somebody's name."""
    page = browser.new_page(viewport={"width": WIDTH, "height": height})
    page.set_default_timeout(PATIENCE_S * 1000)
    page.goto(f"{app.url}/{path}" + (f"?annotator={name}" if name else ""))
    yield page
    page.close()


def take(page: Page, to: Path, *, start: Locator | None = None, end: Locator | None = None) -> None:
    """Take a picture when nothing moves any more, with as many colors as fit.

    Args:
        page: the page.
        to: the PNG file.
        start: leave out what is above this, and the sidebar.
        end: leave out what is below this.
    """
    page.mouse.move(WIDTH - 2, HEIGHT - 2)
    page.wait_for_function(IS_STILL)
    page.wait_for_timeout(2500)  # charts and images are drawn after the script has ended
    page.screenshot(path=to)
    picture = Image.open(to).convert("RGB")
    if start is not None:
        picture = part_of(picture, top=top_of(start), bottom=top_of(end) if end else picture.height)
    for colors in (256, 128, 64):
        picture.quantize(colors, dither=Image.Dither.NONE).save(to, optimize=True)
        if to.stat().st_size < MOST_BYTES:
            sys.stderr.write(f"{to.name}: {to.stat().st_size // 1000} kB, {colors} colors\n")
            return
    raise SystemExit(f"{to} stays larger than {MOST_BYTES // 1000} kB: take less of the page.")


def top_of(element: Locator) -> int:
    """Where an element begins, in pixels, with a little room."""
    box = element.bounding_box()
    assert box is not None
    return int(box["y"]) - 12


def part_of(picture: Image.Image, *, top: int, bottom: int) -> Image.Image:
    """What stands between two lines beside the sidebar, without the empty rest of the page."""
    part = picture.crop((SIDEBAR, top, picture.width, bottom))
    drawn = ImageChops.difference(part, Image.new("RGB", part.size, "white")).getbbox()
    return part.crop((0, 0, part.width, min(part.height, drawn[3] + 12))) if drawn else part


def wait_for_chart(page: Page) -> None:
    """Wait until a chart is drawn."""
    page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg").first.wait_for()


def fact(page: Page, name: str) -> str:
    """One of the labeler's facts; nothing while the page is being loaded."""
    try:
        return str(page.evaluate(FACT, name))
    except Error:
        return ""


def wait_for(look: Callable[[], object], what: str, *, pause_s: float = 0.05) -> object:
    """Look again and again until there is something to see."""
    deadline = time.monotonic() + PATIENCE_S
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {PATIENCE_S:.0f} s in vain for {what}")
        time.sleep(pause_s)
    return seen


def labelloop(*arguments: str) -> str:
    """Run a command and return what it printed."""
    return subprocess.run([str(program()), *arguments], capture_output=True, text=True, check=True).stdout


def program() -> Path:
    """The `labelloop` beside this Python."""
    return Path(sys.executable).parent / "labelloop"


def browser_here() -> str | None:
    """The browser of this machine; None: Playwright's own."""
    return os.environ.get("LABELLOOP_TEST_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)


def answers(port: int) -> bool:
    """Whether the screens answer."""
    with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as said:
        return said.status == 200
    return False


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read_truth(manifest: Path) -> Truth:
    """The class of each file of the pool."""
    with manifest.open(newline="") as file:
        return {Path(row["path"]).name: row["label"] for row in csv.DictReader(file) if "pool" in row["path"]}
