"""Asking a running `labelloop run` to open another project beside its own: one server shows one project.

The screens leave a note in their project's folder; the supervisor finds it and runs a supervisor of the other project
as a child, which ends when it does, or when that is asked for.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from app.project.project import Project
from app.project.settings import write_atomically
from app.running.child import Child


def ask_to_open(project: Project, other: Path) -> None:
    """Leave a note for the supervisor of a project."""
    _leave(project, {"open": str(other)})


def ask_to_close(project: Project, other: Path) -> None:
    """Leave a note for the supervisor of a project; it ends only what it has opened."""
    _leave(project, {"close": str(other)})


def _leave(project: Project, note: dict[str, str]) -> None:
    write_atomically(project.note_path, json.dumps(note).encode())


def follow_note(project: Project, children: list[Child]) -> None:
    """Do what the screens have asked for, if they have."""
    if not project.note_path.is_file():
        return
    note = _take(project)
    named = _name(note.get("open") or note.get("close") or "")
    opened = next((child for child in children if child.name == named), None)
    if "close" in note and opened is not None:
        opened.ask_to_end()
    elif "open" in note and opened is None:
        children.append(_beside(project, Path(note["open"])))
    elif "open" in note and opened is not None and opened.process is None:
        opened.start()


def _take(project: Project) -> dict[str, str]:
    """The note; one that something else has written must not end the supervisor, and asks for nothing."""
    try:
        note = json.loads(project.note_path.read_text(encoding="utf-8"))
    except ValueError:
        note = None
    project.note_path.unlink()
    return note if isinstance(note, dict) else {}


def _name(folder: str) -> str:
    return f"project {folder}"


def _beside(project: Project, other: Path) -> Child:
    command = [sys.executable, "-m", "app.command.main", "run", str(other), "--no-browser"]
    log = project.logs_dir / f"opened-{other.name}.log"
    return Child(name=_name(str(other)), command=command, log=log, starts_again=False)
