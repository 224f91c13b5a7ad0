"""What every screen stands on: the project, its database, its id, and who is labeling.

The supervisor names the project's folder in the environment variable LABELLOOP_PROJECT. Only the engine is cached;
everything another process may write is read afresh.
"""

import getpass
import os
from pathlib import Path

import streamlit as st

from app.errors import ProjectError
from app.project import Project, open_project
from storage.engine import Database
from storage.projects import get_or_create_annotator

FOLDER_VARIABLE = "LABELLOOP_PROJECT"
ANNOTATOR_KEY = "annotator_name"


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


def current_project() -> Project:
    """The project of this server; a ProjectError sentence if the folder holds none."""
    return open_project(project_folder())


@st.cache_resource(show_spinner=False)
def _open(folder: str) -> Database:
    return open_project(Path(folder)).open_database()


def database() -> Database:
    """The engines over the project's database, opened once per server."""
    return _open(str(project_folder()))


def project_id() -> int:
    """The project's id in its database."""
    return current_project().project_id(database())


def default_annotator() -> str:
    """The account's name, or "me" where it says nothing about a person."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):  # no such account in a container; no pwd module elsewhere
        return "me"
    return "me" if name in {"root", ""} else name


def annotator() -> str:
    """The name under which decisions are stored."""
    name = st.session_state.get(ANNOTATOR_KEY) or st.query_params.get("annotator", "")
    return str(name).strip() or default_annotator()


def annotator_id() -> int:
    """The annotator's id; a new name is registered at once, in its own transaction."""
    with database().write() as session:
        return get_or_create_annotator(session, project_id=project_id(), name=annotator())


def annotator_box() -> str:
    """Draw the box for the annotator's name in the sidebar; a refresh keeps the name, it stands in the address."""
    if ANNOTATOR_KEY not in st.session_state:
        st.session_state[ANNOTATOR_KEY] = annotator()
    st.sidebar.text_input(
        "Your name",
        key=ANNOTATOR_KEY,
        max_chars=80,
        help="Stored with each of your labels. Two people need two names.",
    )
    name = annotator()
    if name != default_annotator() and st.query_params.get("annotator") != name:
        st.query_params["annotator"] = name
    return name
