"""Connections that ask for nothing are closed: as many as the server bears would keep everybody else out."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

SILENT_S = 10.0  # seconds until the head of a request is there, from the connection or from the answer before


class Impatient(H11Protocol):
    """Uvicorn's HTTP, which waits for ever for the first request, and for the rest of a head that has begun."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a request."""
        super().connection_made(transport)
        self._wait_beyond(None)

    def on_response_complete(self) -> None:
        """Begins to wait for the next request, unless it has come already."""
        answered = self.cycle
        super().on_response_complete()
        self._wait_beyond(answered)

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits no more."""
        super().connection_lost(exc)
        if self._patience is not None:
            self._patience.cancel()

    def _wait_beyond(self, answered: object) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = self.loop.call_later(SILENT_S, self._end_unless_asked, answered)

    def _end_unless_asked(self, answered: object) -> None:
        if self.cycle is answered and not self.transport.is_closing():
            self.transport.close()
