"""Where the screens of a project are to be found while it runs, for a list of several."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from app.project.project import Project
from app.project.settings import write_atomically


@contextmanager
def announced(project: Project, url: str) -> Iterator[None]:
    """Keep the address in the project's folder while this process serves it."""
    project.folder.mkdir(parents=True, exist_ok=True)
    write_atomically(project.address_path, json.dumps({"url": url, "pid": os.getpid()}).encode())
    try:
        yield
    finally:
        project.address_path.unlink(missing_ok=True)


def address_of(project: Project) -> str:
    """Return the address of a project that runs; empty where it does not, also where it was killed."""
    if not project.address_path.is_file():
        return ""
    try:
        told = json.loads(project.address_path.read_text(encoding="utf-8"))
        return str(told["url"]) if psutil.pid_exists(int(told["pid"])) else ""
    except (ValueError, TypeError, KeyError, OSError):  # taken away, or written by something else
        return ""
