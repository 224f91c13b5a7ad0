"""Choosing where samples come from, and importing them with a bar and a report."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator as Bar
from streamlit.runtime.uploaded_file_manager import UploadedFile as Upload

from app.importing.run import ImportReport, run_import
from app.importing.sources import Source, open_source
from app.project import Project
from storage.engine import Database
from storage.projects import list_classes

Split = Literal["pool", "test"]

KINDS = ("Folder", "CSV file", "Zip upload")
UPLOAD_CHUNK = 1 << 20  # bytes


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
    kind = st.segmented_control("Where the images are", KINDS, default="Folder", required=True, key=f"{prefix}_kind")
    if kind == "Zip upload":
        upload = st.file_uploader("Zip archive of images", type="zip", key=f"{prefix}_upload")
        st.caption("It is unpacked into the project's folder.")
        return Chosen(upload=upload)
    if kind == "CSV file":
        path = st.text_input("CSV file", key=f"{prefix}_csv", placeholder="/home/me/photos/list.csv")
        st.caption("One row per image: `path,label`; the label may be empty. Paths count from the file's own folder.")
        return Chosen(path=path)
    path = st.text_input("Folder", key=f"{prefix}_folder", placeholder="/home/me/photos")
    st.caption("A folder on the machine LabelLoop runs on, with its subfolders. Images stay where they are.")
    return Chosen(path=path)


@contextmanager
def opened(chosen: Chosen, project: Project) -> Iterator[Source]:
    """Open what was chosen; an uploaded archive lies in the project's folder only while it is read."""
    if chosen.upload is None:
        yield open_source(Path(chosen.path.strip()).expanduser(), uploads=project.uploads_dir)
        return
    project.uploads_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=project.uploads_dir, suffix=".zip") as file:
        while content := chosen.upload.read(UPLOAD_CHUNK):
            file.write(content)
        file.flush()
        yield open_source(Path(file.name), uploads=project.uploads_dir)


def import_with_bar(database: Database, *, project_id: int, source: Source, split: Split) -> ImportReport:
    """Import a source and draw a bar meanwhile; the bar is drawn between transactions, never inside one."""
    with database.read() as session:
        names = [entry.name for entry in list_classes(session, project_id=project_id)]
    bar = st.progress(0.0, text=f"Checking {len(source.entries):,} files …")
    report = run_import(
        database, project_id=project_id, source=source, split=split, classes=names, progress=_drawing_on(bar)
    )
    bar.empty()
    return report


def _drawing_on(bar: Bar) -> Callable[[int, int], None]:
    def draw(done: int, total: int) -> None:
        bar.progress(done / total if total else 1.0, text=f"Checked {done:,} of {total:,} files")

    return draw
