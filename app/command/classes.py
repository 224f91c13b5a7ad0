"""The command `labelloop classes`: what is done to the classes of a project, as events that can be taken back."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from app.command.options import ProjectArgument
from app.errors import UsageError
from app.project.project import Project, open_project

if TYPE_CHECKING:
    from app.project.class_changes import Kind

Action = Literal["list", "rename", "merge", "split", "retire", "add", "describe", "order", "color", "undo", "history"]
_TAKES = {
    "list": (0, ""), "history": (0, ""), "rename": (2, "OLD NEW"), "merge": (2, "CLASS INTO"), "retire": (1, "CLASS"),
    "split": (2, "CLASS A,B"), "order": (1, "A,B,C"), "color": (2, "CLASS #RRGGBB"),
    "add": (1, "CLASS"), "describe": (2, "CLASS TEXT"), "undo": (1, "CHANGE"),
}  # fmt: skip


def classes(
    project: ProjectArgument,
    action: Annotated[Action, typer.Argument(metavar="|".join(_TAKES), help="What to do.")] = "list",
    values: Annotated[list[str] | None, typer.Argument(metavar="[VALUES]...", help="Such as OLD NEW.")] = None,
    who: Annotated[str, typer.Option(metavar="NAME", help="Who changes them, for the history.")] = "command line",
) -> None:
    """Rename, merge, split, retire, add, describe, order or color classes; the model follows with the next round.

    rename OLD NEW; merge CLASS INTO; split CLASS A,B; retire CLASS; add CLASS; describe CLASS TEXT; order A,B,C;
    color CLASS #RRGGBB; undo CHANGE; history; list.
    """
    given, (count, shape) = values or [], _TAKES[action]
    if len(given) != count:
        raise UsageError(f"Say: labelloop classes PROJECT {action} {shape}".rstrip() + ".")
    opened = open_project(project)
    if count == 0:
        _show(opened, history=action == "history")
        return
    typer.echo(_done(opened, action, given, who))


def _done(opened: Project, action: Action, given: list[str], who: str) -> str:
    from app.project.class_changes import change_class, take_back

    with closing(opened.open_database()) as database:
        project_id = opened.project_id(database)
        with database.write() as session:
            if action == "undo":
                return take_back(session, project_id=project_id, number=given[0], who=who)
            kind, value = cast("Kind", action), given[1] if len(given) > 1 else ""
            return change_class(session, project_id=project_id, kind=kind, name=given[0], value=value, who=who)


def _show(opened: Project, *, history: bool) -> None:
    from app.project.class_changes import change_said
    from storage.classes import by_place, list_class_changes
    from storage.projects import list_classes

    with opened.opened_to_read() as database, database.read() as session:
        project_id = opened.project_id(database)
        known = list_classes(session, project_id=project_id)
        changes = list_class_changes(session, project_id=project_id) if history else []
    names = [entry.name for entry in known]
    for change in changes:
        said = f"{change.kind}: {change_said(change, names)}"
        typer.echo(f"{change.id:4} {change.created_at:%Y-%m-%d %H:%M} {change.who}: {said}")
    for entry in () if history else by_place(known):
        about = f": {entry.description}" if entry.description else ""
        typer.echo(f"{entry.name}{' (retired)' if entry.retired else ''}{about}")
