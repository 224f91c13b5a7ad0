"""What every screen stands on: the project, its database, its id, and who is labeling.

The supervisor names the project's folder in the environment variable LABELLOOP_PROJECT. Only the engine is cached;
everything another process may write is read afresh.
"""

import os
from pathlib import Path

import streamlit as st

from app.errors import ProjectError
from app.kinds.kind import Kind, kind_named
from app.project.project import Project, open_project
from app.project.questions import limits_of
from app.screens.shared.identity import Account, account_of, given_name, must_sign_in
from storage.engine import Database
from storage.limits import Limits
from storage.projects import ClassInfo, get_or_create_account, get_or_create_annotator, kind_of_samples, list_classes
from storage.writing import WriteQueue

FOLDER_VARIABLE = "LABELLOOP_PROJECT"


def project_folder() -> Path:
    """The folder named by LABELLOOP_PROJECT; it may not be a project yet."""
    folder = os.environ.get(FOLDER_VARIABLE, "")
    if not folder:
        raise ProjectError(
            f"No project folder was given: set {FOLDER_VARIABLE}, or start with `labelloop run PROJECT`."
        )
    return Path(folder).expanduser().resolve()


def is_project() -> bool:
    """True once the folder holds a project."""
    return (project_folder() / "settings.toml").is_file()


def was_project() -> bool:
    """True if this server has shown the folder's project before, whether or not it is there now."""
    return str(project_folder()) in _shown()


def remember_project() -> None:
    """Remember that the folder holds a project."""
    _shown().add(str(project_folder()))


@st.cache_resource(show_spinner=False)
def _shown() -> set[str]:
    return set()


def current_project() -> Project:
    """The project of this server; a ProjectError sentence if the folder holds none."""
    return open_project(project_folder())


@st.cache_resource(show_spinner=False)
def _open(folder: str, file: tuple[int, int] | None) -> Database:  # noqa: ARG001
    return open_project(Path(folder)).open_database()


def database() -> Database:
    """The engines over the project's database, opened once per server, and again when another file is in its place."""
    folder = project_folder()
    return _open(str(folder), Project(folder).database_file)  # unchecked: each label asks several times


@st.cache_resource(show_spinner=False)
def _writes(folder: str, file: tuple[int, int] | None) -> WriteQueue:
    return WriteQueue(_open(folder, file))


def writes() -> WriteQueue:
    """The queue of this server's writes: decisions that wait for each other are stored together."""
    folder = project_folder()
    return _writes(str(folder), Project(folder).database_file)


def project_id() -> int:
    """The project's id in its database."""
    project = current_project()
    return _project_id(project.database_url, project.settings().name)


# A project is never taken out of its database, so the id of a name may be kept: each label asks for it several times.
@st.cache_data(max_entries=100, show_spinner=False)
def _project_id(database_url: str, name: str) -> int:  # noqa: ARG001
    return current_project().project_id(database())


def limits() -> Limits:
    """Where labeling ends, as the settings are now."""
    return limits_of(current_project().settings())


def project_classes() -> list[ClassInfo]:
    """The project's classes by index, those that are retired too."""
    with database().read() as session:
        return list_classes(session, project_id=project_id())


def sample_kind() -> Kind:
    """The kind of the project's samples."""
    return kind_named(kind_name())


def kind_name() -> str:
    """The name of the kind of the project's samples."""
    return _kind_name(current_project().database_url, project_id())


# A project's samples are of one kind for ever.
@st.cache_data(max_entries=100, show_spinner=False)
def _kind_name(database_url: str, identity: int) -> str:  # noqa: ARG001
    with database().read() as session:
        return kind_of_samples(session, project_id=identity)


def annotator() -> str:
    """The name under which decisions are stored.

    Raises:
        ProjectError: When the person has not said who they are.
    """
    name = given_name()
    if not name:
        raise ProjectError("Say first who is labeling: reload the page.")
    return name


def annotator_id() -> int:
    """The annotator's id; a new name is registered at once, in its own transaction."""
    if must_sign_in() is False:
        return _account_id(current_project().database_url, project_id(), account_of(dict(st.user)))
    return _annotator_id(current_project().database_url, project_id(), annotator())


# An annotator is never taken out again, so the id of a name may be kept: each label would cost a transaction more.
@st.cache_data(max_entries=1000, show_spinner=False)
def _annotator_id(database_url: str, identity: int, name: str) -> int:  # noqa: ARG001
    with database().write() as session:
        return get_or_create_annotator(session, project_id=identity, name=name)


@st.cache_data(max_entries=1000, show_spinner=False)
def _account_id(database_url: str, identity: int, account: Account) -> int:  # noqa: ARG001
    with database().write() as session:
        return get_or_create_account(
            session,
            project_id=identity,
            issuer=account.issuer,
            subject=account.subject,
            name=account.name,
            is_verified=account.is_verified,
        )
