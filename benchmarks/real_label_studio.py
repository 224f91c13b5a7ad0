"""A real Label Studio, for check_label_studio.py: started in a folder of its own, spoken to over its API."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from real_app import free_port, wait_for

EMAIL, PASSWORD, TOKEN = "ada@example.com", "only-for-this-check", "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Studio:
    """A Label Studio that runs."""

    url: str

    def ask(self, path: str, body: object = None, *, method: str = "") -> Any:  # noqa: ANN401 - JSON
        """What it answers to a request of its API, with a sentence where it refuses."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Token {TOKEN}", "Content-Type": "application/json"}
        method = method or ("GET" if content is None else "POST")
        request = urllib.request.Request(self.url + path, content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                said = answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code}, {error.read()[:2000].decode()}") from error
        return json.loads(said) if said else None

    def answers(self) -> bool:
        """Whether it is up."""
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=5):
            return True
        return False


@contextlib.contextmanager
def running_studio(command: Path, folder: Path, files: Path) -> Iterator[Studio]:
    """Run Label Studio, with one person, until the block ends.

    Args:
        command: `label-studio` of its own environment.
        folder: of its database.
        files: root of the local files that it may serve.
    """
    port = free_port()
    folder.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")},
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "false",
        "LABEL_STUDIO_HOST": f"http://127.0.0.1:{port}",
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(files),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    }
    who = ["--username", EMAIL, "--password", PASSWORD, "--user-token", TOKEN]
    started = [command, "start", "--no-browser", "--port", str(port), "--data-dir", folder, "--log-level", "INFO", *who]
    with running(started, folder / "log.txt", environment):
        studio = Studio(f"http://127.0.0.1:{port}")
        wait_for(studio.answers, "Label Studio", pause_s=1.0)
        yield studio


@contextlib.contextmanager
def running(command: list[Any], said: Path, environment: dict[str, str] | None = None) -> Iterator[None]:
    """Run a command in the background until the block ends."""
    with said.open("wb") as log:
        process = subprocess.Popen([str(one) for one in command], stdout=log, stderr=log, env=environment)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
