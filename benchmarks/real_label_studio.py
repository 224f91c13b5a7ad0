"""A real Label Studio, for check_label_studio.py: started in a folder of its own, and asked over its API."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from real_app import free_port, wait_for

EMAIL, PASSWORD, TOKEN = "ada@example.com", "only-for-this-check", "0123456789abcdef0123456789abcdef01234567"
LEAST_SURE_FIRST = {"title": "least sure first", "ordering": ["tasks:predictions_score"]}

Task = Mapping[str, Any]


@dataclass(frozen=True)
class Studio:
    """A Label Studio that runs."""

    url: str

    def ask(self, path: str, body: object = None, *, method: str = "", kind: str = "application/json") -> Any:
        """What it answers to a request of its API; what it refuses is said whole."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Token {TOKEN}", "Content-Type": kind}
        request = urllib.request.Request(self.url + path, content, headers, method=method or None)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                said = answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {error.code}, {error.read()[:2000].decode()}") from error
        return json.loads(said) if said else None

    def is_up(self) -> bool:
        """Whether it answers."""
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=5):
            return True
        return False

    def version(self) -> str:
        """Of itself."""
        return str(self.ask("/api/version")["release"])

    def import_export(self, exported: Path) -> int:
        """Make a project of what our `export` wrote, whose images it serves where they lie; return its number."""
        config = (exported / "config.xml").read_text(encoding="utf-8")
        settings = {"title": f"from {exported.name}", "label_config": config, "show_collab_predictions": True}
        number = int(self.ask("/api/projects/", settings)["id"])
        storage = {"project": number, "path": str(exported / "images"), "use_blob_urls": True}
        self.ask("/api/storages/localfiles/", storage)
        self.ask(f"/api/projects/{number}/import", (exported / "tasks.json").read_bytes())
        return number

    def connect(self, project: int, address: str, token: str) -> None:
        """Give a project its ML backend; and to the webhook that comes with it the token, which it does not get."""
        login = {"auth_method": "BASIC_AUTH", "basic_auth_user": "labelloop", "basic_auth_pass": token}
        self.ask("/api/ml/", {"url": address, "title": "LabelLoop", "project": project} | login)
        for hook in self.ask(f"/api/webhooks/?project={project}"):
            headers = {"headers": {"Authorization": f"Bearer {token}"}}
            self.ask(f"/api/webhooks/{hook['id']}/", headers, method="PATCH")

    def least_sure_first(self, project: int) -> int:
        """The number of a tab of its Data Manager that is sorted by prediction score."""
        views = self.ask(f"/api/dm/views?project={project}")
        mine = next((one for one in views if one["data"].get("title") == LEAST_SURE_FIRST["title"]), None)
        return int((mine or self.ask("/api/dm/views/", {"project": project, "data": LEAST_SURE_FIRST}))["id"])

    def least_sure(self, project: int) -> list[Task]:
        """All tasks in that order."""
        view = self.least_sure_first(project)
        return list(self.ask(f"/api/tasks?view={view}&project={project}&page_size=1000&fields=all")["tasks"])

    def upload(self, project: int, path: Path) -> None:
        """Import a file as its page does."""
        head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'.encode()
        kind = "multipart/form-data; boundary=edge"
        self.ask(f"/api/projects/{project}/import", head + path.read_bytes() + b"\r\n--edge--\r\n", kind=kind)


@contextlib.contextmanager
def running_studio(command: Path, folder: Path, files: Path) -> Iterator[Studio]:
    """Run Label Studio, with one person, until the block ends.

    Args:
        command: `label-studio` of its own environment.
        folder: for its database.
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
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(files),
        "ML_BLOCK_LOCAL_IP": "false",  # else it connects to no ML backend of this machine or its network
        "SSRF_PROTECTION_ENABLED": "false",  # else it tells none of an annotation
    }
    who = ["--username", EMAIL, "--password", PASSWORD, "--user-token", TOKEN, "--enable-legacy-api-token"]
    started = [command, "start", "--no-browser", "--port", port, "--data-dir", folder, *who]
    with running(started, folder / "log.txt", environment):
        studio = Studio(f"http://127.0.0.1:{port}")
        wait_for(studio.is_up, "Label Studio", pause_s=1.0)
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
