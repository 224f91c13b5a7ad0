"""Where the screens of a project are to be found while it runs, for a list of several."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from app.project.project import Project
from app.project.settings import write_atomically


@dataclass(frozen=True)
class Address:
    """Of a project that runs."""

    url: str
    pid: int  # of its supervisor

    def is_opened_by(self, other: Address | None) -> bool:
        """Say whether another supervisor has started this one, and so can end it."""
        try:
            return other is not None and psutil.Process(self.pid).ppid() == other.pid
        except psutil.Error:
            return False


@contextmanager
def announced(project: Project, url: str) -> Iterator[None]:
    """Keep the address in the project's folder while this process serves it."""
    project.folder.mkdir(parents=True, exist_ok=True)
    write_atomically(project.address_path, json.dumps({"url": url, "pid": os.getpid()}).encode())
    try:
        yield
    finally:
        project.address_path.unlink(missing_ok=True)


def address_of(project: Project) -> Address | None:
    """Return the address of a project that runs; None where it does not, also where it was killed."""
    if not project.address_path.is_file():
        return None
    try:
        told = json.loads(project.address_path.read_text(encoding="utf-8"))
        found = Address(str(told["url"]), int(told["pid"]))
    except (ValueError, TypeError, KeyError, FileNotFoundError):  # taken away just now, or written by something else
        return None
    return found if psutil.pid_exists(found.pid) else None
