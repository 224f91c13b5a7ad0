"""The command ``labelloop projects``: those of this machine, and what is done to them as wholes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.errors import UsageError

if TYPE_CHECKING:
    from app.project.overview import Overview

Action = Literal["list", "copy", "archive", "delete", "restore"]
_TAKES = {"list": (0, ""), "copy": (2, "PROJECT TO"), "archive": (1, "PROJECT"), "delete": (1, "PROJECT"),
          "restore": (1, "PROJECT")}  # fmt: skip


def projects(
    action: Annotated[Action, typer.Argument(metavar="|".join(_TAKES), help="What to do.")] = "list",
    folders: Annotated[list[Path] | None, typer.Argument(metavar="[FOLDERS]...", help="Such as PROJECT TO.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="list: for programs.")] = False,
) -> None:
    """List, copy, archive, delete or bring back projects; a deleted one lies in a trash folder beside its place.

    copy PROJECT TO; archive PROJECT; delete PROJECT; restore PROJECT; list.
    """
    given, (count, shape) = folders or [], _TAKES[action]
    if len(given) != count:
        raise UsageError(f"Say: labelloop projects {action} {shape}".rstrip() + ".")
    if action == "list":
        _list(as_json=as_json)
        return
    typer.echo(_DO[action](*given))


def _list(*, as_json: bool) -> None:
    from app.project.library import known_projects
    from app.project.overview import overview

    found = [overview(entry) for entry in known_projects()]
    if as_json:
        typer.echo(json.dumps([_plain(one) for one in found]))
        return
    if not found:
        typer.echo("No project was made or run here yet; 'labelloop init' makes one.")
    for one in found:
        typer.echo(_line(one))


def _line(one: Overview) -> str:
    state = "deleted" if one.entry.deleted_from else "archived" if one.entry.archived else ""
    what = one.trouble or f"{one.samples:,} samples ({one.kind}), {one.labels:,} labels"
    said = [
        what,
        f"accuracy {one.accuracy}" if one.accuracy else "",
        f"used {one.last_used.astimezone():%Y-%m-%d %H:%M}",
    ]
    return f"{one.entry.called}{f' ({state})' if state else ''}: {one.name}: {', '.join(filter(None, said))}"


def _plain(one: Overview) -> dict[str, object]:
    return {
        "folder": str(one.entry.called),
        "lies_in": str(one.entry.folder),
        "archived": one.entry.archived,
        "deleted": one.entry.deleted_from is not None,
        "name": one.name,
        "kind": one.kind,
        "samples": one.samples,
        "labels": one.labels,
        "accuracy": one.accuracy,
        "last_used": one.last_used.isoformat(),
        "trouble": one.trouble,
    }


def _copy(project: Path, to: Path) -> str:
    from app.project.library import copy_project

    return f"{copy_project(project, to).folder} is a copy; it goes its own way from here."


def _archive(project: Path) -> str:
    from app.project.library import archive_project

    return f"{archive_project(project).folder} is archived; nothing of it has changed, and 'restore' takes it back."


def _delete(project: Path) -> str:
    from app.project.library import delete_project

    done = delete_project(project)
    return f"{done.called} was moved to {done.folder}; 'labelloop projects restore {done.called}' brings it back."


def _restore(project: Path) -> str:
    from app.project.library import bring_back

    return bring_back(project)


_DO: dict[str, Callable[..., str]] = {"copy": _copy, "archive": _archive, "delete": _delete, "restore": _restore}
