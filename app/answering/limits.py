"""What a request may cost: the whole body is read first, within a size, a time and the memory of all requests."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio.to_thread

MAX_BODY = 32_000_000  # bytes; an image of 23 MB as base64 fits
MAX_IN_FLIGHT = 256_000_000  # bytes of all requests that are being read or answered
THREADS = 4  # requests that are worked on at once; each may hold a decoded image of 64 million pixels
MAX_SECONDS = 30.0  # for a body to arrive
OPEN_PATHS = frozenset({"/", "/health"})

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class _TooMuchError(Exception):
    """A body that is refused."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status, self.said = status, said


class Guarded:
    """An application behind a token and the limits above.

    Args:
        app: Gets whole requests of known callers.
        token: What a caller must show, as a bearer or as the password of basic auth; empty: nothing.
    """

    def __init__(self, app: App, token: str) -> None:
        self._app, self._token = app, token
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses a request, or lets it through whole."""
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._token and scope["path"] not in OPEN_PATHS and not self._is_known(dict(scope["headers"])):
            await _refuse(send, 401, "The token is missing or wrong.")
            return
        body = bytearray()
        try:
            await asyncio.wait_for(self._read(receive, body), MAX_SECONDS)
            await self._app(scope, _replayed(bytes(body), receive), send)
        except _TooMuchError as refusal:
            await _refuse(send, refusal.status, refusal.said)
        except asyncio.TimeoutError:
            await _refuse(send, 408, f"The request did not arrive within {MAX_SECONDS:.0f} seconds.")
        finally:
            self._in_flight -= len(body)

    async def _read(self, receive: Receive, body: bytearray) -> None:
        more = True
        while more:
            message = await receive()
            piece = message.get("body", b"")
            if len(body) + len(piece) > MAX_BODY:
                raise _TooMuchError(413, f"A request may have {MAX_BODY // 1_000_000} MB.")
            if self._in_flight + len(piece) > MAX_IN_FLIGHT:
                raise _TooMuchError(503, "Too many large requests at once; try again.")
            body += piece
            self._in_flight += len(piece)
            more = message["type"] == "http.request" and message.get("more_body", False)

    def _is_known(self, headers: dict[bytes, bytes]) -> bool:
        scheme, _, shown = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() == b"basic":
            try:
                shown = base64.b64decode(shown, validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                return False
        return hmac.compare_digest(shown.strip(), self._token.encode())


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def give() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


async def _refuse(send: Send, status: int, said: str) -> None:
    content = json.dumps({"detail": said}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    headers += [(b"www-authenticate", b'Basic realm="labelloop"')] if status == 401 else []
    headers += [(b"connection", b"close")] if status in (408, 413) else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
