"""The command `labelloop import`: samples, and what came with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.command.options import (
    KindOption,
    LabelColumnOption,
    LabeledOption,
    OutsideOption,
    ProjectArgument,
    ReadFormatOption,
    RenameOption,
    TextColumnOption,
)
from app.command.progress import show_files, show_progress
from app.errors import ProjectError, UsageError
from app.project.project import open_project

if TYPE_CHECKING:
    from app.project.importing import ImportReport


def import_(
    project: ProjectArgument,
    source: Annotated[
        str | None, typer.Argument(metavar="DIR|FILE|ADDRESS", help="The samples to add to the pool.")
    ] = None,
    labeled: LabeledOption = False,
    format_: ReadFormatOption = "",
    rename: RenameOption = [],  # noqa: B006 - typer reads it, nobody changes it
    kind: KindOption = "",
    text_column: TextColumnOption = "",
    label_column: LabelColumnOption = "",
    outside: OutsideOption = False,
    is_watched: Annotated[
        bool, typer.Option("--watch", help="New samples of it come in by themselves from now on, while it runs.")
    ] = False,
    undo: Annotated[
        int, typer.Option("--undo", metavar="N", min=0, help="Take back the labels of import N instead.")
    ] = 0,
) -> None:
    """Add samples to a project's pool, or take back the labels that an import brought."""
    from app.formats.connection import shown
    from app.formats.reading import Reading
    from app.project.creation import add_to_pool, open_for
    from app.project.import_words import undo_labels
    from app.project.watched import watch as watch_from_now
    from app.project.watched import watched_as
    from app.project.watching import seen_now

    opened = open_project(project)
    if undo and source is not None:
        raise UsageError("--undo takes back an import, and a source is for another one; say one of the two.")
    if undo:
        typer.echo(undo_labels(opened, undo))
        return
    if source is None:
        raise UsageError("Say what to import: labelloop import PROJECT SOURCE.")
    reading, watched = Reading(kind, text_column, label_column, outside), None
    if is_watched:
        columns = {"text_column": text_column, "label_column": label_column, "outside": outside}
        watched = watched_as(source, labeled=labeled, format=format_, new_names=new_names(rename), **columns)
    found = open_for(opened, source, reading=reading, format=format_, progress=show_files)
    found = found.with_classes_renamed(new_names(rename))
    if not (found.entries or found.refused or is_watched):
        raise ProjectError(f"{shown(source)} holds nothing that can be imported.")
    seen = seen_now(found, watched) if watched is not None else {}
    report = add_to_pool(opened, found, labeled=labeled, given_as=shown(source), progress=show_progress)
    print_report(report, "samples")
    if watched is not None:
        watch_from_now(opened, watched, seen)
        typer.echo(f"{shown(watched.source)} is watched from now on; 'labelloop watch {project}' lists what is.")
    elif report.brought_nothing:
        raise typer.Exit(1)


def new_names(given: list[str]) -> dict[str, str]:
    """The names in OLD=NEW; the last = divides, so that a class may hold one."""
    wrong = [pair for pair in given if "=" not in pair]
    if wrong:
        raise UsageError(f"--rename wants OLD=NEW, found {wrong[0]!r}.")
    return {pair.rpartition("=")[0]: pair.rpartition("=")[2] for pair in given}


def print_report(report: ImportReport, what: str) -> None:
    """Say what became of the samples, a line each."""
    from app.project.import_words import report_lines

    for line in report_lines(report, what):
        typer.echo(line)
