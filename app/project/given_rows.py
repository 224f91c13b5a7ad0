"""Which row of an array file belongs to which image: by a list of paths beside it, or by the order of the images."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from app.errors import ProjectError
from app.formats.csv_file import read_csv
from app.formats.places import called
from app.formats.source import Source
from app.project.project import Project
from app.project.settings import write_atomically
from loops.errors import OwnEmbeddingError


def write_order(project: Project, row_paths: Sequence[str]) -> None:
    """Notes in the project which image each row of its array file belongs to."""
    lines = "".join(f"{_quoted(path)}\n" for path in ["path", *row_paths])
    write_atomically(_path(project), lines.encode("utf-8"))


def named_paths(rows: Path, images: Source, count: int) -> list[str]:
    """The path of each row's image, resolved.

    `faces.csv` beside `faces.npy`, with a column `path` and one line per row, names them; without it the rows are in
    the order of the images: a manifest's lines, or a folder's files by name.

    Args:
        rows: The array file.
        images: Of the pool.
        count: Rows in the array file.

    Raises:
        OwnEmbeddingError: If there are more or fewer rows than lines or images.
    """
    names = rows.with_suffix(".csv")
    listed = read_csv(names).entries if names.is_file() else images.entries
    if len(listed) != count:
        where = f"{names.name} names {len(listed):,}" if names.is_file() else f"there are {len(listed):,} files"
        raise OwnEmbeddingError(f"it has {count:,} rows, but {where}; one row per image is needed")
    return [str(called(entry.path)) for entry in listed]


def check_all_have_rows(project: Project, images: Source) -> None:
    """Refuses images that have no row, where a project's rows come from an array file; they could never be asked about.

    Raises:
        ProjectError: If there are any.
    """
    if not _path(project).is_file():
        return
    known = read_order(project)
    lacking = [entry.name for entry in images.entries if str(called(entry.path)) not in known]
    if lacking:
        raise ProjectError(
            f"{len(lacking):,} images have no row in the array file of this project, the first is {lacking[0]}; "
            "name them in the CSV beside it when the project is made."
        )


def read_order(project: Project) -> dict[str, int]:
    """Row of each image, by its path."""
    with _path(project).open(newline="", encoding="utf-8") as file:
        return {line["path"]: row for row, line in enumerate(csv.DictReader(file))}


def _path(project: Project) -> Path:
    return project.features_dir / "rows.csv"


def _quoted(path: str) -> str:
    return '"' + path.replace('"', '""') + '"'
