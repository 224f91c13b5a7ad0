"""Requests that nobody sends in good faith, drawn by lot: for `bench_serve.py`."""

from __future__ import annotations

import base64
import json
import random
import socket
import struct
import zlib

PATHS = (
    *["/v1/predict"] * 8, "/predict", "/setup", "/webhook", "/v1/project/decisions", "/v1/project/questions",
    "/v1/project/undo", "/v1/project/samples/..%2f..%2fetc%2fpasswd/content", "/%2e%2e/etc/passwd",
)  # fmt: skip
WRONG_TOKENS = ("Bearer wrong", "Basic !", "Basic OndyIG9uZw==", "x" * 9_000)
NAMES = ("../../../root/.bashrc", "/etc/passwd", "C:\\x.png", "a" * 5_000, "\u202egnp.exe")
MB = 1_000_000


def hostile_request(image: bytes, draw: random.Random, headers: dict[str, str]) -> tuple[bytes, str, dict[str, str]]:
    """Body, path and headers of a request, with a wrong token in a tenth of the cases.

    Args:
        image: A file that would be answered; it is cut.
        draw: Decides.
        headers: Of a good request.
    """
    body = draw.choice(_bodies(image, draw))
    if draw.random() < 0.1:
        return body, draw.choice(PATHS), {"Authorization": draw.choice(WRONG_TOKENS)}
    if draw.random() < 0.1:
        as_form = {**headers, "Content-Type": "multipart/form-data; boundary=x"}
        return _file(body, draw.choice(NAMES)), "/v1/predict/files", as_form
    return body, draw.choice(PATHS), headers


def half_a_request(port: int, draw: random.Random) -> int:
    """Say half of a request, or what is none, and be gone; 0, for there is no answer."""
    head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
    said = draw.choice([head[: draw.randrange(len(head))], draw.randbytes(300), b"GET " + b"a" * 99_999])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(said)
    return 0


def _bodies(image: bytes, draw: random.Random) -> list[bytes]:
    """Wrong types, bad JSON, too much of it, and images that are cut, enormous or none."""
    cut, bomb = (base64.b64encode(one).decode() for one in (image[: draw.randrange(len(image))], _bomb()))
    huge = bytes(33 * MB) if draw.random() < 0.01 else b'{"images": ["' + b"A" * MB
    return [
        huge, b"[" * 50_000, b'{"images": [' * 500, b"", b"null", b"[]", draw.randbytes(draw.randrange(2_000)),
        _json(images=5), _json(images=[[1], {}]), _json(images=[cut]), _json(images=[cut, bomb]),
        _json(images=["."] * 300), _json(images=["file:///etc/passwd"], collect="perhaps"),
        _json(texts=["../../etc/passwd"]), _json(rows=[{"a": [1e308 * 10]}]),
        _json(sample_id=-1, action="label", class_name="9" * MB, request_id="../x", annotator="\u202e"),
        _json(tasks=[{"data": {"image": "/data/local-files/?d=../../../../etc/passwd"}}], label_config="<" * 5_000),
    ]  # fmt: skip


def _json(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def _bomb() -> bytes:
    """A PNG of a few bytes that says it has 60,000 x 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1_000))), (b"IEND", b""))
    framed = (
        struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part)) for name, part in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def _file(content: bytes, name: str) -> bytes:
    """A form with one file, whose name leads elsewhere."""
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n\r\n' % name.encode()
    return head + content + b"\r\n--x--"
