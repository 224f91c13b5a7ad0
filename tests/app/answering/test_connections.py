import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.answering import connections
from app.answering.connections import Impatient

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "is_answered"), [(b"", False), (REQUEST[:-2], False), (REQUEST, True), (REQUEST + REQUEST[:9], True)]
)
def test_a_connection_that_asks_nothing_is_closed_and_one_whose_answer_takes_long_is_not(
    monkeypatch: pytest.MonkeyPatch, said: bytes, is_answered: bool
) -> None:
    monkeypatch.setattr(connections, "SILENT_S", 0.05)

    async def answer_late(_scope: Any, _receive: Any, send: Any) -> None:
        await asyncio.sleep(0.2)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def heard() -> bytes:
        config = uvicorn.Config(answer_late, http=Impatient, lifespan="off")
        config.load()
        made = lambda: Impatient(config, ServerState(), {})  # noqa: E731
        async with await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(said)
            told = await reader.read()  # until it is closed
            writer.close()
            return told

    assert (b"204" in asyncio.run(asyncio.wait_for(heard(), 20))) == is_answered
