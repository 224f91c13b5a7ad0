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
from typing import Annotated

import typer

from app.command.certificate import certificate, verify
from app.command.classes import classes
from app.command.export import export, formats
from app.command.importing import import_, new_names, print_report
from app.command.options import (
    DEVICES_VARIABLE,
    NODES_VARIABLE,
    AcquisitionOption,
    DevicesOption,
    DownloadOption,
    EmbeddingOption,
    KindOption,
    LabelColumnOption,
    LabeledOption,
    NumNodesOption,
    OutsideOption,
    PredictorOption,
    ProjectArgument,
    QuerySizeOption,
    ReadFormatOption,
    RenameOption,
    TextColumnOption,
)
from app.command.portable import move, replay
from app.command.predict import predict
from app.command.progress import show_megabytes, show_offer, show_progress
from app.command.projects import projects
from app.command.serve import serve
from app.command.simulate import simulate
from app.command.watch import watch
from app.errors import ProjectError, UsageError, is_refusal
from app.kinds.image_limits import check_limits
from app.project.project import Project, new_project, open_project
from app.rights import keep_private, make_private

DEBUG_VARIABLE = "LABELLOOP_DEBUG"
DISTRIBUTION = "labelloop"  # as it is installed

commands = typer.Typer(
    name="labelloop",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"{DISTRIBUTION} {version(DISTRIBUTION)}")
        raise typer.Exit


@commands.callback()
def options(
    version: Annotated[  # noqa: ARG001 - its own callback shows it
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Label the samples a model learns most from; it is retrained while you label."""
    check_limits()


def main() -> None:
    """Run the command line; a person sees a sentence, never a traceback."""
    keep_private()
    try:
        commands()
    except Exception as error:  # the border to the person: every error is reported and ends the command
        if os.environ.get(DEBUG_VARIABLE):
            raise
        typer.echo(sentence_of(error), err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)


def sentence_of(error: Exception) -> str:
    """Return what a person reads about an error, on one line."""
    text = " ".join(str(error).split())
    if is_refusal(error):
        # A word gets its capital; a file's or a setting's name, and what the person typed, stays as it is written.
        first = text.partition(" ")[0]
        return text[:1].upper() + text[1:] if first.isalpha() and first not in sys.argv else text
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
    from app.project.library import note_project
    from app.running.supervisor import supervise

    opened = _project_to_run(project)
    note_project(opened.folder)
    if opened.folder.is_dir():
        make_private(opened.folder)
    raise typer.Exit(supervise(opened, port=port, browser=browser))


def _project_to_run(folder: Path | None) -> Project:
    if folder is None:
        from app.project.demo import open_demo
        from app.project.library import known_projects

        opened = open_demo(progress=show_progress)
        if any(entry.folder != opened.folder for entry in known_projects()):
            typer.echo("This is the demo; your own projects are on its page Projects.", err=True)
        return opened
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
        str,
        typer.Option(
            "--data", "--images", metavar="DIR|FILE|ADDRESS", help="The samples, in any format that is read; s3:// too."
        ),
    ],
    classes: Annotated[
        str, typer.Option(metavar="A,B", help="Class names, in the order of their keys; none: those of the source.")
    ] = "",
    labeled: LabeledOption = False,
    format_: ReadFormatOption = "",
    rename: RenameOption = [],  # noqa: B006 - typer reads it, nobody changes it
    test: Annotated[str | None, typer.Option(metavar="DIR|FILE|ADDRESS", help="Labeled test set.")] = None,
    kind: KindOption = "",
    text_column: TextColumnOption = "",
    label_column: LabelColumnOption = "",
    outside: OutsideOption = False,
    predictor: PredictorOption = "auto",
    embedding: EmbeddingOption = "",
    download: DownloadOption = False,
    acquisition: AcquisitionOption = "auto",
    query_size: QuerySizeOption = 10,
    audit: Annotated[float, typer.Option(min=0.0, max=0.5, help="Share drawn uniformly, to measure accuracy.")] = 0.1,
    overlap: Annotated[int, typer.Option(min=1, max=10, help="Annotators per overlapping sample.")] = 1,
    overlap_share: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of samples that overlap.")] = 0.1,
) -> None:
    """Make a project of your own samples."""
    from app.formats.reading import Reading
    from app.project.creation import make_project
    from app.project.hub import Consent
    from app.project.library import note_project
    from app.project.settings import ProjectSettings

    settings = ProjectSettings(
        name=new_project(project).folder.name,
        predictor=predictor,
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
        reading=Reading(kind, text_column, label_column, outside),
        labeled=labeled,
        format=format_,
        new_names=new_names(rename),
        progress=show_progress,
        consent=Consent(show_offer, show_megabytes) if download else None,
    )
    note_project(created.project.folder)
    if created.test is not None:
        print_report(created.test, "test samples")
    print_report(created.pool, "samples")


def _names_in(classes: str) -> list[str]:
    """The names in one line of CSV, so that a name with a comma can stand in quotes."""
    try:
        return next(csv.reader([classes], skipinitialspace=True, strict=True), [])
    except csv.Error as error:
        raise UsageError(f"--classes is no list of names, {error}: {classes!r}") from error


commands.command("import")(import_)
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
    with opened.opened_to_read() as database:
        found = project_status(database, opened)
    typer.echo(json.dumps(found) if as_json else status_text(found))


commands.command()(export)
commands.command()(certificate)
commands.command()(verify)
commands.command()(formats)
commands.command()(classes)
commands.command()(move)
commands.command()(predict)
commands.command()(projects)
commands.command()(replay)
commands.command()(serve)
commands.command()(watch)


@commands.command()
def restore(project: ProjectArgument) -> None:
    """Bring a damaged or lost database back: from a backup and the label journal, or from the journal alone."""
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
