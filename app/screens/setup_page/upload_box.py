"""Files that a person drops into the page: images, a folder of them, a zip archive, or a list with its images."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile as Upload

from app.formats.archive import check_name
from app.formats.folders import IMAGE_SUFFIXES
from app.screens.shared.plain_text import escaped


def upload_box(*, prefix: str) -> tuple[Upload, ...]:
    """Draw the two fields that files and folders are dropped into; what was dropped stays over a look elsewhere."""
    key = f"{prefix}_uploads"
    files = st.file_uploader("Files", accept_multiple_files=True, key=f"{prefix}_upload")
    folder = st.file_uploader("Or a folder", accept_multiple_files="directory", key=f"{prefix}_upload_folder")
    st.caption(
        "Images, a zip archive of them, or a list with its images. They are copied into the project's folder; what "
        "lies on the machine LabelLoop runs on already need not be."
    )
    dropped: tuple[Upload, ...] = (*files, *folder)
    if dropped:
        st.session_state[key] = dropped
        return dropped
    before: tuple[Upload, ...] = st.session_state.get(key, ())
    if before:
        with st.container(horizontal=True, vertical_alignment="center"):
            names = ", ".join(upload.name for upload in before[:3])
            st.markdown(escaped(f"Uploaded before: {names}{' …' if len(before) > 3 else ''} ({len(before):,} files)"))
            st.button("Take out", key=f"{prefix}_upload_take_out", on_click=st.session_state.pop, args=(key, None))
    return before


def write_uploads(uploads: Sequence[Upload], folder: Path) -> Path:
    """Write what was uploaded below a folder; return the archive, the list or the folder that is to be read.

    Raises:
        RefusedImageError: a name leads out of the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if len(uploads) == 1 and uploads[0].name.lower().endswith(".zip"):
        with tempfile.NamedTemporaryFile(dir=folder, prefix="upload-", suffix=".zip", delete=False) as file:
            _copy(uploads[0], Path(file.name))
        return Path(file.name)
    for upload in uploads:
        check_name(upload.name)
    root = Path(tempfile.mkdtemp(dir=folder, prefix="upload-"))
    for upload in uploads:
        target = root / upload.name
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy(upload, target)
    return _to_read(root, [upload.name for upload in uploads])


def _copy(upload: Upload, target: Path) -> None:
    upload.seek(0)  # a second try reads it again
    with target.open("wb") as file:
        shutil.copyfileobj(upload, file)


def _to_read(root: Path, names: Sequence[str]) -> Path:
    """The one list among images, else the folder; the folder that was dropped is no class of its own."""
    lists = [name for name in names if PurePosixPath(name).suffix.lower() not in IMAGE_SUFFIXES]
    if len(lists) == 1:
        return root / lists[0]
    first = {PurePosixPath(name).parts[0] for name in names}
    return root / first.pop() if len(first) == 1 and all("/" in name for name in names) else root


def take_away(written: Path, uploads: Path, *, is_used: bool) -> None:
    """Delete what was written for an import: an archive, which is unpacked by now; files only where none is used."""
    own = next(path for path in (written, *written.parents) if path.parent == uploads)
    if own.is_file():
        own.unlink()
    elif not is_used:
        shutil.rmtree(own)
