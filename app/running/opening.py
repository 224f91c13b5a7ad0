"""Asking a running `labelloop run` to open another project beside its own: one server shows one project.

The screens leave a note in their project's folder; the supervisor finds it and runs a supervisor of the other project
as a child, which ends when it does.
"""

from __future__ import annotations

import sys
from pathlib import Path

from app.project.project import Project
from app.project.settings import write_atomically
from app.running.child import Child


def ask_to_open(project: Project, other: Path) -> None:
    """Leave a note for the supervisor of a project."""
    write_atomically(project.opening_path, str(other).encode())


def asked_to_open(project: Project) -> Path | None:
    """Take the note, if there is one."""
    if not project.opening_path.is_file():
        return None
    asked = Path(project.opening_path.read_text(encoding="utf-8"))
    project.opening_path.unlink()
    return asked


def opened_beside(project: Project, other: Path) -> Child:
    """Return the child that runs another project; ended, it is not started again."""
    command = [sys.executable, "-m", "app.command.main", "run", str(other), "--no-browser"]
    log = project.logs_dir / f"opened-{other.name}.log"
    return Child(name=f"project {other}", command=command, log=log, starts_again=False)
