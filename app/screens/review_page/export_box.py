"""Taking the labels along: an export of the project as one zip file."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import streamlit as st

from app.formats.export import Written
from app.formats.registry import writable_formats
from app.project.exporting import export
from app.project.import_words import by_kind
from app.project.project import Project
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import kind_name
from storage.engine import Database


def export_box(project: Project, database: Database, project_id: int) -> None:
    """Draw the choice of a format; the export is made when asked for and offered for download."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        formats = writable_formats().items()
        sentences = {name: found.sentence for name, found in formats if not found.refusal(kind_name())}
        chosen = st.selectbox(
            "Format", list(sentences), format_func=sentences.__getitem__, key="export_format", width=520
        )
        rest = st.checkbox("Answers for the rest", key="export_answers", help="The model's, where nobody has decided.")
        wanted = st.button("Prepare export", key="export_prepare", icon=":material/archive:")
    if not wanted:
        return
    with st.spinner("Writing the export"):
        written, content = zipped_export(project, database, project_id, chosen, answers=rest)
    st.download_button(
        f"Download {written.labels:,} labels",
        content,
        file_name=f"{project.folder.name}-{chosen}.zip",
        mime="application/zip",
        key="export_download",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )
    if written.lost:
        st.info(escaped(written.lost), icon=":material/info:")
    for class_name, folder in written.renamed:
        st.info(escaped(f"Class {class_name} is in the folder {folder}: not every file system can hold its name."))
    for line in by_kind("Left out", written.left_out):
        st.warning(escaped(line))


def zipped_export(
    project: Project, database: Database, project_id: int, form: str, *, answers: bool = False
) -> tuple[Written, bytes]:
    """Write an export and return it as the bytes of a zip file.

    Raises:
        ExportError: When it cannot be written.
    """
    # Beside the project, not in /tmp: that is often a small memory disk, and folders hold copies of all samples.
    with tempfile.TemporaryDirectory(dir=project.folder, prefix=".export-") as folder:
        rounds_dir = project.rounds_dir if answers else None
        name, out = project.settings().name, Path(folder) / form
        written = export(database, project_id, form, out, project=name, rounds_dir=rounds_dir)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(path for path in written.folder.rglob("*") if path.is_file()):
                archive.write(file, file.relative_to(written.folder))
    return written, buffer.getvalue()
