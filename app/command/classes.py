"""The command `labelloop classes`: what is done to the classes of a project, as events that can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.command.options import ProjectArgument
from app.errors import UsageError
from app.project.project import Project, check_name, open_project

if TYPE_CHECKING:
    from storage.engine import Session

Action = Literal["list", "rename", "merge", "retire", "add", "describe", "undo", "history"]
_TAKES = {
    "list": (0, ""), "history": (0, ""), "rename": (2, "OLD NEW"), "merge": (2, "CLASS INTO"), "retire": (1, "CLASS"),
    "add": (1, "CLASS"), "describe": (2, "CLASS TEXT"), "undo": (1, "CHANGE"),
}  # fmt: skip


def classes(
    project: ProjectArgument,
    action: Annotated[Action, typer.Argument(metavar="|".join(_TAKES), help="What to do.")] = "list",
    values: Annotated[list[str] | None, typer.Argument(metavar="[VALUES]...", help="Such as OLD NEW.")] = None,
    who: Annotated[str, typer.Option(metavar="NAME", help="Who changes them, for the history.")] = "command line",
) -> None:
    """Rename, merge, retire, add or describe classes; the model follows with the next round.

    rename OLD NEW; merge CLASS INTO; retire CLASS; add CLASS; describe CLASS TEXT; undo CHANGE; history; list.
    """
    given, (count, shape) = values or [], _TAKES[action]
    if len(given) != count:
        raise UsageError(f"Say: labelloop classes PROJECT {action} {shape}".rstrip() + ".")
    opened = open_project(project)
    if count == 0:
        _show(opened, history=action == "history")
        return
    with closing(opened.open_database()) as database:
        project_id = opened.project_id(database)
        with database.write() as session:
            said = _DO[action](session, project_id, given, who)
    typer.echo(said)


def _show(opened: Project, *, history: bool) -> None:
    from storage.classes import list_class_changes
    from storage.projects import list_classes

    with opened.opened_to_read() as database, database.read() as session:
        project_id = opened.project_id(database)
        known = list_classes(session, project_id=project_id)
        changes = list_class_changes(session, project_id=project_id) if history else []
    for change in changes:
        into = f" into {known[change.into_index].name}" if change.into_index is not None else ""
        what = f"{change.before} -> {change.after}" if change.kind in ("rename", "describe") else ""
        what = f"change {change.undoes}" if change.undoes else what or f"{known[change.class_index].name}{into}"
        typer.echo(f"{change.id:4} {change.created_at:%Y-%m-%d %H:%M} {change.who}: {change.kind} {what}")
    for entry in () if history else known:
        about = f": {entry.description}" if entry.description else ""
        typer.echo(f"{entry.name}{' (retired)' if entry.retired else ''}{about}")


def _rename(session: Session, project_id: int, given: list[str], who: str) -> str:
    from storage.classes import rename_class

    done = rename_class(session, project_id=project_id, name=given[0], new_name=check_name(given[1]), who=who)
    return f"Change {done.id}: {done.before} is called {done.after} from now on."


def _merge(session: Session, project_id: int, given: list[str], who: str) -> str:
    from storage.classes import merge_class

    done, moved = merge_class(session, project_id=project_id, name=given[0], into=given[1], who=who)
    return f"Change {done.id}: {moved:,} labels of {given[0]} are labels of {done.after} now; it is retired."


def _retire(session: Session, project_id: int, given: list[str], who: str) -> str:
    from storage.classes import retire_class

    done = retire_class(session, project_id=project_id, name=given[0], who=who)
    return f"Change {done.id}: nobody is asked for {done.before} any more; its labels stay (merge moves them)."


def _add(session: Session, project_id: int, given: list[str], who: str) -> str:
    from storage.classes import add_class

    done = add_class(session, project_id=project_id, name=check_name(given[0]), who=who)
    return f"Change {done.id}: {done.after} is a class now."


def _describe(session: Session, project_id: int, given: list[str], who: str) -> str:
    from storage.classes import describe_class

    done = describe_class(session, project_id=project_id, name=given[0], text=given[1], who=who)
    return f"Change {done.id}: {given[0]} is described."


def _undo(session: Session, project_id: int, given: list[str], who: str) -> str:
    from storage.classes import undo_class_change

    if not given[0].isdecimal():
        raise UsageError(f"A change has a number, found {given[0]!r}; 'labelloop classes PROJECT history' lists them.")
    undo_class_change(session, project_id=project_id, change_id=int(given[0]), who=who)
    return f"Change {given[0]} was taken back."


_DO: dict[str, Callable[[Session, int, list[str], str], str]] = {
    "rename": _rename, "merge": _merge, "retire": _retire, "add": _add, "describe": _describe, "undo": _undo,
}  # fmt: skip
