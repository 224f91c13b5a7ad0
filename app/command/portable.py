"""The commands `labelloop move` and `labelloop replay`: the project elsewhere, and its record compared with itself."""

from __future__ import annotations

from typing import Annotated

import typer

from app.command.options import ProjectArgument
from app.project.project import DATABASE_URL_VARIABLE, open_project


def move(
    project: ProjectArgument,
    database_url: Annotated[
        str, typer.Argument(metavar="DATABASE_URL", help="Such as postgresql://HOST/NAME, or sqlite:///FILE.")
    ],
) -> None:
    """Copy a project's database to another place: to a PostgreSQL server, and back. The old one stays as it is."""
    from storage.moving import copy_database

    opened = open_project(project)
    with opened.opened_to_read() as database:
        rows = copy_database(database, database_url)
    typer.echo(
        f"{rows['samples']:,} samples, {rows['label_events']:,} label events and {rows['rounds']:,} rounds are there "
        f"now. Set {DATABASE_URL_VARIABLE} to that address to work with them"
        f"{'' if not database_url.startswith('sqlite') else ', or put the file in place of labelloop.db'}."
    )


def replay(project: ProjectArgument) -> None:
    """Work out from the label events what each round stood on, and say where its record differs; exit code 1 then."""
    from app.project.replaying import replayed_rounds

    opened = open_project(project)
    with opened.opened_to_read() as database:
        found = replayed_rounds(database, opened.project_id(database))
    for one in found:
        typer.echo(f"round {one.number}: {one.labels:,} labels, {one.decisions:,} decisions on its questions")
        for difference in one.differences:
            typer.echo(f"  differs: {difference}")
    count = sum(len(one.differences) for one in found)
    typer.echo(f"{count:,} differences in {len(found):,} rounds (models were not fitted again).")
    raise typer.Exit(1 if count else 0)
