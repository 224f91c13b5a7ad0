"""A server without a socket: what `requests` sends is answered by an application in this process."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import requests
from fastapi.testclient import TestClient
from requests.adapters import BaseAdapter

ADDRESS = "http://127.0.0.1:9090"


class InProcess(BaseAdapter):
    """Hands requests to a test client."""

    def __init__(self, app: Any) -> None:
        super().__init__()
        self._client = TestClient(app, base_url=ADDRESS, raise_server_exceptions=False)

    def send(self, request: requests.PreparedRequest, **_more: Any) -> requests.Response:
        """Asks the application."""
        found = self._client.request(
            str(request.method), str(request.url), content=request.body, headers=dict(request.headers)
        )
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = found.status_code, str(request.url), request
        answer.headers.update(found.headers)
        answer.raw = BytesIO(found.content)
        return answer

    def close(self) -> None:
        """Nothing is open."""


def answered_by(app: Any, monkeypatch: Any) -> str:
    """Let an application answer at an address from now on; return it."""
    adapter = InProcess(app)
    monkeypatch.setattr(requests.Session, "get_adapter", lambda _session, **_url: adapter)
    return ADDRESS
