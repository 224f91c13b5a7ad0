"""Labels in a real Label Studio with `labelloop serve` behind it: what arrives where, and in which order it asks.

Label Studio has a Python of its own, for its requirements exclude ours:

    python -m venv studio && studio/bin/pip install label-studio
    python benchmarks/check_label_studio.py --label-studio studio/bin/label-studio --data photographs --out out

`--data` is a folder with one folder of images per class. A project is made of some of them, without labels, and exported
for Label Studio, which imports it and gets our server as its ML backend. Chromium labels 30 tasks on its labeling page,
the true class by the page's own keys; the trainer trains meanwhile. Prints a table, leaves screenshots in `out`, and ends
with 1 when anything is not as it should be.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright
from real_app import free_port, open_browser, wait_for
from real_label_studio import EMAIL, PASSWORD, Studio, running, running_studio

from app.client import Project
from app.formats.registry import open_source
from app.project.creation import make_project
from app.project.settings import ProjectSettings

PER_ROUND, ROUNDS = 10, 3  # labels that finish a round; of them, three times
TOKEN = "only-for-this-check"
COMMAND = [sys.executable, "-m", "app.command.main"]


def main() -> None:
    """Connect, label, train, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--label-studio", type=Path, required=True, help="the command of its own environment")
    parser.add_argument("--data", type=Path, required=True, help="a folder per class")
    parser.add_argument("--count", type=int, default=80, help="images")
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    options = parser.parse_args()
    out = options.out.resolve()
    true = unlabeled_project(options.data, options.count, out)
    port = free_port()
    serve = [*COMMAND, "serve", out / "project", "--port", port, "--token", TOKEN]
    with (
        running([*COMMAND, "train", out / "project"], out / "trainer.txt"),
        running(serve, out / "server.txt"),
        running_studio(options.label_studio, out / "studio", out) as studio,
        Project(out / "project", annotator="check") as project,
        sync_playwright() as playwright,
    ):
        check = Check(project, studio, connected(studio, out, port), true, out)
        check.label_in(open_browser(playwright).new_page(viewport={"width": 1400, "height": 900}))
        check.read_back()
    raise SystemExit(not check.is_well)


def unlabeled_project(data: Path, count: int, out: Path) -> dict[str, str]:
    """Make a project of the first images of each class, and export it; return the class of each file."""
    classes = sorted(path.name for path in data.iterdir() if path.is_dir())
    each = [sorted((data / name).iterdir())[: count // len(classes)] for name in classes]
    (out / "photographs").mkdir(parents=True)
    for path in itertools.chain(*each):
        shutil.copy(path, out / "photographs")
    settings = ProjectSettings(name="behind Label Studio", query_size=PER_ROUND)
    make_project(out / "project", settings=settings, classes=classes, data=out / "photographs")
    export(out / "project", out / "exported")
    return {path.name: path.parent.name for path in itertools.chain(*each)}


def export(project: Path, folder: Path) -> None:
    """Write the folder that Label Studio imports."""
    subprocess.run([*COMMAND, "export", project, "--format", "label-studio", folder], check=True)


def connected(studio: Studio, out: Path, port: int) -> int:
    """Make Label Studio's project of our export, with our server behind it; return its number."""
    number = imported(studio, out / "exported")
    backend = {"url": f"http://127.0.0.1:{port}", "title": "LabelLoop", "project": number}
    login = {"auth_method": "BASIC_AUTH", "basic_auth_user": "labelloop", "basic_auth_pass": TOKEN}
    studio.ask("/api/ml/", backend | login)
    hooks = studio.ask(f"/api/webhooks/?project={number}")
    for hook in hooks:  # Label Studio makes it without the login
        headers = {"Authorization": f"Bearer {TOKEN}"}
        studio.ask(f"/api/webhooks/{hook['id']}/", {"headers": headers}, method="PATCH")
    return number


def imported(studio: Studio, exported: Path) -> int:
    """Make a project of what `labelloop export --format label-studio` wrote, its images served where they lie."""
    config = (exported / "config.xml").read_text(encoding="utf-8")
    project = {"title": exported.name, "label_config": config, "show_collab_predictions": True}
    number = int(studio.ask("/api/projects/", project | {"evaluate_predictions_automatically": True})["id"])
    studio.ask(
        "/api/storages/localfiles/", {"project": number, "path": str(exported / "images"), "use_blob_urls": True}
    )
    studio.ask(f"/api/projects/{number}/import", (exported / "tasks.json").read_bytes())
    return number


class Check:
    """What is looked at while labels are given."""

    def __init__(self, project: Project, studio: Studio, number: int, true: dict[str, str], out: Path) -> None:
        self.is_well = True
        self._project, self._studio, self._number, self._true, self._out = project, studio, number, true, out

    def label_in(self, page: Page) -> None:
        """Label on Label Studio's page, and compare after each round."""
        page.goto(f"{self._studio.url}/user/login")
        page.fill("#email", EMAIL)
        page.fill("#password", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url("**/projects**")
        for number in range(ROUNDS):
            self._label_some(page, number)
            wait_for(lambda wanted=number: self._trained() > wanted, f"round {number}", pause_s=0.5)
            self._compare(page, number)

    def _label_some(self, page: Page, number: int) -> None:
        """Label tasks as its page gives them: its first ones, later those it has the lowest score of."""
        for place, task in enumerate(self._least_sure()[:PER_ROUND]):
            page.goto(f"{self._studio.url}/projects/{self._number}/data?task={task['id']}")
            choice = self._true[Path(task["data"]["image"]).name]
            box = page.get_by_role("checkbox", name=choice).or_(page.get_by_role("radio", name=choice))
            expect(page.get_by_text(choice).first).to_be_visible(timeout=60_000)
            if place == 0:
                page.wait_for_timeout(1_500)
                page.screenshot(path=self._out / f"task-of-round-{number}.png")
            if not box.is_checked():
                page.keyboard.press(str(self._classes().index(choice) + 1))
            page.get_by_role("button", name="Submit").click()
            wait_for(lambda wanted=number * PER_ROUND + place: self._annotations() > wanted, "the annotation")
