from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from app.answering.serving import _listening, run_server
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


def test_the_end_of_an_answer_does_not_wait_for_the_receipt_of_its_beginning() -> None:
    """Each answer took 40 ms longer on a connection that is kept."""

    async def asked() -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            told.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listening = _listening("127.0.0.1", 0)
        async with await asyncio.start_server(answer, sock=listening):
            _, writer = await asyncio.open_connection(*listening.getsockname())
            writer.close()
            return await told

    assert asyncio.run(asked())
