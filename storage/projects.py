"""Projects, their classes and their annotators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from storage.engine import Session
from storage.errors import InvalidClassError, ProjectExistsError, UnknownProjectError
from storage.models import Annotator, Class, Project
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
    rows = session.execute(select(Class.index, Class.name).where(Class.project_id == project_id).order_by(Class.index))
    return [ClassInfo(index, name) for index, name in rows]


def add_classes(session: Session, *, project_id: int, names: Sequence[str]) -> None:
    """Append classes; those already there keep their index.

    Raises:
        InvalidClassError: When a name is blank, given twice or already there.
    """
    get_project(session, project_id=project_id)
    taken = [entry.name for entry in list_classes(session, project_id=project_id)]
    for name in (given.strip() for given in names):
        if not name:
            raise InvalidClassError("A class name is blank; every class needs a name.")
        if name in taken:
            raise InvalidClassError(f"The class {name!r} is already there; every class needs a name of its own.")
        session.add(Class(project_id=project_id, index=len(taken), name=name))
        taken.append(name)
    session.flush()


def count_classes(session: Session, *, project_id: int) -> int:
    """Count a project's classes."""
    return session.scalar(select(func.count()).select_from(Class).where(Class.project_id == project_id)) or 0


def get_or_create_annotator(session: Session, *, project_id: int, name: str) -> int:
    """Return an annotator's id; needs a writing session."""
    get_project(session, project_id=project_id)
    known = session.scalar(select(Annotator.id).where(Annotator.project_id == project_id, Annotator.name == name))
    if known is not None:
        return known
    annotator = Annotator(project_id=project_id, name=name, created_at=utc_now())
    session.add(annotator)
    session.flush()
    return annotator.id


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
