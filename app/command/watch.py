"""The command `labelloop watch`: the sources whose new samples come in by themselves."""

from __future__ import annotations

from typing import Annotated

import typer

from app.command.options import ProjectArgument
from app.project.project import open_project


def watch(
    project: ProjectArgument,
    stop: Annotated[str, typer.Option("--stop", metavar="SOURCE", help="Watch this one no longer.")] = "",
) -> None:
    """List the sources whose new samples come in by themselves, and what came in last; `import --watch` adds one."""
    from app.formats.connection import shown
    from app.project.watched import outcome_of, unwatch, watched_sources

    opened = open_project(project)
    if stop:
        unwatch(opened, stop)
        typer.echo(f"{shown(stop)} is watched no longer; its samples stay.")
        return
    found = watched_sources(opened)
    for one in found:
        outcome = outcome_of(opened, one)
        when = f"{outcome.at.astimezone():%Y-%m-%d %H:%M}: " if outcome.at else ""
        typer.echo(f"{one.source}{', with its labels' if one.labeled else ''}")
        typer.echo(f"  {when}{outcome.said or 'Nothing has come in since it is watched.'}")
        if outcome.trouble:
            typer.echo(f"  {outcome.trouble}")
    if not found:
        typer.echo(f"Nothing is watched; 'labelloop import {project} SOURCE --watch' does.")
