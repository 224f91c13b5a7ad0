from __future__ import annotations

import socket
from pathlib import Path

import pytest

from app.answering.serving import run_server
from app.errors import PortTakenError, SupervisorError


def test_a_taken_port_and_an_address_of_nobody_here_are_told_apart(tmp_path: Path) -> None:
    def serve(host: str, port: int) -> None:
        run_server(tmp_path, host=host, port=port, token="t", collect=0.0)

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"Port {port} is taken"):
            serve("127.0.0.1", port)
        for host in ("192.0.2.1", "nobody.invalid"):
            with pytest.raises(SupervisorError, match=f"Nobody can listen at {host}, port {port}: ") as refused:
                serve(host, port)
            assert not isinstance(refused.value, PortTakenError)
