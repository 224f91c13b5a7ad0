"""Choosing where samples come from, and importing them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile as Upload

from app.formats.connection import is_address, shown
from app.formats.registry import readable_formats
from app.formats.source import Source
from app.project.importing import run_import
from app.project.project import Project
from app.screens.setup_page.folder_picker import folder_picker
from app.screens.setup_page.import_job import ImportJob
from app.screens.setup_page.upload_box import upload_box, write_uploads
from app.screens.shared.plain_text import escaped
from storage.projects import list_classes

Split = Literal["pool", "test"]

KINDS = ("Folder", "File", "Upload")


@dataclass(frozen=True)
class Chosen:
    """Where the person says the samples are."""

    path: str = ""
    uploads: tuple[Upload, ...] = ()

    @property
    def given(self) -> bool:
        """True when something was chosen."""
        return bool(self.path.strip()) or bool(self.uploads)


def source_box(*, prefix: str) -> Chosen:
    """Draw the choice between folder, file and upload; an empty choice is returned as it is."""
    kind = st.segmented_control(
        "Where the samples are",
        KINDS,
        default=KINDS[0],
        required=True,
        key=f"{prefix}_kind",
        persist_state="session",
    )
    if kind == "Upload":
        return Chosen(uploads=upload_box(prefix=prefix))
    if kind == "File":
        path = _path_field("File", f"{prefix}_csv", "/home/me/photos/list.csv")
        _under_path(path, f"{prefix}_csv", picks_files=True)
        known = ", ".join(readable_formats())
        st.caption(
            "A list such as a CSV with one row per sample: `path,label` for images, `text,label` for texts, any other "
            "columns for a table (the label may be empty). Or what another tool exported: "
            f"{known}. Paths count from the file's own folder. It may be an address (`https://`, `s3://`) too."
        )
        return Chosen(path=path)
    path = _path_field("Folder", f"{prefix}_folder", "/home/me/photos")
    _under_path(path, f"{prefix}_folder", picks_files=False)
    st.caption(
        "A folder on the machine LabelLoop runs on, with its subfolders; images stay where they are. Or an address "
        "such as `s3://bucket/photos`, which is copied once."
    )
    return Chosen(path=path)


def _path_field(label: str, key: str, example: str) -> str:
    return st.text_input(label, key=key, persist_state="session", placeholder=example)


def _under_path(typed: str, key: str, *, picks_files: bool) -> None:
    """Why a path cannot be used, right under its field, and the way to choose another by looking."""
    if said := what_is_wrong(typed):
        st.error(escaped(said), icon=":material/error:")
    folder_picker(typed, key=key, picks_files=picks_files)


def what_is_wrong(typed: str) -> str:
    """Why what was typed cannot be read; empty where nothing is known to speak against it."""
    place = place_of(typed)
    missing = typed.strip() and isinstance(place, Path) and not place.exists()
    return f"{typed.strip()}: there is no such file or folder." if missing else ""


def place_of(typed: str) -> Path | str:
    """What was typed, as a path; an address (`s3://…`) stays as it is."""
    typed = typed.strip()
    return typed if is_address(typed) else Path(typed).expanduser()


def source_name(path: Path | str) -> str:
    """What the list of imports says of it: a file's name, or an address without what may be secret."""
    return path.name if isinstance(path, Path) else shown(path)


def keep_upload(chosen: Chosen, folder: Path) -> Path | str:
    """Where what was chosen is; what was uploaded is written into the folder first."""
    return write_uploads(chosen.uploads, folder) if chosen.uploads else place_of(chosen.path)


def import_samples(
    job: ImportJob,
    project: Project,
    source: Source,
    *,
    title: str,
    split: Split,
    labeled: bool = False,
    given_as: str = "",
) -> None:
    """Import a source into the project and keep its report; runs in the job's thread, so it draws nothing."""
    database = project.open_database()
    try:
        identity = project.project_id(database)
        with database.read() as session:
            names = [entry.name for entry in list_classes(session, project_id=identity)]
        report = run_import(
            database,
            project_id=identity,
            source=source,
            split=split,
            classes=names,
            labeled=labeled,
            given_as=given_as,
            progress=job.count,
        )
        job.reports.append((title, report))
    finally:
        database.close()
