"""A hub of models on this machine: as much of its answers as its library asks for."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse

from tests.loops.embeddings.named_libraries import weights

REVISION = "1" * 40
SENTENCES = {
    "model.safetensors": b"a" * 100,
    "config.json": b'{"words": ["good", "bad"]}',
    "1_Pooling/config.json": b"{}",
    "pytorch_model.bin": b"the same again",
    "onnx/model.onnx": b"the same again",
    "evil.py": b"raise SystemExit",
    "README.md": b"# A network",
}


@cache
def twice() -> bytes:
    """Weights of the network timm:tiny, which then gives twice the mean of each channel."""
    return weights(scale=[2.0, 2.0, 2.0])


@dataclass
class Hub:
    """What it holds, and what it was asked."""

    files: dict[str, dict[str, bytes]]  # by repository, by name
    address: str = ""
    stalls_after: int = 0  # bytes of the next file; 0: it does not
    tells_other_hashes: bool = False
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, range
    closing: threading.Event = field(default_factory=threading.Event)

    def fetched(self) -> list[str]:
        """Names of files, each as often as some of it was sent."""
        return [path.split("/", 5)[-1] for method, path, _ in self.asked if method == "GET" and "/resolve/" in path]

    def about(self, repository: str) -> dict[str, object]:
        return {
            "id": repository,
            "sha": REVISION,
            "siblings": [self._sibling(name, content) for name, content in self.files[repository].items()],
            "tags": ["vision", "license:apache-2.0"],
        }

    def _sibling(self, name: str, content: bytes) -> dict[str, object]:
        digest = "0" * 64 if self.tells_other_hashes else hashlib.sha256(content).hexdigest()
        lfs = {"sha256": digest, "size": len(content), "pointerSize": 1}
        return {"rfilename": name, "size": len(content), "lfs": lfs}


class Answers(BaseHTTPRequestHandler):
    """To one request."""

    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_GET(self) -> None:
        parts = self._noted("GET")
        if parts[:2] == ["api", "models"] and "/".join(parts[2:4]) in self.hub.files:
            self._send(json.dumps(self.hub.about("/".join(parts[2:4]))).encode(), 200, {})
        elif "resolve" in parts:
            self._send(*self._file(parts))
        else:
            self._send(b"{}", 404, {"X-Error-Code": "RepoNotFound"})

    def do_HEAD(self) -> None:
        content, status, about = self._file(self._noted("HEAD"))
        self._send_headers(len(content), status, about)

    def _noted(self, method: str) -> list[str]:
        path = urlparse(self.path).path
        self.hub.asked.append((method, path, self.headers.get("Range", "")))
        return path.strip("/").split("/")

    def _file(self, parts: list[str]) -> tuple[bytes, int, dict[str, str]]:
        content = self.hub.files.get("/".join(parts[:2]), {}).get("/".join(parts[4:]))
        if content is None:
            return b"", 404, {"X-Error-Code": "EntryNotFound"}
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        about = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": REVISION}
        if start:
            about["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return content[start:], 206 if start else 200, about

    def _send_headers(self, size: int, status: int, about: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**about, "Content-Length": str(size)}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, body: bytes, status: int, about: dict[str, str]) -> None:
        self._send_headers(len(body), status, about)
        if self.hub.stalls_after and "/resolve/" in self.path:
            self.wfile.write(body[: self.hub.stalls_after])
            self.hub.closing.wait()
            self.close_connection = True
        else:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def hub_of_models(files: dict[str, dict[str, bytes]]) -> Iterator[Hub]:
    hub = Hub(files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("AnswersOfHub", (Answers,), {"hub": hub}))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
