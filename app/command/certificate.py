"""The commands ``labelloop certificate`` and ``labelloop verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.command.options import ProjectArgument
from app.project.project import open_project


def certificate(
    project: ProjectArgument,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new file, JSON.")],
) -> None:
    """Write what is proven of the model's answers, with all that it stands on, to a file."""
    from app.project.certificate_file import write_certificate

    opened = open_project(project)
    with opened.opened_to_read() as database:
        project_id = opened.project_id(database)
        with database.read() as session:
            typer.echo(write_certificate(session, opened, project_id, out))


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A certificate.")],
    project: ProjectArgument,
) -> None:
    """Work a certificate out again from its project; exit code 1 when it is not what the project says."""
    from app.project.certificate_file import verify_certificate

    opened = open_project(project)
    with opened.opened_to_read() as database:
        project_id = opened.project_id(database)
        with database.read() as session:
            verified = verify_certificate(session, opened, project_id, file)
    since = f" {verified.labels_since:,} label events came after it." if verified.labels_since else ""
    typer.echo(f"The certificate is what the project says. {verified.sentence}{since}")
