"""A real `labelloop run` on a small project, and a real browser in front of it."""

from __future__ import annotations

import contextlib
import csv
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
from typing import TYPE_CHECKING, TypeVar

import psutil
import pytest
from sqlalchemy import text

from app.project.creation import make_project
from app.project.project import Project
from app.project.settings import ProjectSettings
from app.running.web_server import is_healthy, streamlit_command, streamlit_environment
from loops.acquisition import catalog
from storage.engine import Database
from tests.forks import Forked, forks_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

POOL, TEST = 300, 100  # digits in the small project
PATIENCE = 120.0  # seconds for anything; two busy cores are slow, and nothing here measures time
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO_GET_ONE = (
    "no browser found: install one (Debian and Ubuntu: `apt-get install chromium`; elsewhere: "
    "`.venv/bin/playwright install chromium`), or name one in LABELLOOP_TEST_BROWSER"
)
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SCREENS_LOAD = (
    "streamlit.web.cli", "streamlit.web.bootstrap", "streamlit.runtime.scriptrunner", "altair", "pandas", "pyarrow",
    "PIL.Image", "storage.opening", "app.project.status",
)  # fmt: skip

Answer = TypeVar("Answer")


def look_until(look: Callable[[], Answer | None], what: str, *, pause: float = 0.1) -> Answer:
    """Look again and again until there is something to see."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(pause)
    raise AssertionError(f"waited {PATIENCE:.0f} s in vain for {what}")


@pytest.fixture(scope="session", name="wait_for")
def wait_for_fixture() -> Callable[..., object]:
    return look_until


@dataclass
class Running:
    """A project with its screens and trainer."""

    project: Project
    process: subprocess.Popen[str]
    url: str
    labels: dict[str, int]  # true class index of each image, by file name
    said: Path
    database: Database

    def child(self, name: str) -> psutil.Process | None:
        """Find the supervisor's `app.trainer.process` or `streamlit` child, if it lives."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                    if name in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                        return child
        return None

    def new_child(self, name: str, *, old: psutil.Process) -> psutil.Process | None:
        """Find the child that was started in the place of one that died."""
        found = self.child(name)
        return found if found is not None and found.pid != old.pid else None

    @property
    def trainer(self) -> psutil.Process | None:
        return self.child("app.trainer.process")

    @property
    def screens(self) -> psutil.Process | None:
        return self.child("streamlit")

    def rows(self, query: str, **values: object) -> list[tuple[object, ...]]:
        with self.database.read() as session:
            return [tuple(row) for row in session.execute(text(query), values)]

    def is_healthy(self) -> bool:
        return is_healthy(int(self.url.rsplit(":", 1)[1]))

    def open_round(self) -> int | None:
        """The number of the round whose ranking is being labeled."""
        found = self.rows("SELECT number FROM rounds WHERE state = 'open'")
        return int(str(found[0][0])) if found else None

    def class_of(self, sample_id: int) -> int:
        """The true class of a sample."""
        [(uri,)] = self.rows("SELECT uri FROM samples WHERE id = :id", id=sample_id)
        return self.labels[Path(str(uri)).name]


FOREST = "sklearn.ensemble:RandomForestClassifier"


@pytest.fixture(scope="session")
def make_small_project(digits: Path) -> Callable[..., Project]:
    """Make a project of the first digits of the sample data.

    With an acquisition function that asks no committee a round fits less, and with a forest next to nothing: for tests
    in which any model does.
    """

    def make(folder: Path, acquisition: str = catalog.DEFAULT, predictor: str = "auto") -> Project:
        images = folder.with_name(f"{folder.name}-images")
        for split, count in (("pool", POOL), ("test", TEST)):
            (images / split).mkdir(parents=True)
            for path in sorted((digits / split).iterdir())[:count]:
                shutil.copy(path, images / split)
        wanted = {path.name for path in (images / "test").iterdir()}
        rows = [row for row in read_labels(digits / "test.csv") if Path(row[0]).name in wanted]
        manifest = "".join(f"{path},{label}\n" for path, label in rows)
        (images / "test.csv").write_text(f"path,label\n{manifest}")
        settings = ProjectSettings(
            name="end to end",
            query_size=5,
            mc_iterations=4,
            audit_share=0.1,
            acquisition=acquisition,
            predictor=predictor,
        )
        classes = [str(digit) for digit in range(10)]
        created = make_project(
            folder, settings=settings, classes=classes, data=images / "pool", test=images / "test.csv"
        )
        assert created.pool.added == POOL
        return created.project

    return make


def read_labels(manifest: Path) -> list[tuple[str, int]]:
    with manifest.open(newline="") as file:
        return [(row["path"], int(row["label"])) for row in csv.DictReader(file)]


@pytest.fixture
def start(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Project], Running]]:
    """Start `labelloop run` in a process group of its own; whatever is left of it in the end is killed."""
    started: list[Running] = []
    labels = {Path(path).name: label for path, label in read_labels(digits / "labels.csv") if path.startswith("pool")}

    def start_one(project: Project) -> Running:
        port, said = free_port(), tmp_path_factory.mktemp("said") / "stdout"
        command = [
            sys.executable,
            "-m",
            "app.command.main",
            "run",
            str(project.folder),
            "--no-browser",
            "--port",
            str(port),
        ]
        with said.open("w") as out:
            process = subprocess.Popen(
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                env=plain_environment(),
            )
        running = Running(project, process, f"http://127.0.0.1:{port}", labels, said, project.open_database())
        started.append(running)
        look_until(lambda: is_healthy(port) or process.poll() is not None, "the screens")
        assert process.poll() is None, said.read_text()
        look_until(lambda: running.url in said.read_text(), "the printed address")
        return running

    yield start_one
    for running in started:
        end_with_all_descendants(running.process)
        running.database.close()


def serve_screens(project: Project, port: int, environment: dict[str, str], log: Path) -> Forked:
    """Start the screens alone, by the supervisor's own command; they answer a while later."""
    with log.open("ab") as said, Path(os.devnull).open("rb") as nothing:
        return forks_of(*SCREENS_LOAD).start(
            streamlit_command(port)[1:],
            env={**environment, **streamlit_environment(project)},
            cwd=os.sep,
            files=[nothing.fileno(), said.fileno(), said.fileno()],
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def own_port() -> int:
    return free_port()


@pytest.fixture
def own_environment() -> dict[str, str]:
    return plain_environment()


def plain_environment() -> dict[str, str]:
    """The environment without what pytest adds, and with output that is not held back."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "LABELLOOP"))}
    return {**kept, "PYTHONUNBUFFERED": "1"}


def end_with_all_descendants(process: subprocess.Popen[str] | Forked) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        descendants = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        for left in [*descendants, process]:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                left.kill()
    process.wait()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
        found = os.environ.get("LABELLOOP_TEST_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
        if found is None and not own.exists():
            if os.environ.get("CI") == "true":
                pytest.fail(HOW_TO_GET_ONE)
            pytest.skip(HOW_TO_GET_ONE)
        opened = playwright.chromium.launch(executable_path=found, args=BROWSER_FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(PATIENCE * 1000)
    yield opened
    opened.close()


class Labeler:
    """A person at the keyboard, who knows every digit."""

    def __init__(self, page: Page, running: Running) -> None:
        self.page = page
        self.running = running

    def open(self) -> str:
        self.page.goto(f"{self.running.url}/?annotator=tester")
        return self.wait_for_sample()

    def wait_for_sample(self, other_than: str | None = None) -> str:
        """Wait until a sample is on screen, drawn to the end; return what tells it from the others."""
        try:
            return look_until(lambda: self._other(other_than), "a sample on the screen", pause=0.01)
        except AssertionError as error:
            self.page.screenshot(path=self.running.project.logs_dir / "screen.png")
            raise AssertionError(f"{error}; the page said: {self.page.locator('body').inner_text()}") from error

    def _other(self, other_than: str | None) -> str | None:
        token = self.shown()
        return token if token != other_than else None

    def shown(self) -> str | None:
        """What is on screen and was painted, if anything is."""
        return self._told("shown") or None

    def sample_id(self) -> int:
        return int(self._told("sample"))

    def unsaved(self) -> int:
        """How many decisions the server has not confirmed; none before the page is drawn."""
        return int(self._told("unsaved") or 0)

    def wait_until_saved(self) -> None:
        look_until(lambda: self._told("unsaved") == "0", "all labels to be saved")

    def _told(self, name: str) -> str:
        # One look: a locator would wait for a page that is just being loaded anew.
        script = f"""() => [...document.querySelectorAll('[data-testid="stBidiComponentIsolated"]')]
            .map((host) => host.shadowRoot?.querySelector('.labeler')?.dataset.{name}).find(Boolean) ?? ''"""
        with contextlib.suppress(Exception):  # the page was left for a newer one in the middle of the question
            return str(self.page.evaluate(script))
        return ""

    def key_of(self, class_index: int) -> str:
        return str(class_index)  # a class named by a digit has its key

    def press(self, key: str, token: str) -> str:
        """Press a key and wait for the next sample, which does not wait for the server."""
        self.page.keyboard.press(key)
        return self.wait_for_sample(other_than=token)

    def label(self, token: str) -> str:
        """Label what is on screen rightly."""
        return self.press(self.key_of(self.running.class_of(self.sample_id())), token)


@pytest.fixture
def labeler(page: Page) -> Callable[[Running], Labeler]:
    return lambda running: Labeler(page, running)
