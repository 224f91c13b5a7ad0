"""The commands `labelloop move` and `labelloop replay`: the project elsewhere, and its record compared with itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from app.command.options import ProjectArgument
from app.project.project import DATABASE_URL_VARIABLE, Project, open_project

if TYPE_CHECKING:
    from storage.engine import Database


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


def replay(
    project: ProjectArgument,
    refit: Annotated[
        bool,
        typer.Option("--refit", help="Fit each round once more, and compare its figures, answers and ranking too."),
    ] = False,
) -> None:
    """Work out from the label events what each round stood on, and say where its record differs; exit code 1 then."""
    from app.project.replaying import replayed_rounds

    opened = open_project(project)
    with opened.opened_to_read() as database:
        found = replayed_rounds(database, opened.project_id(database))
        count = sum(len(one.differences) for one in found)
        for one in found:
            typer.echo(f"round {one.number}: {one.labels:,} labels, {one.decisions:,} decisions on its questions")
            _say(one.differences, ())
        count += _refit(opened, database) if refit else 0
    fitted = "models were fitted again" if refit else "models were not fitted again"
    typer.echo(f"{count:,} differences in {len(found):,} rounds ({fitted}).")
    raise typer.Exit(1 if count else 0)


def _refit(project: Project, database: Database) -> int:
    """Say what comes of each round; return how many differences there are."""
    from app.trainer.refitting import refitted_rounds

    count = 0
    for one in refitted_rounds(project, database):
        typer.echo(f"round {one.number} fitted again: {'the same' if not one.differences else 'not the same'}")
        _say(one.differences, one.notes)
        count += len(one.differences)
    return count


def _say(differences: Sequence[str], notes: Sequence[str]) -> None:
    for difference in differences:
        typer.echo(f"  differs: {difference}")
    for note in notes:
        typer.echo(f"  {note}")
