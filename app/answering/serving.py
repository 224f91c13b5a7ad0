"""Running the server: few threads, few connections, one log line that says where it is and what it keeps."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import typer
import uvicorn

from app.answering.connections import SILENT_S, Impatient
from app.answering.served import Served
from app.answering.server import make_app
from app.errors import PortTakenError, SupervisorError, UsageError

CONNECTIONS = 256  # beyond them callers are told to come again


def run_server(path: Path, *, host: str, port: int, token: str, collect: float) -> None:
    """Serve a project or a model until Ctrl+C.

    Raises:
        UsageError: Something is to be kept, and there is no project that it could be kept in.
        PortTakenError: Another program has the port.
        SupervisorError: Nobody can listen at that address or port.
    """
    with _listening(host, port) as listening:
        served = Served(path, collect=collect)
        _announce(served, host, port, collect)
        uvicorn.Server(
            uvicorn.Config(
                make_app(served, token=token),
                host=host,
                port=port,
                http=Impatient,
                log_level="warning",
                limit_concurrency=CONNECTIONS,
                timeout_keep_alive=int(SILENT_S),
                server_header=False,
            )
        ).run(sockets=[listening])


def _announce(served: Served, host: str, port: int, collect: float) -> None:
    if collect:
        if served.project is None:
            raise UsageError("--collect adds samples to a project's pool; a model alone has none.")
        typer.echo(
            f"{collect:.0%} of what is asked, the least sure, is kept in {served.project.folder / 'collected'} and "
            "shown to the people who label. Tell those who ask."
        )
    typer.echo(f"{served.words} http://{host}:{port} (OpenAPI: /openapi.json).")


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP, else asyncio does not switch off that the end of an answer waits for the receipt of its beginning.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(port) from error
        raise SupervisorError(f"Nobody can listen at {host}, port {port}: {error.strerror}.") from error
    return listening
