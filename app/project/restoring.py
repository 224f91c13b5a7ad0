"""Restore: a project whose database is damaged or gone, put together again from its backups and its label journal."""

from __future__ import annotations

from app.errors import ProjectError
from app.project.project import DATABASE_URL_VARIABLE, Project
from app.running.supervisor import held
from app.trainer.lock import trainer_lock
from storage.backup import FOLDER
from storage.restoring import Restored, restore


def restore_project(project: Project) -> Restored:
    """Bring a project's SQLite database back while nothing uses it.

    Raises:
        ProjectError: When the project's database is on a server.
        AlreadyRunningError: When its screens are running.
        TrainerRunningError: When its trainer is.
        RestoreError: When there is no sound backup; nothing is changed then.
    """
    if not project.database_url.startswith("sqlite"):
        raise ProjectError(f"{DATABASE_URL_VARIABLE} names a database server, which has backups of its own.")
    with held(project), trainer_lock(project.lock_path):
        return restore(project.database_path, backups=project.database_path.parent / FOLDER)


def restored_text(outcome: Restored) -> str:
    """Say what was done, as sentences."""
    said = [
        f"The database was restored from {outcome.backup.name}, with {outcome.from_journal:,} label events more from "
        "the label journal."
    ]
    if outcome.damaged_lines:
        said.append(f"{outcome.damaged_lines:,} lines of the journal were damaged and could not be used.")
    if outcome.set_aside is not None:
        said.append(f"The damaged file was kept as {outcome.set_aside.name}.")
    return " ".join([*said, "Images that were imported after that backup and are not labeled yet: import them again."])
