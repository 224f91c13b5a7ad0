"""The commands ``labelloop export`` and ``labelloop formats``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.command.options import MODEL, ONNX, ProjectArgument, format_to_write
from app.errors import UsageError
from app.project.project import Project, open_project

if TYPE_CHECKING:
    from storage.engine import Database


def export(
    project: ProjectArgument,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")],
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            callback=format_to_write,
            help="folders: copies, a folder per class. model, onnx: the trained model. 'labelloop formats' lists all.",
        ),
    ],
    with_predictions: Annotated[
        bool, typer.Option("--with-predictions", help="What nobody has labeled too, with the model's answers.")
    ] = False,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="MOMENT",
            help="The labels as they stood then: 2026-05-31, 2026-05-31T14:00, or event #1234.",
        ),
    ] = None,
    for_spreadsheet: Annotated[
        bool,
        typer.Option("--for-spreadsheet", help="csv: an apostrophe before what a spreadsheet would run as a formula."),
    ] = False,
) -> None:
    """Write the labels with every label event, or the trained model, to a new folder."""
    if at is not None and not at.strip():
        raise UsageError("--at is empty: say a moment, or leave it out.")
    if at and format_ in (MODEL, ONNX):
        raise UsageError("--at is for labels; each round's model stands only until the next one's.")
    if at and with_predictions:
        raise UsageError("--at and --with-predictions exclude each other: the model's answers are those of now.")
    if with_predictions and format_ in (MODEL, ONNX):
        raise UsageError("--with-predictions is for labels; a model answers by 'labelloop predict'.")
    if for_spreadsheet and format_ != "csv":
        raise UsageError("--for-spreadsheet is for --format csv.")
    opened = open_project(project)
    with opened.opened_to_read() as database:
        if format_ in (MODEL, ONNX):
            said = _export_model(database, opened, out, as_onnx=format_ == ONNX)
        else:
            rounds_dir = opened.rounds_dir if with_predictions else None
            said = _export(
                database, opened, format_, out, for_spreadsheet=for_spreadsheet, rounds_dir=rounds_dir, at=at or ""
            )
    typer.echo(said)


def _export(
    database: Database,
    project: Project,
    format_: str,
    out: Path,
    *,
    for_spreadsheet: bool,
    rounds_dir: Path | None,
    at: str,
) -> str:
    from app.project.exporting import export as write_export
    from app.project.import_words import by_kind

    project_id, name = project.project_id(database), project.settings().name
    written = write_export(
        database, project_id, format_, out, project=name, for_spreadsheet=for_spreadsheet, rounds_dir=rounds_dir, at=at
    )
    for line in by_kind("left out", written.left_out):
        typer.echo(line)
    for class_name, folder in written.renamed:
        typer.echo(f"class {class_name} is in the folder {folder}: not every file system can hold its name.")
    if written.lost:
        typer.echo(written.lost)
    return f"{written.labels:,} labels and {written.events:,} label events written to {written.folder}."


def _export_model(database: Database, project: Project, out: Path, *, as_onnx: bool) -> str:
    from app.trainer.model_export import export_model  # loads torch

    written = export_model(database, project, out, as_onnx=as_onnx)
    return f"The model of round {written.round_number} ({written.classes} classes) written to {written.folder}."


def formats() -> None:
    """The formats that samples and labels come in and go out as."""
    from app.formats.registry import all_formats

    for name, found in all_formats().items():
        ways = " and ".join(way for way, can in (("read", found.read), ("written", found.write)) if can is not None)
        typer.echo(f"{name:14} {ways:16} {found.sentence}")
