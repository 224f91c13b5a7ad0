"""Takes every picture of the guide from the running app. Run it again when a screen has changed.

    python docs/pictures.py                     all pictures, into docs/images
    python docs/pictures.py --photos FOLDER     the one of photographs too; FOLDER holds pool.csv with `path,label`
    python docs/pictures.py --only several      one of the parts: setup, digits, several, photos

It starts `labelloop run` on the demo and on small projects, labels by keyboard as a person would, waits for the
trainer, and needs Chromium or Chrome (LABELLOOP_TEST_BROWSER names another one).
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from PIL import Image, ImageChops
from playwright.sync_api import Browser, Error, Locator, Page, sync_playwright

from storage.opening import open_database
from storage.samples import get_sample

HERE = Path(__file__).parent
DIGITS = HERE.parent / "sample_data" / "digits"
PATIENCE_S = 300.0
NEVER = 10**9  # wrong labels
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


def main() -> None:
    """Take what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "images")
    parser.add_argument("--photos", type=Path, help="a folder of photographs with pool.csv")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that whatever was started is ended
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_here(), args=FLAGS)
        for part in options.only:
            PARTS[part](browser, Path(folder), options)
        browser.close()


def setup(browser: Browser, folder: Path, options: argparse.Namespace) -> None:
    """The form that makes a project of a new folder."""
    with running(folder / "cats", [], {}) as app, opened(browser, app, "", height=1060) as page:
        where = page.get_by_text("It will be kept in")
        where.wait_for()
        page.wait_for_function(IS_STILL)
        where.evaluate("(caption) => { caption.textContent = 'It will be kept in /home/me/cats' }")
        take(page, options.out / "setup.png")


def digits(browser: Browser, folder: Path, options: argparse.Namespace) -> None:
    """Every screen of the demo, after seven rounds in which one label in twenty was wrong."""
    os.environ["LABELLOOP_HOME"] = str(folder / "home")
    classes, out = [str(digit) for digit in range(10)], options.out
    with running(folder / "home" / "demo", classes, read_truth(DIGITS / "labels.csv"), demo=True) as app:
        with opened(browser, app, "Ada") as page:
            label_rounds(page, app, rounds=7, wrong_every=20)
            take(page, out / "label.png")
            show_reasons(page)
            take(page, out / "label-why.png")
        screens(browser, app, out)


def screens(browser: Browser, app: Running, out: Path) -> None:
    """The screens beside Label."""
    with opened(browser, app, "Ada", path="grid") as page:
        page.get_by_role("button", name="24", exact=True).click()
        page.get_by_role("button", name="Confirm 24").wait_for()
        take(page, out / "grid.png")
    with opened(browser, app, "Ada", path="progress", height=1180) as page:
        wait_for_chart(page)
        take(page, out / "progress.png")
    with opened(browser, app, "Ada", path="progress", height=3600) as page:
        wait_for_chart(page)
        rounds = page.get_by_role("heading", name="Rounds", exact=True)
        classes = page.get_by_role("heading", name="Classes", exact=True)
        take(page, out / "progress-classes.png", start=classes, end=rounds)
        take(page, out / "progress-rounds.png", start=rounds)
    with opened(browser, app, "Ada", path="uncertainty", height=1040) as page:
        wait_for_chart(page)
        take(page, out / "uncertainty.png")
        page.get_by_text("Map", exact=True).click()
        take(page, out / "uncertainty-map.png")
    with opened(browser, app, "Ada", path="review") as page:
        page.locator('[class*="st-key-review_choose_"] button').first.click()
        page.get_by_role("heading", name="Sample").wait_for()
        take(page, out / "review.png")


def several(browser: Browser, folder: Path, options: argparse.Namespace) -> None:
    """Two people who decide on the same samples, and what Review says of them."""
    classes, truth = [str(digit) for digit in range(10)], read_truth(DIGITS / "labels.csv")
    project, few = folder / "several", copied(DIGITS / "pool", sorted(truth)[:40], folder / "few-digits")
    labelloop(
        "init", str(project), "--images", str(few), "--classes", ",".join(classes), "--query-size", "100",
        "--overlap", "2", "--overlap-share", "1.0",
    )  # fmt: skip
    with running(project, classes, truth) as app:
        for name, wrong_every in (("Ada", NEVER), ("Ben", 7)):
            with opened(browser, app, name) as page:
                label(page, app, 38, wrong_every=wrong_every)
        with opened(browser, app, "Ada", path="review") as page:
            page.get_by_role("tab", name="Agreement").click()
            page.get_by_text("Krippendorff's alpha").first.wait_for()
            take(page, options.out / "review-agreement.png")


def photos(browser: Browser, folder: Path, options: argparse.Namespace) -> None:
    """A project of photographs; left out without a folder of them."""
    if options.photos is None:
        return
    truth = read_truth(options.photos / "pool.csv")
    classes = sorted(set(truth.values()))
    project, few = folder / "photographs", copied(options.photos / "pool", sorted(truth)[:300], folder / "few-photos")
    labelloop("init", str(project), "--images", str(few), "--classes", ",".join(classes))
    with running(project, classes, truth) as app, opened(browser, app, "Ada") as page:
        label_rounds(page, app, rounds=2, wrong_every=NEVER)
        show_reasons(page)
        take(page, options.out / "label-photographs.png", dither=Image.Dither.FLOYDSTEINBERG)


def copied(folder: Path, names: list[str], to: Path) -> Path:
    """A folder with some of another one's files."""
    to.mkdir()
    for name in names:
        shutil.copy(folder / name, to)
    return to


PARTS = {"setup": setup, "digits": digits, "several": several, "photos": photos}


# ---- the person


def label_rounds(page: Page, app: Running, *, rounds: int, wrong_every: int) -> None:
    """Label round by round; audit samples finish none, so some rounds need more labels than they hold."""
    for number in range(1, rounds + 1):
        label(page, app, 10, wrong_every=wrong_every)
        while (seen := app.rounds())[0] <= number:
            if seen[1]:
                label(page, app, 1, wrong_every=wrong_every)
            page.wait_for_timeout(1500)
    page.keyboard.press("f")  # something flagged, so that Review has it
    label(page, app, 3, wrong_every=wrong_every)


def label(page: Page, app: Running, count: int, *, wrong_every: int) -> None:
    """Press the right key for each sample, and now and then the one beside it."""
    for _ in range(count):
        token = wait_for(lambda: fact(page, "shown"), "a sample")
        sample_id = int(fact(page, "sample"))
        index = app.classes.index(app.class_of(sample_id))
        if sample_id % wrong_every == 0:
            index = (index + 1) % len(app.classes)
        page.keyboard.press(key_of(app.classes, index))
        wait_for(lambda before=token: fact(page, "shown") not in {"", before}, "the next sample")
    wait_for(lambda: fact(page, "unsaved") == "0", "all labels to be saved")


def key_of(classes: list[str], index: int) -> str:
    """A class named by a digit has that digit; the others have that of their place."""
    return classes[index] if classes[index].isdecimal() else str(index + 1)


def show_reasons(page: Page) -> None:
    """Turn the suggestion and the reasons on."""
    for name in ("Show the model's suggestion", "Why this one"):
        page.get_by_role("switch", name=name).click()
    page.get_by_text("Nearest labeled samples").wait_for()


# ---- the app and the browser


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


def take(
    page: Page,
    to: Path,
    *,
    start: Locator | None = None,
    end: Locator | None = None,
    dither: Image.Dither = Image.Dither.NONE,
) -> None:
    """Take a picture when nothing moves any more, with as many colors as fit.

    Args:
        page: the page.
        to: the PNG file.
        start: leave out what is above this, and the sidebar.
        end: leave out what is below this.
        dither: how colors that do not fit are replaced; a photograph needs it, letters do not.
    """
    page.mouse.move(WIDTH - 2, HEIGHT - 2)
    page.wait_for_function(IS_STILL)
    page.wait_for_timeout(2500)  # charts and images are drawn after the script has ended
    page.screenshot(path=to)
    picture = Image.open(to).convert("RGB")
    if start is not None:
        picture = part_of(picture, top=top_of(start), bottom=top_of(end) if end else picture.height)
    for colors in (256, 128, 64):
        picture.quantize(colors, dither=dither).save(to, optimize=True)
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


if __name__ == "__main__":
    main()
