"""Data that lies elsewhere: `s3://`, `gs://`, `az://`, `https://`, `hf://`.

Its files are copied once, into a folder of the project that is named by the hash of the address, and read from there as
any others: a lost connection marks nothing broken, and labeling goes on without one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

from app.formats.archive import LeftOut, check_name, is_hidden, most_bytes
from app.formats.connection import Connection, connect
from app.formats.errors import RefusedImageError, SourceError
from app.formats.fetched_files import FetchedFiles, FileToFetch, Progress
from app.formats.source import Refused, Source, printable

OpenCopy = Callable[[Path], Source]

_TELLING = (
    # what changes with a file, as file systems call it
    "size", "ETag", "etag", "md5Hash", "content_md5", "blob_id", "LastModified", "last_modified", "updated", "mtime",
    "created",
)  # fmt: skip
_ONCE = "once"  # the version of a file that a list names; nobody asks 50,000 times whether one has changed


def open_remote(address: str, uploads: Path, open_copy: OpenCopy, progress: Progress | None = None) -> Source:
    """Copy what an address names, as far as it is not here, and read the copy.

    Args:
        address: of a folder, or of one file: an archive, a table, or a list whose files lie beside it.
        uploads: the project's folder for what came from elsewhere.
        open_copy: reads the copy.
        progress: called with (files fetched, files in all).

    Raises:
        LostConnectionError: the connection was lost; what was fetched is kept for the next try.
        SourceError: it cannot be read at all.
    """
    connection = connect(address)
    folder = uploads / hashlib.sha256(connection.address.encode()).hexdigest()
    info = _told(connection, lambda system: system.info(connection.path))
    if info["type"] == "directory":
        return _open_folder(connection, folder, open_copy, progress)
    return _open_file(connection, info, folder, open_copy, progress)


def _open_folder(connection: Connection, folder: Path, open_copy: OpenCopy, progress: Progress | None) -> Source:
    found = _told(connection, lambda system: system.find(connection.path, detail=True))
    wanted, left_out = _wanted(connection, found)
    copies = FetchedFiles(folder, folder / _folder_name(PurePosixPath(connection.path)))
    left_out += copies.fetch(connection, wanted, progress)
    return _with_refused(open_copy(copies.root), left_out)


def _open_file(
    connection: Connection, info: Mapping[str, Any], folder: Path, open_copy: OpenCopy, progress: Progress | None
) -> Source:
    is_url = "://" in connection.path
    path = PurePosixPath(urlsplit(connection.path).path if is_url else connection.path)
    copies = FetchedFiles(folder, folder / _folder_name(path.parent))
    listed = FileToFetch(connection.path, path.name or "data", _version(info), info.get("size") or 0)
    refused = copies.fetch(connection, [listed], None)
    if refused:
        raise SourceError(f"{connection.address}: {refused[0][1]}.")
    source = open_copy(copies.root / listed.name)
    beside = connection.path.partition("?")[0].rpartition("/")[0]
    names = _named_and_missing(source, copies)
    missing = [FileToFetch(f"{beside}/{quote(name) if is_url else name}", name, _ONCE) for name in names]
    return _with_refused(source, copies.fetch(connection, missing, progress))


def _named_and_missing(source: Source, copies: FetchedFiles) -> list[str]:
    """The files beside a list that it names and that are not here; what leads outside is refused at its import."""
    there = [entry for entry in source.entries if entry.text is None and entry.root == copies.root.resolve()]
    names = dict.fromkeys(entry.name for entry in there if not entry.path.exists())
    return [name for name in names if not _refused_name(name)]


def _wanted(connection: Connection, found: Mapping[str, Mapping[str, Any]]) -> tuple[list[FileToFetch], LeftOut]:
    """The files of a listing, by names below the folder."""
    wanted, left_out = list[FileToFetch](), LeftOut()
    for path, info in sorted(found.items()):
        name = path.strip("/").removeprefix(connection.path.strip("/")).lstrip("/")
        size = info.get("size") or 0
        if not name or path.endswith("/") or is_hidden(name):
            continue
        reason = _refused_name(name)
        if not reason and size > most_bytes(name):
            reason = f"is larger than {most_bytes(name) // 1_000_000} MB"
        if reason:
            left_out.append((name, reason))
        else:
            wanted.append(FileToFetch(path, name, _version(info), size))
    return wanted, left_out


def _refused_name(name: str) -> str:
    try:
        check_name(name)
    except RefusedImageError as error:
        return error.reason
    return ""


def _version(info: Mapping[str, Any]) -> str:
    """What tells a file from an earlier one of its name; a size alone does not."""
    told = [f"{key} {info[key]}" for key in _TELLING if info.get(key) is not None]
    return ", ".join(told) if len(told) > 1 or not info.get("size") else ""


def _told(connection: Connection, question: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - a file system's answer
    try:
        return connection.ask(question)
    except RefusedImageError as error:
        raise SourceError(f"{connection.address}: {error.reason}.") from None


def _folder_name(path: PurePosixPath) -> str:
    return path.name if path.name and not is_hidden(path.name) and not _refused_name(path.name) else "data"


def _with_refused(source: Source, left_out: Sequence[tuple[str, str]]) -> Source:
    refused = tuple(Refused(printable(name), reason) for name, reason in left_out)
    named = {printable(name) for name, _ in left_out}
    kept = tuple(entry for entry in source.entries if printable(entry.name) not in named)
    return replace(source, entries=kept, refused=(*refused, *source.refused))
