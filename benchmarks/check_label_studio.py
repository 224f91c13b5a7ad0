"""A real Label Studio with `labelloop serve` behind it: what arrives where, and in which order it asks.

Label Studio has a Python of its own, for its requirements exclude ours:

    python -m venv studio && studio/bin/pip install label-studio
    python benchmarks/check_label_studio.py --label-studio studio/bin/label-studio --data photographs --out out

`--data` is a folder with one folder of images per class. A project is made of some of them, without labels, and
exported; Label Studio imports that and gets our server as its ML backend. Chromium labels on its labeling page, by its
own keys and its Submit button, as many tasks as three rounds need, while the trainer trains. Prints a table, leaves
screenshots in `out`, and ends with 1 when anything is not as it should be.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Response, sync_playwright
from real_app import free_port, open_browser, wait_for
from real_label_studio import EMAIL, PASSWORD, Studio, Task, running, running_studio
from scipy.stats import spearmanr

from app.client import Project
from app.project.creation import make_project
from app.project.pool_answers import PoolAnswer
from app.project.settings import ProjectSettings

PER_ROUND, ROUNDS = 10, 3  # labels that finish a round, and how often
FIRST = 20  # of the order, what is compared one by one
LABELLOOP = [sys.executable, "-m", "app.command.main"]
SERVER_TOKEN = "only-for-this-check"
SHOWN_PICTURE = "[...document.images].find((one) => one.naturalWidth > 99 && one.clientWidth > 99)?.src ?? ''"


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
    with (
        running([*LABELLOOP, "train", out / "project"], out / "trainer.txt"),
        running_studio(options.label_studio.absolute(), out / "studio", out / "exported") as studio,
        serving(out, studio) as address,
        Project(out / "project", annotator="check") as project,
        sync_playwright() as playwright,
    ):
        number = studio.import_export(out / "exported")
        studio.connect(number, address, SERVER_TOKEN)
        check = Check(project, studio, number, true, out)
        print(f"Label Studio {studio.version()}, {len(true)} photographs")
        page = open_browser(playwright).new_page(viewport={"width": 1400, "height": 900})
        check.label_rounds(page)
        check.take_back_and_skip(page)
        check.ask_about_an_upload(sorted((options.data / project.classes[0].name).iterdir())[-1])
        check.read_each_other()
    raise SystemExit(not check.is_well)


def unlabeled_project(data: Path, count: int, out: Path) -> dict[str, str]:
    """Make a project of the first images of each class, and export it; return the class of each file."""
    classes = sorted(path.name for path in data.iterdir() if path.is_dir())
    each = [sorted((data / name).iterdir())[: count // len(classes)] for name in classes]
    (out / "photographs").mkdir(parents=True)
    for path in itertools.chain(*each):
        shutil.copy(path, out / "photographs")
    # no audit samples: they do not count for a round, and the rounds are to be trained after labels that can be counted
    settings = ProjectSettings(name="behind Label Studio", query_size=PER_ROUND, audit_share=0.0)
    make_project(out / "project", settings=settings, classes=classes, data=out / "photographs")
    labelloop("export", out / "project", "--format", "label-studio", "--with-predictions", out / "exported")
    return {path.name: path.parent.name for path in itertools.chain(*each)}


def labelloop(*words: object) -> None:
    """Run a command of ours, and show what it says."""
    print("$ labelloop", *(word.name if isinstance(word, Path) else word for word in words), flush=True)
    done = subprocess.run([*LABELLOOP, *map(str, words)], check=True, capture_output=True, text=True)
    print(done.stdout.replace(f"{words[1].parent}/" if isinstance(words[1], Path) else "", ""), end="", flush=True)


@contextmanager
def serving(out: Path, studio: Studio) -> Iterator[str]:
    """Run `labelloop serve`, which knows Label Studio's address and a personal access token of it."""
    port = free_port()
    key = studio.ask("/api/token/", {})["token"]
    environment = os.environ | {"LABEL_STUDIO_URL": studio.url, "LABEL_STUDIO_API_KEY": key}
    command = [*LABELLOOP, "serve", out / "project", "--port", port, "--token", SERVER_TOKEN]
    with running(command, out / "server.txt", environment):
        address = Studio(f"http://127.0.0.1:{port}")
        wait_for(address.is_up, "labelloop serve", pause_s=0.5)
        yield address.url


class Check:
    """Labels in Label Studio, and looks at what becomes of them."""

    def __init__(self, project: Project, studio: Studio, number: int, true: dict[str, str], out: Path) -> None:
        self.is_well = True
        self._project, self._studio, self._number, self._true, self._out = project, studio, number, true, out
        self._tab = studio.least_sure_first(number)
        self._picture = ""  # its address, that of each task anew
        self._places: list[
            int
        ] = []  # of what the page gave, once there was a model, in our order of what was unlabeled

    def label_rounds(self, page: Page) -> None:
        """Label on Label Studio's page, and compare the orders after each round."""
        page.goto(f"{self._studio.url}/user/login")
        page.fill("input[name=email]", EMAIL)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(f"{self._studio.url}/")
        for number in range(1, ROUNDS + 1):
            self._label(page, PER_ROUND - (number > 1), f"before-round-{number}.png")
            wait_for(lambda wanted=number: self._newest_round() >= wanted, f"round {number}", pause_s=0.5)  # type: ignore[misc]
            self._label(page, 1)  # with it the server hears from Label Studio again
            version = f"round-{self._newest_round()}"
            wait_for(lambda wanted=version: self._studio_goes_by() == wanted, version, pause_s=0.5)  # type: ignore[misc]
            self._compare(version)
        page.goto(f"{self._studio.url}/projects/{self._number}/data?tab={self._tab}")
        page.wait_for_timeout(4_000)
        page.screenshot(path=self._out / "data-manager.png")
        self._say("annotations in Label Studio", len(self._annotations()), ROUNDS * PER_ROUND + 1)
        self._say("label events in LabelLoop", len(self._project.labels()), ROUNDS * PER_ROUND + 1)
        self._say("of them under the person's name", self._named(EMAIL), ROUNDS * PER_ROUND + 1)
        self._say("of them of the class that was chosen", self._right(), ROUNDS * PER_ROUND + 1)
        self._say("rounds trained", self._newest_round(), ROUNDS)
        self._say(
            f"of {len(self._places)} tasks that its page gave after round 1, our least sure then",
            self._places.count(0),
            len(self._places),
        )

    def _label(self, page: Page, count: int, picture: str = "") -> None:
        """Label what its page gives."""
        with page.expect_response(is_next_task, timeout=60_000) as given:
            page.goto(f"{self._studio.url}/projects/{self._number}/data?labeling=1&tab={self._tab}")
        for place in range(count):
            task = given.value.json()
            submit = self._shown(page, task)
            if picture and place == 0:
                page.screenshot(path=self._out / picture)
            if picture and self._newest_round():
                self._places.append([Path(one.uri).name for one in self._unlabeled()].index(file_of(task)))
            name = self._true[file_of(task)]
            key = [one.name for one in self._project.classes].index(name)
            boxes = page.locator("input[type=checkbox]")
            if not boxes.nth(key).is_checked():
                page.keyboard.press(str(key + 1))
            wait_for(lambda boxes=boxes, key=key: boxes.nth(key).is_checked(), f"{name} to be chosen")  # type: ignore[misc]
            with page.expect_response(is_next_task, timeout=60_000) as given:
                submit.click()

    def _shown(self, page: Page, task: Task) -> Any:
        """Wait for the picture of a task, another one than the last; return the button that submits it."""
        wait_for(lambda: page.evaluate(SHOWN_PICTURE) not in ("", self._picture), file_of(task))
        self._picture = page.evaluate(SHOWN_PICTURE)
        button = page.locator("button[name=submit]")
        button.wait_for(timeout=60_000)
        page.wait_for_timeout(500)  # the prediction is put into the annotation after the buttons are there
        return button

    def _compare(self, version: str) -> None:
        """Print whether Label Studio's order is that of our doubt, among what nobody has labeled."""
        open_tasks = [task for task in self._studio.least_sure(self._number) if not task["is_labeled"]]
        answered = [t for t in open_tasks if version in {one["model_version"] for one in t["predictions"]}]
        self._say(f"{version}: unlabeled tasks with its prediction in Label Studio", len(answered), len(open_tasks))
        pool = self._unlabeled()
        ours, theirs = [Path(one.uri).name for one in pool], [file_of(task) for task in open_tasks]
        same = sum(mine == other for mine, other in zip(ours[:FIRST], theirs[:FIRST], strict=True))
        self._say(f"{version}: of the {FIRST} least sure, at the same place in both", same, FIRST)
        doubt = {Path(one.uri).name: one.doubt for one in pool}
        scores = [float(task["predictions_score"]) for task in open_tasks]
        rank = spearmanr(scores, [-doubt[name] for name in theirs]).statistic
        print(f"| {version}: Spearman of its score and our certainty, {len(scores)} tasks | {rank:.4f} | |")
        print(f"| {version}: its three lowest scores | {', '.join(f'{one:.3f}' for one in scores[:3])} | |", flush=True)

    def take_back_and_skip(self, page: Page) -> None:
        """Delete one annotation, and skip one task."""
        [last] = self._annotations()[-1:]
        self._studio.ask(f"/api/annotations/{last}/", method="DELETE")
        with page.expect_response(is_next_task, timeout=60_000) as given:
            page.goto(f"{self._studio.url}/projects/{self._number}/data?labeling=1&tab={self._tab}")
        self._shown(page, given.value.json())
        with page.expect_response(is_next_task, timeout=60_000):
            page.get_by_role("button", name="Skip").first.click()
        said = Counter(one.action for one in self._project.labels())
        self._say("labels in LabelLoop after one annotation was deleted", said["label"], ROUNDS * PER_ROUND)
        self._say("skips in LabelLoop after Skip", said["skip"], 1)

    def ask_about_an_upload(self, path: Path) -> None:
        """Upload a photograph that LabelLoop does not have: the server fetches it from Label Studio."""
        self._studio.upload(self._number, path)
        everything = {"selectedItems": {"all": True, "excluded": []}, "project": str(self._number)}
        self._studio.ask(f"/api/dm/actions?id=retrieve_tasks_predictions&project={self._number}", everything)
        uploaded = [one for one in self._studio.least_sure(self._number) if "/upload/" in one["data"]["image"]]
        self._say("predictions of a photograph uploaded there", sum(len(one["predictions"]) for one in uploaded), 1)

    def read_each_other(self) -> None:
        """Read what Label Studio exports, and have it read what we export by now."""
        for name, kind in (("annotations.json", "JSON"), ("minimal.json", "JSON_MIN")):
            told = self._studio.ask(f"/api/projects/{self._number}/export?exportType={kind}")
            (self._out / "exported" / name).write_text(json.dumps(told))
            again = self._out / f"again-{kind}"
            names = [one.name for one in self._project.classes]
            make_project(again, settings=ProjectSettings(name=kind), classes=names, data=self._out / "photographs")
            labelloop("import", again, self._out / "exported" / name, "--labeled")
            with Project(again) as read:
                said = Counter(one.action for one in read.labels())
            self._say(f"labels read from its {kind}", said["label"], ROUNDS * PER_ROUND)
            print(f"| skips read from its {kind} | {said['skip']} | of 1 |")
        exported = self._out / "exported" / "images" / "labeled"  # below the root of what it may serve
        labelloop("export", self._out / "project", "--format", "label-studio", "--with-predictions", exported)
        number = self._studio.import_export(exported)
        found = self._studio.ask(f"/api/projects/{number}/")
        self._say("annotations, of our export with labels, in it", found["total_annotations_number"], 30)
        self._say("tasks of that export in it", found["task_number"], len(self._true))

    def _say(self, what: str, found: int, wanted: int) -> None:
        self.is_well &= found == wanted
        print(f"| {what} | {found} | {'as it should be' if found == wanted else f'WANTED {wanted}'} |", flush=True)

    def _unlabeled(self) -> list[PoolAnswer]:
        """Our answers for what nobody has labeled, the least sure first."""
        labeled = {one.sample_id for one in self._project.labels()}
        return [one for one in self._project.predictions(limit=1_000).answers if one.sample_id not in labeled]

    def _annotations(self) -> list[int]:
        told = self._studio.ask(f"/api/projects/{self._number}/export?exportType=JSON")
        return sorted(one["id"] for task in told for one in task["annotations"])

    def _newest_round(self) -> int:
        return max((one.number for one in self._project.rounds() if one.checkpoint), default=0)

    def _studio_goes_by(self) -> str:
        return str(self._studio.ask(f"/api/projects/{self._number}/")["model_version"])

    def _named(self, annotator: str) -> int:
        return sum(one.annotator == annotator for one in self._project.labels())

    def _right(self) -> int:
        names = [one.name for one in self._project.classes]
        files = {one.id: Path(one.uri).name for one in self._project.samples(limit=1_000)}
        return sum(names[one.class_index] == self._true[files[one.sample_id]] for one in self._project.labels())  # type: ignore[index]


def file_of(task: Task) -> str:
    """The name of a task's photograph."""
    return str(task["data"]["image"]).rpartition("/")[2]


def is_next_task(response: Response) -> bool:
    """Whether Label Studio's page was given a task to label."""
    return "id=next_task" in response.url


if __name__ == "__main__":
    main()
