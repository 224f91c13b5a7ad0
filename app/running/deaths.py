"""The trainer's deaths: written into the database, where the person looks; after some of them it waits for a person."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from app.errors import AppError
from app.project.endings import TO_WAIT_FOR_A_PERSON, TRAINER
from app.project.project import Project
from app.running.child import Child

LOOK_S = 2.0  # between two looks whether a person wants it started again
LAST_BYTES = 4096  # of a log that are searched for its last line
LONGEST_WORDS = 300  # letters


@dataclass
class Deaths:
    """Counts how often a project's trainer ended unasked, each time before it had lived for long."""

    project: Project
    in_a_row: int = 0
    looked_at: float = field(default=-LOOK_S)
    last_request: int = 0  # of a person, before the death after which it waits

    def note(self, child: Child, status: int) -> None:
        """Keep a death, with the last line of the child's log; what cannot be kept is said on the terminal."""
        from storage.endings import record_ending
        from storage.errors import StorageError
        from storage.trainer import pending_request

        if not self.project.settings_path.is_file():  # no fault of the trainer
            typer.echo(f"{self.project.folder} is not there: was it renamed, or is its disk away?", err=True)
            return
        self.in_a_row += 1
        lived = child.clock() - child.started_at
        try:
            with self.project.opened_to_read() as database:
                identity = self.project.project_id(database)
                told: dict[str, Any] = {
                    "child": child.name,
                    "status": status,
                    "seconds": lived,
                    "last_words": last_words(child.log),
                    "held_bytes": child.held_bytes,
                    "free_bytes": child.free_bytes,
                }
                with database.write() as session:
                    record_ending(session, project_id=identity, **told)
                    request = pending_request(session, project_id=identity, after_id=0)
            self.last_request = request.id if request else 0
        except (StorageError, AppError) as error:
            typer.echo(f"The death of the {child.name} could not be written down: {error}", err=True)

    def over(self) -> None:
        """It has lived for a while: what was before counts no more."""
        self.in_a_row = 0
        self._forget()

    def may_start(self) -> bool:
        """Whether it is started again by itself, or a person has asked for it since."""
        if self.in_a_row < TO_WAIT_FOR_A_PERSON:
            return True
        if time.monotonic() - self.looked_at < LOOK_S:
            return False
        self.looked_at = time.monotonic()
        if not self._is_asked():
            return False
        self.over()
        return True

    def _is_asked(self) -> bool:
        from storage.errors import StorageError
        from storage.trainer import pending_request

        try:
            with self.project.opened_to_read(settle=False) as database, database.read() as session:
                identity = self.project.project_id(database)
                return pending_request(session, project_id=identity, after_id=self.last_request) is not None
        except (StorageError, AppError):  # the screens say what is wrong with the database
            return False

    def _forget(self) -> None:
        from storage.endings import forget_endings
        from storage.errors import StorageError

        try:
            with self.project.opened_to_read() as database:
                identity = self.project.project_id(database)
                with database.write() as session:
                    forget_endings(session, project_id=identity, child=TRAINER)
        except (StorageError, AppError) as error:
            typer.echo(f"The trainer's deaths are over, but that could not be written down: {error}", err=True)


def last_words(log: Path) -> str:
    """Return the last line of a log, which after a Python error is what went wrong; empty where it says nothing."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LAST_BYTES))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), "")[:LONGEST_WORDS]
