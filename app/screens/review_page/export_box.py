"""Taking the labels along: an export of the project as one zip file."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import streamlit as st

from app.project.exporting import Written, export
from app.project.project import Project
from app.screens.shared.plain_text import escaped
from storage.engine import Database

FORMATS = {
    "csv": "CSV (labels and all events)",
    "jsonl": "JSON lines (labels and all events)",
    "folders": "Folder per class (copies of the samples)",
}


def export_box(project: Project, database: Database, project_id: int) -> None:
    """Draw the choice of a format; the export is made when asked for and offered for download."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Format", list(FORMATS), format_func=FORMATS.__getitem__, key="export_format", width=320)
        wanted = st.button("Prepare export", key="export_prepare", icon=":material/archive:")
    if not wanted:
        return
    with st.spinner("Writing the export"):
        written, content = zipped_export(project, database, project_id, chosen)
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
    for file, reason in written.left_out:
        st.warning(escaped(f"Left out: {file}: {reason}"))


def zipped_export(project: Project, database: Database, project_id: int, form: str) -> tuple[Written, bytes]:
    """Write an export and return it as the bytes of a zip file.

    Raises:
        ExportError: When it cannot be written.
    """
    # Beside the project, not in /tmp: that is often a small memory disk, and folders hold copies of all samples.
    with tempfile.TemporaryDirectory(dir=project.folder, prefix=".export-") as folder:
        written = export(database, project_id, form, Path(folder) / form)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(path for path in written.folder.rglob("*") if path.is_file()):
                archive.write(file, file.relative_to(written.folder))
    return written, buffer.getvalue()
