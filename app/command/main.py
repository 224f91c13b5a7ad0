"""The command ``labelloop``: reads arguments, calls one function, prints the outcome.

Exit codes: 0 done, 1 refused with a sentence on stderr, 2 wrong usage. Everything heavy is imported inside the
commands, so that ``labelloop --help`` answers at once.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.command.options import (
    DEVICES_VARIABLE,
    NODES_VARIABLE,
    AcquisitionOption,
    DevicesOption,
    EmbeddingOption,
    KindOption,
    LabelColumnOption,
    LearnerOption,
    NumNodesOption,
    QuerySizeOption,
    TextColumnOption,
)
from app.command.simulate import simulate
from app.errors import AppError, ProjectError, UsageError
from app.project.project import Project, new_project, open_project

if TYPE_CHECKING:
    from app.project.importing import ImportReport
    from storage.engine import Database

DEBUG_VARIABLE = "LABELLOOP_DEBUG"

Format = Literal["csv", "jsonl", "folders", "model"]

ProjectArgument = Annotated[Path, typer.Argument(metavar="PROJECT", help="The project's folder.")]

commands = typer.Typer(
    name="labelloop",
    help="Label the samples a model learns most from; it is retrained while you label.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; a person sees a sentence, never a traceback."""
    try:
        commands()
    except Exception as error:  # the border to the person: every error is reported and ends the command
        if os.environ.get(DEBUG_VARIABLE):
            raise
        typer.echo(sentence_of(error), err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)


def sentence_of(error: Exception) -> str:
    """Return what a person reads about an error, on one line."""
    from app.formats.errors import ImportingError
    from loops.errors import LoopsError
    from storage.errors import StorageError

    text = " ".join(str(error).split())
    if isinstance(error, (AppError, ImportingError, LoopsError, StorageError)):
        # A word gets its capital; a file's or a setting's name stays as it is written.
        return text[:1].upper() + text[1:] if text.partition(" ")[0].isalpha() else text
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return (
        f"LabelLoop failed in a way it should not: {type(error).__name__}: {text} "
        f"(set {DEBUG_VARIABLE}=1 to see where, and please report it)"
    )


@commands.command()
def run(
    project: Annotated[Path | None, typer.Argument(metavar="[PROJECT]", help="Its folder; none: the demo.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Of the screens; none: a free one.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
) -> None:
    """Screens and trainer of a project, until Ctrl+C."""
    from app.running.supervisor import supervise

    raise typer.Exit(supervise(_project_to_run(project), port=port, browser=browser))


def _project_to_run(folder: Path | None) -> Project:
    if folder is None:
        from app.project.demo import open_demo

        return open_demo(progress=_show_progress)
    try:
        return open_project(folder)
    except ProjectError:
        project = new_project(folder)  # refuses what is not empty
    project.folder.mkdir(parents=True, exist_ok=True)
    typer.echo(f"{project.folder} is no project yet; the page will help you to make it one.", err=True)
    return project


@commands.command()
def init(
    project: ProjectArgument,
    data: Annotated[
        Path,
        typer.Option("--data", "--images", metavar="DIR|FILE", help="The samples: a folder, CSV, JSONL or zip."),
    ],
    classes: Annotated[
        str, typer.Option(metavar="A,B", help="Class names, in the order of their keys; none: those in the data.")
    ] = "",
    test: Annotated[Path | None, typer.Option(metavar="DIR|FILE", help="Labeled test set.")] = None,
    kind: KindOption = "",
    text_column: TextColumnOption = "",
    label_column: LabelColumnOption = "",
    learner: LearnerOption = "auto",
    embedding: EmbeddingOption = "",
    acquisition: AcquisitionOption = "auto",
    query_size: QuerySizeOption = 10,
    audit: Annotated[float, typer.Option(min=0.0, max=0.5, help="Share drawn uniformly, to measure accuracy.")] = 0.1,
    overlap: Annotated[int, typer.Option(min=1, max=10, help="Annotators per overlapping sample.")] = 1,
    overlap_share: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of samples that overlap.")] = 0.1,
) -> None:
    """Make a project of your own samples."""
    from app.formats.reading import Reading
    from app.project.creation import make_project
    from app.project.settings import ProjectSettings

    settings = ProjectSettings(
        name=new_project(project).folder.name,
        learner=learner,
        embedding=embedding,
        acquisition=acquisition,
        query_size=query_size,
        audit_share=audit,
        overlap=overlap,
        overlap_share=overlap_share,
    )
    created = make_project(
        project,
        settings=settings,
        classes=_names_in(classes),
        data=data,
        test=test,
        reading=Reading(kind, text_column, label_column),
        progress=_show_progress,
    )
    if created.test is not None:
        _print_report(created.test, "test samples")
    _print_report(created.pool, "samples")


def _names_in(classes: str) -> list[str]:
    """The names in one line of CSV, so that a name with a comma can stand in quotes."""
    try:
        return next(csv.reader([classes], skipinitialspace=True, strict=True), [])
    except csv.Error as error:
        raise UsageError(f"--classes is no list of names, {error}: {classes!r}") from error


@commands.command("import")
def import_(
    project: ProjectArgument,
    source: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="The samples to add to the pool.")],
    kind: KindOption = "",
    text_column: TextColumnOption = "",
    label_column: LabelColumnOption = "",
) -> None:
    """Add samples to a project's pool."""
    from app.formats.reading import Reading
    from app.project.creation import add_to_pool

    reading = Reading(kind, text_column, label_column)
    _print_report(add_to_pool(open_project(project), source, reading=reading, progress=_show_progress), "samples")


def _print_report(report: ImportReport, what: str) -> None:
    for refused in report.refused:
        typer.echo(f"refused {refused.name}: {refused.reason}")
    for duplicate in report.duplicates:
        typer.echo(f"duplicate {duplicate.name}: {duplicate.reason}")
    if report.labels_ignored:
        typer.echo(f"{report.labels_ignored:,} labels of the pool were not taken over: people give those.")
    typer.echo(
        f"{report.added:,} {what} added, {len(report.refused):,} refused, {len(report.duplicates):,} duplicates."
    )


def _show_progress(done: int, total: int) -> None:
    """Count on stderr while a person is watching; a pipe gets none of it."""
    if sys.stderr.isatty():
        typer.echo(f"\r{done:,} of {total:,} samples" + ("\n" if done >= total else ""), nl=False, err=True)


commands.command()(simulate)


@commands.command()
def train(
    project: ProjectArgument,
    once: Annotated[bool, typer.Option("--once", help="End when no finished round is waiting.")] = False,
    devices: DevicesOption = 1,
    num_nodes: NumNodesOption = 1,
) -> None:
    """The trainer alone, without screens."""
    opened = open_project(project)
    os.environ.update({DEVICES_VARIABLE: str(devices), NODES_VARIABLE: str(num_nodes)})
    from app.trainer.process import run_trainer

    raise typer.Exit(run_trainer(opened, once=once))


@commands.command()
def status(
    project: ProjectArgument,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Rounds, labels, accuracy with its interval, and the trainer."""
    from app.project.status import project_status, status_text

    opened = open_project(project)
    database = opened.open_database()
    try:
        found = project_status(database, opened)
    finally:
        database.close()
    typer.echo(json.dumps(found) if as_json else status_text(found))


@commands.command()
def export(
    project: ProjectArgument,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")],
    format_: Annotated[
        Format, typer.Option("--format", help="folders: copies, one folder per class. model: the trained model.")
    ],
) -> None:
    """Write the labels with every label event, or the trained model, to a new folder."""
    opened = open_project(project)
    database = opened.open_database()
    try:
        said = _export_model(database, opened, out) if format_ == "model" else _export(database, opened, format_, out)
    finally:
        database.close()
    typer.echo(said)


def _export(database: Database, project: Project, format_: str, out: Path) -> str:
    from app.project.exporting import export as write_export

    written = write_export(database, project.project_id(database), format_, out)
    for name, reason in written.left_out:
        typer.echo(f"left out {name}: {reason}")
    return f"{written.labels:,} labels and {written.events:,} label events written to {written.folder}."


def _export_model(database: Database, project: Project, out: Path) -> str:
    from app.trainer.model_export import export_model  # loads torch

    written = export_model(database, project, out)
    return f"The model of round {written.round_number} ({written.classes} classes) written to {written.folder}."


@commands.command()
def restore(project: ProjectArgument) -> None:
    """Bring a damaged or lost database back from the newest backup and the label journal."""
    from app.project.restoring import restore_project, restored_text

    typer.echo(restored_text(restore_project(open_project(project))))


@commands.command()
def doctor(
    project: Annotated[Path | None, typer.Argument(metavar="[PROJECT]", help="Its folder; none: the program.")] = None,
) -> None:
    """Versions, SQLite, file system, GPU, disk, heartbeat, integrity; exit code 1 when something is wrong."""
    from app.project.doctor import examine

    wrong = 0
    for finding in examine(open_project(project) if project is not None else None):
        wrong += not finding.good
        typer.echo(f"{'ok   ' if finding.good else 'WRONG'} {finding.what}: {finding.found}", err=not finding.good)
    raise typer.Exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
