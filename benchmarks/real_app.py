"""What the benchmarks in a real browser share: `labelloop run` on a project, Chromium, and the labeler's own facts."""

from __future__ import annotations

import contextlib
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

import psutil
from playwright.sync_api import Browser, Error, Page, Playwright

from app.running.web_server import is_healthy

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
PATIENCE_S = 240.0
LABELER = """(name) => [...document.querySelectorAll('[data-testid="stBidiComponentIsolated"]')]
    .map((host) => host.shadowRoot?.querySelector('.labeler')?.dataset[name]).find(Boolean) ?? ''"""


@dataclass(frozen=True)
class RunningApp:
    """Screens and trainer of a project."""

    port: int
    supervisor: int  # its process id

    @property
    def url(self) -> str:
        """Where the screens are."""
        return f"http://127.0.0.1:{self.port}"

    def screens(self) -> psutil.Process:
        """The supervisor's Streamlit child."""
        for child in psutil.Process(self.supervisor).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "streamlit" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                    return child
        raise RuntimeError("the screens do not run")


@contextlib.contextmanager
def running_app(folder: Path) -> Iterator[RunningApp]:
    """`labelloop run` on a project, once its screens answer."""
    port = free_port()
    command = [sys.executable, "-m", "app.command.main", "run", str(folder), "--no-browser", "--port", str(port)]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        try:
            wait_for(lambda: is_healthy(port), "the screens")
            yield RunningApp(port, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(look: Callable[[], object], what: str, *, pause_s: float = 0.01) -> None:
    """Look again and again until there is something to see."""
    deadline = time.monotonic() + PATIENCE_S
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_S:.0f} s in vain for {what}")
        time.sleep(pause_s)


def open_browser(playwright: Playwright) -> Browser:
    """The browser of this machine, or Playwright's own."""
    found = os.environ.get("LABELLOOP_TEST_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    return playwright.chromium.launch(executable_path=found, args=FLAGS)


def ask(page: Page, name: str) -> str:
    """One of the labeler's facts; nothing while a page is being loaded."""
    try:
        return str(page.evaluate(LABELER, name))
    except Error:
        return ""


def open_labeler(page: Page, url: str, annotator: str) -> None:
    """Open the Label page under a name and wait for the first sample."""
    page.goto(f"{url}/?annotator={annotator}")
    wait_for(lambda: ask(page, "shown"), "the first sample")
