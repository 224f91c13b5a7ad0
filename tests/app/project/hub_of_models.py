"""A hub of models on this machine: as much of its answers as its library asks for."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse

REVISION = "1" * 40


@dataclass
class Hub:
    """What it holds, and what it was asked."""

    files: dict[str, dict[str, bytes]]  # by repository, by name
    address: str = ""
    licence: str = "license:apache-2.0"
    breaks_off_after: int = 0  # bytes of the next file that is asked for; 0: it does not
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, range

    def about(self, repository: str) -> dict[str, object]:
        siblings = [
            {
                "rfilename": name,
                "size": len(content),
                "lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 1},
            }
            for name, content in self.files[repository].items()
        ]
        return {"id": repository, "sha": REVISION, "siblings": siblings, "tags": ["vision", self.licence]}


@contextmanager
def hub_of_models(files: dict[str, dict[str, bytes]]) -> Iterator[Hub]:
    hub = Hub(files)

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hub.asked.append(("GET", urlparse(self.path).path, self.headers.get("Range", "")))
            parts = urlparse(self.path).path.strip("/").split("/")
            if parts[:2] == ["api", "models"]:
                repository = "/".join(parts[2:4])
                found = hub.about(repository) if repository in hub.files else None
                return self._send(json.dumps(found or {}).encode(), 200 if found else 404)
            return self._file("/".join(parts[:2]), "/".join(parts[4:]), whole=True)

        def do_HEAD(self) -> None:
            hub.asked.append(("HEAD", urlparse(self.path).path, ""))
            parts = urlparse(self.path).path.strip("/").split("/")
            self._file("/".join(parts[:2]), "/".join(parts[4:]), whole=False)

        def _file(self, repository: str, name: str, *, whole: bool) -> None:
            content = hub.files.get(repository, {}).get(name)
            if content is None:
                return self._send(b"", 404, {"X-Error-Code": "EntryNotFound"})
            start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
            about = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": REVISION}
            if start:
                about["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            return self._send(content[start:], 206 if start else 200, about, whole=whole)

        def _send(self, body: bytes, status: int, about: dict[str, str] | None = None, *, whole: bool = True) -> None:
            self.send_response(status)
            for name, value in {**(about or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if not whole:
                return
            if hub.breaks_off_after and "/resolve/" in self.path:
                self.wfile.write(body[: hub.breaks_off_after])
                self.close_connection = True
                return
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
