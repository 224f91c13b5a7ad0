"""One child process of the supervisor: started, started again with back-off, ended in time, never left behind."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SHORTEST_BACK_OFF = 1.0  # seconds before the second restart; the first is at once. Doubled at each death
LONGEST_BACK_OFF = 60.0  # seconds
LARGEST_LOG = 5_000_000  # bytes; then the log moves to NAME.log.1
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass
class Child:
    """A command that is kept running.

    ``clock`` is monotonic seconds; a jump of the wall clock restarts nothing.
    """

    name: str  # "screens" or "trainer": the log file's name, and the word in messages
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)  # added to the supervisor's own
    niceness: int = 0
    starts_again: bool = True  # when it has ended
    healthy_after: float = 60.0  # seconds of life after which the back-off starts over
    ready: Callable[[], bool] = lambda: True  # not started before
    died: Callable[[Child, int], None] = lambda _child, _status: None  # told of each death, with its exit status
    recovered: Callable[[], None] = lambda: None  # told once it has lived for long enough after a death
    clock: Callable[[], float] = time.monotonic
    process: subprocess.Popen[bytes] | None = None
    back_off: float = 0.0
    started_at: float = 0.0
    held_bytes: int | None = None  # of memory, at the last look at it; None: not looked at in this life
    free_bytes: int | None = None  # of the machine's memory, then
    start_again_at: float = -math.inf

    @property
    def pid(self) -> int | None:
        """The running process, or None between two lives."""
        return self.process.pid if self.process is not None else None

    def start(self) -> None:
        """Start the command, its output going to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:  # append mode: what makes rotate() by truncation safe
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                preexec_fn=_prepare(self.niceness),
            )
        self.started_at = self.clock()
        self.held_bytes = self.free_bytes = None

    def check(self) -> int | None:
        """Start the command when it does not run, is ready, and its back-off is over.

        Returns:
            The exit status, once per death; None while all is well.
        """
        if self.process is None:
            if self._is_wanted() and self.clock() >= self.start_again_at and self.ready():
                self.start()
            return None
        status = self.process.poll()
        if status is None:
            self._note_health()
            self._note_memory()
            return None
        self._sweep()
        self._back_off()
        self.process = None
        self.died(self, status)
        return status

    def _is_wanted(self) -> bool:
        return self.starts_again or not self.started_at

    def _note_health(self) -> None:
        if self.back_off and self.clock() - self.started_at >= self.healthy_after:
            self.back_off = 0.0
            self.recovered()

    def _note_memory(self) -> None:
        """What it holds and what is free: once it was killed nobody can tell any more whether memory was short."""
        with contextlib.suppress(psutil.Error):  # it has ended since
            held = psutil.Process(self.pid).memory_info().rss
            if held:  # one that is just ending holds nothing any more
                self.held_bytes, self.free_bytes = held, psutil.virtual_memory().available

    def _back_off(self) -> None:
        if self.clock() - self.started_at >= self.healthy_after:
            self.back_off = 0.0
        self.start_again_at = self.clock() + self.back_off
        self.back_off = min(max(2 * self.back_off, SHORTEST_BACK_OFF), LONGEST_BACK_OFF)

    def ask_to_end(self) -> None:
        """Send SIGTERM; the trainer writes a last checkpoint on it."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """Kill the command and whatever it has started, and reap it."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._sweep()
        self.process = None

    def _sweep(self) -> None:
        """Kill what is left of the child's process group, so that no helper of a dead child holds a lock or a port."""
        if self.process is not None and sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
                os.killpg(self.process.pid, signal.SIGKILL)

    def rotate(self) -> None:
        """Move a log that has grown too large aside; a line written in between is lost, which a log can bear."""
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            shutil.copyfile(self.log, self.log.with_name(f"{self.log.name}.1"))
            os.truncate(self.log, 0)


def end_all(children: Sequence[Child], *, patience: float, hurry: Callable[[], bool]) -> None:
    """End all children at once: SIGTERM, ``patience`` seconds to comply, then SIGKILL.

    Args:
        children: those to end.
        patience: seconds.
        hurry: asked again and again; once true, the wait is over.
    """
    for child in children:
        child.ask_to_end()
    deadline = time.monotonic() + patience
    while any(child.process is not None and child.process.poll() is None for child in children):
        if time.monotonic() >= deadline or hurry():
            break
        time.sleep(0.05)
    for child in children:
        child.kill()


def _prepare(niceness: int) -> Callable[[], None] | None:
    """Return what the child does between fork and exec.

    It gets a process group of its own, so that Ctrl-C in a terminal reaches the supervisor alone, which then ends the
    children in order. Not a session of its own: Linux weighs sessions against each other, and niceness would mean
    nothing across them.
    """
    if sys.platform == "win32":
        return None
    supervisor = os.getpid()
    # Looked up before the fork: loading a library in a forked child may deadlock.
    prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None

    def prepare() -> None:
        os.setpgid(0, 0)
        os.nice(niceness)
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != supervisor:  # it died before the line above
            os._exit(1)

    return prepare
