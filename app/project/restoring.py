"""Restore: a project whose database is damaged or gone, put together again from its backups and its label journal."""

from __future__ import annotations

from app.errors import ProjectError
from app.project.lock import trainer_lock
from app.project.project import DATABASE_URL_VARIABLE, Project
from app.running.supervisor import held
from storage.backup import FOLDER
from storage.restoring import Restored, restore


def restore_project(project: Project) -> Restored:
    """Bring a project's SQLite database back while nothing uses it.

    Raises:
        ProjectError: When the project's database is on a server.
        AlreadyRunningError: When its screens are running.
        TrainerRunningError: When its trainer is.
        RestoreError: When there is nothing to restore from; nothing is changed then.
    """
    if project.is_on_server:
        raise ProjectError(f"{DATABASE_URL_VARIABLE} names a database server, which has backups of its own.")
    with held(project), trainer_lock(project.lock_path):
        return restore(project.database_path, backups=project.database_path.parent / FOLDER)


def restored_text(outcome: Restored) -> str:
    """Say what was done, as sentences."""
    said = [_origin(outcome)]
    if outcome.damaged_lines:
        said.append(f"{outcome.damaged_lines:,} lines of the journal were damaged and could not be used.")
    if outcome.set_aside is not None:
        said.append(f"The file that was there was kept as {outcome.set_aside.name}.")
    if outcome.backup is None and not outcome.was_whole:
        said.append("Its rounds and their figures are gone; the next training makes new ones.")
    return " ".join(said)


def _origin(outcome: Restored) -> str:
    count = outcome.put_back or "0 label events"
    if outcome.was_whole and outcome.set_aside is None:
        return "The database is sound and has all of the label journal; nothing was changed."
    if outcome.was_whole:
        return f"The database is sound; {count} that it had lost came back from the label journal."
    if outcome.backup is not None:
        return f"The database was restored from {outcome.backup.name}, with {count} more from the label journal."
    return f"The database was restored from the label journal alone, with {count}."
