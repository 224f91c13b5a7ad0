"""The command `labelloop predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.command.options import OutsideOption, TextColumnOption, format_to_write_labels
from app.command.progress import show_progress

AnswererArgument = Annotated[
    Path, typer.Argument(metavar="PROJECT|MODEL", help="A project's folder, or a model that was exported.")
]


def predict(
    answerer: AnswererArgument,
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE...", help="New samples: files, folders, or lists in any format.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")],
    format_: Annotated[
        str,
        typer.Option(
            "--format", metavar="NAME", callback=format_to_write_labels, help="'labelloop formats' lists them."
        ),
    ] = "csv",
    text_column: TextColumnOption = "",
    outside: OutsideOption = False,
) -> None:
    """Answer for new samples. Broken off, the same command goes on where it was."""
    from app.answering.answerer import open_answerer
    from app.answering.predict import predict as answer
    from app.formats.reading import Reading
    from app.project.import_words import by_kind

    opened, _ = open_answerer(answerer)
    reading = Reading(text_column=text_column, outside=outside)
    done = answer(opened, sources, out, format=format_, reading=reading, progress=show_progress)
    for line in by_kind("not answered", [(refused.name, refused.reason) for refused in done.refused]):
        typer.echo(line)
    if done.as_labels:
        typer.echo(f"This format holds labels only: the answers are written as labels of {opened.about.version}.")
    if done.lost:
        typer.echo(done.lost)
    before = f" ({done.known_before:,} of them by the run before)" if done.known_before else ""
    typer.echo(f"{done.samples:,} answers of {opened.about.version}{before} written to {done.folder}.")
