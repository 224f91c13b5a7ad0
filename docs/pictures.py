"""Takes every picture of the guide from the running app. Run it again when a screen has changed.

    python docs/pictures.py                     all pictures, into docs/images
    python docs/pictures.py --only several      one of the parts: setup, digits, several

It starts `labelloop run` on the demo and on small projects, labels by keyboard as a person would, waits for the
trainer, and needs Chromium or Chrome (LABELLOOP_TEST_BROWSER names another one).
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from photographed_app import (
    FLAGS,
    IS_STILL,
    Running,
    browser_here,
    fact,
    labelloop,
    opened,
    read_truth,
    running,
    take,
    wait_for,
    wait_for_chart,
)
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
DIGITS = HERE.parent / "sample_data" / "digits"
NEVER = 10**9  # wrong labels
PACE_MS = 500  # between two labels: a person looks before pressing a key


def main() -> None:
    """Take what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "images")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that whatever was started is ended
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ["LABELLOOP_HOME"] = str(Path(folder) / "home")  # not of whoever runs this
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
    with opened(browser, app, "Ada", path="progress", height=5600) as page:
        wait_for_chart(page)
        rounds = page.get_by_role("heading", name="Rounds", exact=True)
        classes = page.get_by_role("heading", name="Classes", exact=True)
        take(page, out / "progress-classes.png", start=classes, end=rounds)
        take(page, out / "progress-rounds.png", start=rounds)
    with opened(browser, app, "Ada", path="uncertainty", height=1040) as page:
        wait_for_chart(page)
        take(page, out / "uncertainty.png")
        page.get_by_text("Map", exact=True).click()
        page.locator(".pool-map[data-drawn]").wait_for()
        take(page, out / "uncertainty-map.png")
    with opened(browser, app, "Ada", path="review", height=1040) as page:
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
                label(page, app, 32, wrong_every=wrong_every)
        with opened(browser, app, "Ada", path="review") as page:
            page.get_by_role("tab", name="Agreement").click()
            page.get_by_text("Krippendorff's alpha").first.wait_for()
            take(page, options.out / "review-agreement.png")


def copied(folder: Path, names: list[str], to: Path) -> Path:
    """A folder with some of another one's files."""
    to.mkdir()
    for name in names:
        shutil.copy(folder / name, to)
    return to


PARTS = {"setup": setup, "digits": digits, "several": several}


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
        page.wait_for_timeout(PACE_MS)
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


if __name__ == "__main__":
    main()
