"""Processes forked from one that has loaded what they need: loading it is seconds of a core for each of them.

`Forks("streamlit.web.cli").start([...])` is `subprocess.Popen([sys.executable, ...])`, but for what is loaded already;
`run([...], TRAINING)` is `subprocess.run`.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LARGEST = 1 << 20  # bytes of a request
TRAINING = (
    "app.trainer.process",
    "loops.data",
    "tests.loops.attached",
)  # and torch, Lightning, Flash and BaaL with them


@dataclass
class Forked:
    """A process that was forked, to be asked and ended as one of `subprocess.Popen`."""

    forks: Forks
    pid: int
    returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""
        if self.returncode is None:
            self.returncode = self.forks.ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended."""
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(0.01)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Forks:
    """A process that has loaded modules and does nothing but fork; it ends with this one, and its children with it."""

    def __init__(self, *modules: str) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "tests.forks", str(theirs.fileno()), *modules],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        atexit.register(self._end)

    def start(
        self,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | str = ROOT,
        files: Sequence[int],
    ) -> Forked:
        """Start what Python would with these arguments, `-m MODULE ...` or `-c SCRIPT ...`.

        Args:
            arguments: of Python: `-m MODULE ...`, `-c SCRIPT ...` or `FILE ...`.
            env: the whole environment; None: this one's.
            cwd: where it works.
            files: the descriptors of its standard input, output and error.
        """
        request = {"arguments": list(arguments), "env": dict(os.environ if env is None else env), "cwd": str(cwd)}
        return Forked(self, self.ask(request, files))

    def ask(self, request: Mapping[str, Any], files: Sequence[int] = ()) -> Any:
        """Ask, and wait for the answer."""
        socket.send_fds(self._socket, [json.dumps(request).encode()], list(files))
        answer = self._socket.recv(LARGEST)
        assert answer, "the process that forks has ended"
        return json.loads(answer)

    def _end(self) -> None:
        self._socket.close()
        self._process.wait()


@cache
def forks_of(*modules: str) -> Forks:
    """Return the one process of this test run that has loaded these modules."""
    return Forks(*modules)


def run(
    arguments: Sequence[str], modules: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 280.0
) -> subprocess.CompletedProcess[str]:
    """Run what Python would with these arguments, forked from a process that has loaded the modules, to its end."""
    with (
        tempfile.TemporaryFile() as said,
        tempfile.TemporaryFile() as complained,
        Path(os.devnull).open("rb") as nothing,
    ):
        files = [nothing.fileno(), said.fileno(), complained.fileno()]
        process = forks_of(*modules).start(arguments, env=env, files=files)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        outputs = [file.seek(0) or file.read().decode() for file in (said, complained)]
    return subprocess.CompletedProcess(list(arguments), code, *outputs)


def _serve(asked: socket.socket) -> None:
    children: set[int] = set()
    while True:
        said, files, _, _ = socket.recv_fds(asked, LARGEST, 3)
        if not said:
            break
        request = json.loads(said)
        if "poll" in request:
            answer = _status(request["poll"], children)
        else:
            answer = os.fork()
            if not answer:
                asked.close()
                _become(request, files)
            children.add(answer)
        for file in files:
            os.close(file)
        asked.send(json.dumps(answer).encode())
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _status(pid: int, children: set[int]) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        return None
    children.discard(pid)
    return os.waitstatus_to_exitcode(status)


def _run(how: str, *rest: str) -> None:
    if how not in ("-c", "-m"):
        sys.argv, sys.path = [how, *rest], [str(Path(how).parent), *sys.path]
        runpy.run_path(how, run_name="__main__")
        return
    what, *rest = rest
    sys.argv = ["-c" if how == "-c" else what, *rest]
    if how == "-c":
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
    else:
        runpy.run_module(what, run_name="__main__", alter_sys=True)


def _become(request: Mapping[str, Any], files: Sequence[int]) -> None:
    """Be the process that was asked for; does not return."""
    code = 1
    try:
        for place, file in enumerate(files):
            os.dup2(file, place)
            os.close(file)
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        _run(*request["arguments"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - printed, as at the end of any other program
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    for module in sys.argv[2:]:
        importlib.import_module(module)
    _serve(socket.socket(fileno=int(sys.argv[1])))
