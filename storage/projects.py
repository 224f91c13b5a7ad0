"""Projects, their classes and their annotators."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from storage.engine import Session
from storage.entries import is_journaled
from storage.errors import InvalidClassError, ProjectExistsError, UnknownProjectError
from storage.journal import note, values_of
from storage.models import Annotator, Class, Project
from storage.names import ALIKE, one_name
from storage.plain import to_info, utc_now


@dataclass(frozen=True)
class ProjectInfo:
    """A project as it was created."""

    id: int
    name: str
    created_at: datetime
    seed: int


@dataclass(frozen=True)
class ClassInfo:
    """A class; label events store its index."""

    index: int
    name: str
    retired: bool = False  # nobody is asked for it any more
    description: str = ""
    position: int = 0  # its place on the screens; other than the index where somebody has ordered them
    color: str = ""  # as #rrggbb; empty: by its place


def create_project(session: Session, *, name: str, classes: Sequence[str], seed: int, kind: str = "image") -> int:
    """Create a project and return its id.

    Raises:
        ProjectExistsError: When the name is taken.
        InvalidClassError: When a class name is blank or given twice.
    """
    if find_project(session, name=name) is not None:
        raise ProjectExistsError(name)
    project = Project(name=name, seed=seed, kind=kind, created_at=utc_now())
    session.add(project)
    session.flush()
    if is_journaled(session):
        note(session.info, {"project": values_of(project)})
    add_classes(session, project_id=project.id, names=classes)
    return project.id


def find_project(session: Session, *, name: str) -> ProjectInfo | None:
    """Find a project by its name."""
    row = session.scalar(select(Project).where(Project.name == name))
    return to_info(ProjectInfo, row) if row else None


def kind_of_samples(session: Session, *, project_id: int) -> str:
    """Return what a project's samples are: ``image``, ``text`` or ``table``; it never changes."""
    return get_project(session, project_id=project_id).kind


def list_projects(session: Session) -> list[ProjectInfo]:
    """List all projects of the database, oldest first."""
    return [to_info(ProjectInfo, row) for row in session.scalars(select(Project).order_by(Project.id))]


def list_classes(session: Session, *, project_id: int) -> list[ClassInfo]:
    """List a project's classes by index."""
    placed = func.coalesce(Class.position, Class.index)
    columns = (Class.index, Class.name, Class.retired, Class.description, placed, Class.color)
    rows = session.execute(select(*columns).where(Class.project_id == project_id).order_by(Class.index))
    return [ClassInfo(*row) for row in rows]


def add_classes(session: Session, *, project_id: int, names: Sequence[str]) -> None:
    """Append classes; those already there keep their index.

    Raises:
        InvalidClassError: When a name is blank, given twice or already there.
    """
    get_project(session, project_id=project_id)
    taken = [entry.name for entry in list_classes(session, project_id=project_id)]
    known = {one_name(name): name for name in taken}
    before = len(known)  # fewer than are there where an older version took two ways to write one name
    for name in (given.strip() for given in names):
        if not name:
            raise InvalidClassError("A class name is blank; every class needs a name.")
        if one_name(name) in known:
            raise InvalidClassError(already_there(known[one_name(name)], name))
        added = Class(project_id=project_id, index=len(taken) + len(known) - before, name=name)
        session.add(added)
        known[one_name(name)] = name
        if is_journaled(session):
            note(session.info, {"class": values_of(added)})
    session.flush()


def already_there(known: str, name: str) -> str:
    """Say that a class would have a name that another one has."""
    if known == name:
        return f"The class {name!r} is already there; every class needs a name of its own."
    return f"The class {name!r} is already there as {known!r}: {ALIKE}"


def count_classes(session: Session, *, project_id: int) -> int:
    """Count a project's classes."""
    return session.scalar(select(func.count()).select_from(Class).where(Class.project_id == project_id)) or 0


def get_or_create_annotator(session: Session, *, project_id: int, name: str) -> int:
    """Return an annotator's id; needs a writing session."""
    get_project(session, project_id=project_id)
    known = session.scalar(select(Annotator.id).where(Annotator.project_id == project_id, Annotator.name == name))
    if known is None:  # "ada" is "Ada", or each of them would be another opinion beside her own
        rows = session.execute(select(Annotator.id, Annotator.name).where(Annotator.project_id == project_id))
        known = next((annotator_id for annotator_id, other in rows if one_name(other) == one_name(name)), None)
    if known is not None:
        return known
    annotator = Annotator(project_id=project_id, name=name, created_at=utc_now())
    session.add(annotator)
    session.flush()
    return annotator.id


def get_or_create_account(
    session: Session, *, project_id: int, issuer: str, subject: str, name: str, is_verified: bool = False
) -> int:
    """Return the id of the annotator with an account; names are only shown, and two accounts may give one.

    Args:
        session: A writing session.
        project_id: The project.
        issuer: Who vouches for the account.
        subject: The account there, which never changes.
        name: What is shown of it; with a number behind it where another annotator has that name.
        is_verified: Whether the issuer has checked that the name, an address, is the account's: then it takes over
            what an earlier version, which knew no accounts, had stored under it.
    """
    get_project(session, project_id=project_id)
    of_project = select(Annotator).where(Annotator.project_id == project_id)
    account = session.scalar(of_project.where(Annotator.issuer == issuer, Annotator.subject == subject))
    if account is None and is_verified:
        account = session.scalar(of_project.where(Annotator.name == name, Annotator.issuer.is_(None)))
    if account is None:
        taken = set(session.scalars(select(Annotator.name).where(Annotator.project_id == project_id)))
        shown = next(made for made in _with_numbers(name) if made not in taken)
        account = Annotator(project_id=project_id, name=shown, created_at=utc_now())
        session.add(account)
    account.issuer, account.subject = issuer, subject
    session.flush()
    return account.id


def _with_numbers(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name} ({number})" for number in itertools.count(2))


def list_annotators(session: Session, *, project_id: int) -> list[str]:
    """List the names of all who ever labeled, in the order in which they came."""
    return list(
        session.scalars(select(Annotator.name).where(Annotator.project_id == project_id).order_by(Annotator.id))
    )


def get_project(session: Session, *, project_id: int) -> Project:
    """Return a project's row.

    Raises:
        UnknownProjectError: When there is no such project.
    """
    project = session.get(Project, project_id)
    if project is None:
        raise UnknownProjectError(project_id)
    return project
