"""How fast does `labelloop serve` answer, and do hostile requests end it or fill its memory?

    python benchmarks/bench_serve.py
    python benchmarks/bench_serve.py --quick

Three small projects (digits, texts, rows of a table) are made with labels, trained for a round and served. Clients keep
their connection and ask for one sample at a time. Then `--hostile` requests (`hostile_requests.py`) go to the server of
images, beside 200 connections that never say anything. None may be answered with a fault of the server's own, and the
answer to a good request must be the same to the last digit afterwards.
"""

from __future__ import annotations

import argparse
import base64
import csv
import http.client
import json
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from hostile_requests import half_a_request, hostile_request
from real_app import free_port, wait_for

from app.client import Project
from app.project.creation import make_project
from app.project.demo import DEMO_CLASSES, sample_data
from app.project.settings import ProjectSettings

TOKEN = "let-me-in"
JSON = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
CLIENTS = (1, 8, 32)
SILENT = 200  # connections that are opened and say nothing
AT_ONCE = 16


@dataclass(frozen=True)
class Server:
    """A running `labelloop serve`."""

    port: int
    process: psutil.Process

    @property
    def memory(self) -> float:
        """MiB it holds."""
        return float(self.process.memory_info().rss / 2**20)

    def ask(self, body: bytes, path: str = "/v1/predict", headers: dict[str, str] = JSON) -> tuple[int, bytes]:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("POST", path, body, headers)
            said = connection.getresponse()
            return said.status, said.read()
        finally:
            connection.close()


def main() -> int:
    """Prints both tables; 1 if a hostile request did what it must not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each cell of the table")
    parser.add_argument("--hostile", type=int, default=10_000, help="requests")
    parser.add_argument("--quick", action="store_true", help="less of everything")
    options = parser.parse_args()
    seconds, hostile = (1.0, 500) if options.quick else (options.seconds, options.hostile)
    with tempfile.TemporaryDirectory() as folder:
        made = {kind: make(Path(folder, kind)) for kind, make in PROJECTS.items()}
        print(f"| one sample a request | {' | '.join(f'{n} clients: requests a second, p95' for n in CLIENTS)} |")
        print("|---|---|---|---|")
        for kind, (project, body) in made.items():
            with served(project) as server:
                server.ask(body)
                cells = (f"{rate:.0f}, {p95:.0f} ms" for rate, p95 in (load(server, body, n, seconds) for n in CLIENTS))
                print(f"| {kind} | {' | '.join(cells)} |", flush=True)
        with served(made["images"][0]) as server:
            return attack(server, made["images"][1], hostile)


def images(folder: Path) -> tuple[Path, bytes]:
    """Digits, with the labels of a hundred."""
    digits = sample_data()
    with (digits / "labels.csv").open() as file:
        named = list(csv.reader(file))[1:101]
    folder.mkdir()
    copies = [shutil.copy(digits / path, folder) for path, _ in named]
    lines = [(Path(copy).name, label) for copy, (_, label) in zip(copies, named, strict=True)]
    project = trained(folder, [("path", "label"), *lines], DEMO_CLASSES)
    return project, as_json(images=[base64.b64encode((digits / named[0][0]).read_bytes()).decode()])


def texts(folder: Path) -> tuple[Path, bytes]:
    """Made-up sentences about two things."""
    draw, words = random.Random(0), {"pets": ["cat", "dog", "purrs", "paw"], "cars": ["wheel", "engine", "brake"]}
    lines = [(" ".join(draw.choices([*words[name], "the", "a", "was"], k=12)), name) for name in sorted(words) * 50]
    return trained(folder, [("text", "label"), *lines], sorted(words)), as_json(texts=[lines[0][0]])


def rows(folder: Path) -> tuple[Path, bytes]:
    """Ten made-up measures of two kinds of things."""
    draw, names = random.Random(0), [f"m{n}" for n in range(10)]
    lines = [[*(f"{draw.gauss(2 * (label == 'a'), 1):.3f}" for _ in names), label] for label in "ab" * 50]
    asked = dict(zip(names, map(float, lines[0][:10]), strict=True))
    return trained(folder, [[*names, "label"], *lines], ["a", "b"]), as_json(rows=[asked])


PROJECTS: dict[str, Callable[[Path], tuple[Path, bytes]]] = {"images": images, "texts": texts, "rows": rows}


def trained(folder: Path, lines: Iterable[Sequence[object]], classes: Sequence[str]) -> Path:
    """A project of a table, with its labels and a round."""
    folder.mkdir(exist_ok=True)
    with (folder / "pool.csv").open("w") as file:
        csv.writer(file).writerows(lines)
    project, data = folder / "project", folder / "pool.csv"
    make_project(project, settings=ProjectSettings(folder.name), classes=classes, data=data, labeled=True)
    with Project(project) as opened:
        opened.train()
    command = [sys.executable, "-m", "app.command.main", "train", str(project), "--once"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return project


def as_json(**fields: object) -> bytes:
    """A request's body."""
    return json.dumps(fields).encode()


@contextmanager
def served(project: Path) -> Iterator[Server]:
    """Serve a project, behind a token."""
    port = free_port()
    command = [sys.executable, "-m", "app.command.main", "serve", str(project), "--port", str(port), "--token", TOKEN]
    with tempfile.TemporaryFile() as said, subprocess.Popen(command, stdout=said, stderr=said) as process:
        try:
            wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "the server", pause_s=0.2)
            yield Server(port, psutil.Process(process.pid))
        finally:
            process.terminate()


def load(server: Server, body: bytes, clients: int, seconds: float) -> tuple[float, float]:
    """Answers a second, and the 95th percentile of their milliseconds."""
    took: list[float] = []
    until = time.monotonic() + seconds

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        while (began := time.monotonic()) < until:
            connection.request("POST", "/v1/predict", body, JSON)
            said = connection.getresponse()
            if b'"label"' not in said.read():
                raise RuntimeError(f"no answer, {said.status}")
            took.append(time.monotonic() - began)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(took) / seconds, float(np.percentile(took, 95)) * 1_000


def attack(server: Server, good: bytes, count: int) -> int:
    """Send hostile requests; say what came of them."""
    before = server.ask(good)
    image = base64.b64decode(json.loads(good)["images"][0])
    with ExitStack() as held, ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(SILENT):
            held.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        memory, said = [server.memory], Counter[int]()
        for part in range(4):
            drawn = (random.Random(n) for n in range(part * count // 4, (part + 1) * count // 4))
            said += Counter(pool.map(lambda draw: send(server, image, draw), drawn))
            memory.append(server.memory)
    after = server.ask(good)
    print(f"\n{count:,} hostile requests: {', '.join(f'{n:,} times {status}' for status, n in sorted(said.items()))}")
    print(
        f"(0: closed without an answer). MiB before, and after each quarter: {', '.join(f'{m:.0f}' for m in memory)}."
    )
    print(f"Afterwards a good request is answered {'as before' if after == before else f'otherwise: {after}'}.")
    faults = [status for status in said if status >= 500 and status != 503]  # 503: too much at once, come again
    return int(bool(faults) or after != before)


def send(server: Server, image: bytes, draw: random.Random) -> int:
    """Send one; return the status of the answer, 0 for none."""
    try:
        if draw.random() < 0.1:
            return half_a_request(server.port, draw)
        return server.ask(*hostile_request(image, draw, JSON))[0]
    except (http.client.HTTPException, OSError):
        return 0


if __name__ == "__main__":
    sys.exit(main())
