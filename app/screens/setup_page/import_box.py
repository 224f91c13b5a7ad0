"""Choosing where samples come from, and importing them."""

import shutil
import tempfile
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
from app.screens.setup_page.import_job import ImportJob
from storage.projects import list_classes

Split = Literal["pool", "test"]

KINDS = ("Folder", "File", "Zip upload")


@dataclass(frozen=True)
class Chosen:
    """Where the person says the samples are."""

    path: str = ""
    upload: Upload | None = None

    @property
    def given(self) -> bool:
        """True when something was chosen."""
        return bool(self.path.strip()) or self.upload is not None


def source_box(*, prefix: str) -> Chosen:
    """Draw the choice between folder, CSV and zip; an empty choice is returned as it is."""
    kind = st.segmented_control("Where the samples are", KINDS, default="Folder", required=True, key=f"{prefix}_kind")
    if kind == "Zip upload":
        upload = st.file_uploader("Zip archive of images", type="zip", key=f"{prefix}_upload")
        st.caption("It is unpacked into the project's folder.")
        return Chosen(upload=upload)
    if kind == "File":
        path = st.text_input("File", key=f"{prefix}_csv", placeholder="/home/me/photos/list.csv")
        known = ", ".join(readable_formats())
        st.caption(
            "A list such as a CSV with one row per sample: `path,label` for images, `text,label` for texts, any other "
            "columns for a table (the label may be empty). Or what another tool exported: "
            f"{known}. Paths count from the file's own folder. It may be an address (`https://`, `s3://`) too."
        )
        return Chosen(path=path)
    path = st.text_input("Folder", key=f"{prefix}_folder", placeholder="/home/me/photos")
    st.caption(
        "A folder on the machine LabelLoop runs on, with its subfolders; images stay where they are. Or an address "
        "such as `s3://bucket/photos`, which is copied once."
    )
    return Chosen(path=path)


def place_of(typed: str) -> Path | str:
    """What was typed, as a path; an address (`s3://…`) stays as it is."""
    typed = typed.strip()
    return typed if is_address(typed) else Path(typed).expanduser()


def source_name(path: Path | str) -> str:
    """What the list of imports says of it: a file's name, or an address without what may be secret."""
    return path.name if isinstance(path, Path) else shown(path)


def keep_upload(chosen: Chosen, folder: Path) -> Path | str:
    """Where what was chosen is; an uploaded archive is written into the folder first, as `upload-….zip`."""
    if chosen.upload is None:
        return place_of(chosen.path)
    folder.mkdir(parents=True, exist_ok=True)
    chosen.upload.seek(0)  # a second try reads it again
    with tempfile.NamedTemporaryFile(dir=folder, prefix="upload-", suffix=".zip", delete=False) as file:
        shutil.copyfileobj(chosen.upload, file)
    return Path(file.name)


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
