"""An export as a zip: written beside, packed into a file without a name, and sent from there piece by piece."""

from __future__ import annotations

import json
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from fastapi import HTTPException
from fastapi.responses import StreamingResponse

from app.client import Project
from app.formats.export import Written

COUNTS = "X-Export"  # header: labels, events, and what is lost, as JSON
MOST_NAMED = 20  # files that are left out; a header is short
_PIECE = 1_000_000  # bytes

_one_at_a_time = threading.Lock()


def zipped_export(project: Project, format: str, *, with_predictions: bool, at: str) -> StreamingResponse:  # noqa: A002
    """Write an export and send it.

    Raises:
        HTTPException: Another one is being written: each may copy a whole pool.
        ExportError: It cannot be written.
    """
    if not _one_at_a_time.acquire(blocking=False):
        raise HTTPException(503, "Another export is being written; ask again when it is done.")
    try:
        with tempfile.TemporaryDirectory() as folder:
            written = project.export(format, Path(folder) / "export", with_predictions=with_predictions, at=at)
            packed = _packed(written.folder)
    finally:
        _one_at_a_time.release()
    headers = {"content-disposition": 'attachment; filename="export.zip"', COUNTS: _counts(written)}
    return StreamingResponse(_pieces(packed), media_type="application/zip", headers=headers)


def _packed(folder: Path) -> IO[bytes]:
    with ExitStack() as stack:
        packed = stack.enter_context(tempfile.TemporaryFile())  # gone when it was sent, also to who hung up
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in sorted(folder.rglob("*")):
                archive.write(path, path.relative_to(folder))
        packed.seek(0)
        stack.pop_all()
        return packed


def _pieces(packed: IO[bytes]) -> Iterator[bytes]:
    with packed:
        while piece := packed.read(_PIECE):
            yield piece


def _counts(written: Written) -> str:
    told = {"labels": written.labels, "events": written.events, "lost": written.lost, "renamed": written.renamed}
    named = [(name[-200:], reason[:200]) for name, reason in written.left_out[:MOST_NAMED]]
    return json.dumps({**told, "renamed": written.renamed[:MOST_NAMED], "left_out": named})
