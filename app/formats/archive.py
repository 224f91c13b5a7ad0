"""A zip archive that a stranger may have made: no name leaves the folder, nothing unpacks without end.

What is in it is read as what it is: a folder of images, or the export of a tool.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import lzma
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path, PurePosixPath

from app.formats.errors import RefusedImageError, SourceError
from app.formats.format import Format
from app.formats.source import Refused, Source, printable
from app.kinds.image_limits import max_bytes
from app.rights import folder_mode

MAX_LIST_BYTES = 500_000_000  # of one list: the events of 60,000 labels are 20 MB
LISTS = (".csv", ".tsv", ".json", ".jsonl", ".parquet", ".arrow", ".xml")

MAX_MEMBERS = 200_000
MAX_TOTAL_BYTES = 20_000_000_000
MAX_RATIO = 100  # unpacked : packed, of the whole archive; real image archives stay below 10
FREE_RATIO_BYTES = 100_000_000  # small archives may pack as well as they like: uniform bitmaps do
MAX_NAME_BYTES = 200  # of one folder or file; file systems end at 255

# What a damaged member raises; RuntimeError: it has a password.
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, NotImplementedError, ValueError)

LeftOut = list[tuple[str, str]]

_UTF_8 = 0x800  # the flag that says how names are written; the macOS Finder and PowerShell 5 leave it out


def reads(path: Path) -> bool:
    """A `.zip` file."""
    return path.is_file() and path.suffix.lower() == ".zip"


def read_zip(archive: Path, uploads: Path) -> Source:
    """Extract an archive under `uploads/<sha256 of the archive>/` and read that folder.

    Raises:
        SourceError: it is no zip archive, or would need too much room.
    """
    from app.formats.registry import open_source  # it finds this module

    folder, left_out = extract(archive, uploads)
    source = open_source(_unwrapped(folder), uploads=uploads)
    refused = tuple(Refused(printable(name), reason) for name, reason in left_out)
    return replace(source, refused=refused + source.refused)


def _unwrapped(folder: Path) -> Path:
    """The one folder in which an archive of an export has everything; images are read from the top, by their names."""
    from app.formats.registry import format_of

    inside = list(folder.iterdir())
    try:
        return inside[0] if len(inside) == 1 and format_of(inside[0]).generality < 2 else folder
    except SourceError:
        return folder


def extract(archive: Path, uploads: Path) -> tuple[Path, LeftOut]:
    """Extract the safe members under `uploads/<sha256>/`.

    The folder appears whole or not at all; the same archive again leads to the same folder.

    Returns:
        The folder, and (name, reason) of every member left out.

    Raises:
        SourceError: it is no zip archive, or would need too much room.
    """
    uploads.mkdir(parents=True, exist_ok=True)
    folder = uploads / sha256_of(archive)
    fresh = Path(tempfile.mkdtemp(prefix=".extracting-", dir=uploads))
    try:
        left_out = _extract_into(archive, fresh)
        if not folder.exists():
            fresh.chmod(folder_mode())
            fresh.replace(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder, left_out


def sha256_of(path: Path) -> str:
    """Return the hash of a file, however large."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _extract_into(archive: Path, folder: Path) -> LeftOut:
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not _skipped(member)]
            _check_room(archive, members, folder)
            return _extract_members(opened, members, folder)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise SourceError(f"{archive.name} cannot be unpacked: {error}.") from error


def _skipped(member: zipfile.ZipInfo) -> bool:
    """Folders come with their files; hidden files and what macOS adds are nobody's samples."""
    return _name(member).endswith("/") or is_hidden(_name(member))


def is_hidden(name: str) -> bool:
    """Say whether a file is none of the samples, by its name."""
    parts = PurePosixPath(name).parts
    return any(part == "__MACOSX" or (part.startswith(".") and not part.startswith("..")) for part in parts)


def _name(member: zipfile.ZipInfo) -> str:
    """A member's name as it was meant: UTF-8 also where its flag is missing, slashes where Windows has back slashes."""
    name = member.orig_filename
    if not member.flag_bits & _UTF_8:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def most_bytes(name: str) -> int:
    """Return how many bytes a file of this name may have."""
    return MAX_LIST_BYTES if name.lower().endswith(LISTS) else max_bytes()


def _most(member: zipfile.ZipInfo) -> int:
    return most_bytes(_name(member))


def _check_room(archive: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    """Refuse by what the headers say; `_copy` refuses members whose headers lie."""
    total = sum(member.file_size for member in members if member.file_size <= _most(member))
    if len(members) > MAX_MEMBERS:
        raise SourceError(f"{archive.name} holds {len(members)} files; at most {MAX_MEMBERS} are unpacked.")
    if total > FREE_RATIO_BYTES and total > MAX_RATIO * archive.stat().st_size:
        raise SourceError(
            f"{archive.name} would unpack to more than {MAX_RATIO} times its size; that is no image archive."
        )
    if total > min(MAX_TOTAL_BYTES, shutil.disk_usage(folder).free):
        raise SourceError(f"{archive.name} would unpack to {total / 1e9:.1f} GB; there is no room for that.")


def _extract_members(opened: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path) -> LeftOut:
    reasons = ((_name(member), _extract_member(opened, member, folder)) for member in members)
    return [(name, reason) for name, reason in reasons if reason]


def _extract_member(opened: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> str:
    """Unpack one member; say why not, if not."""
    try:
        _copy(opened, member, folder / safe_name(member))
    except RefusedImageError as error:
        return error.reason
    return ""


def safe_name(member: zipfile.ZipInfo) -> str:
    """Return the member's name if it stays inside the folder on every system.

    Raises:
        RefusedImageError: it would not, or the member is a link.
    """
    if stat.S_ISLNK(member.external_attr >> 16):
        raise RefusedImageError("is a link")
    name = _name(member)
    check_name(name)
    return name


def check_name(name: str) -> None:
    """Refuse a name that somebody else gave a file, unless it stays inside the folder on every system.

    Raises:
        RefusedImageError: it would not.
    """
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or not parts or re.match("[A-Za-z]:", name):
        raise RefusedImageError("its name leads out of the archive's folder")
    if "\0" in name:
        raise RefusedImageError("its name holds a zero byte")
    if any(len(part.encode(errors="surrogateescape")) > MAX_NAME_BYTES for part in parts):
        raise RefusedImageError(f"a part of its name is longer than {MAX_NAME_BYTES} bytes")


def _copy(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    """Unpack one member; never writes more than one image may hold, whatever the header says."""
    if member.file_size > _most(member):
        raise RefusedImageError(f"is larger than {_most(member) // 1_000_000} MB")
    try:
        with opened.open(member) as packed:
            content = packed.read(_most(member) + 1)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(content)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise RefusedImageError("its name collides with that of a file before it") from None
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENAMETOOLONG):
            raise
        raise RefusedImageError(f"its name cannot be that of a file here: {error.strerror}") from error
    except DAMAGED as error:
        raise RefusedImageError(f"cannot be unpacked: {error}") from error


FORMAT = Format(
    name="archive",
    sentence="Zip archive of images, or of an export",
    reads=reads,
    read=read_zip,
    holds=(),
)
