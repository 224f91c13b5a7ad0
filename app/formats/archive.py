"""Extract a zip archive that a stranger may have made: no name leaves the folder, nothing unpacks without end."""

from __future__ import annotations

import hashlib
import lzma
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from app.formats.errors import RefusedImageError, SourceError
from app.kinds.image import MAX_BYTES
from app.project.rights import folder_mode

MAX_MEMBERS = 200_000
MAX_TOTAL_BYTES = 20_000_000_000
MAX_RATIO = 100  # unpacked : packed, of the whole archive; real image archives stay below 10
FREE_RATIO_BYTES = 100_000_000  # small archives may pack as well as they like: uniform bitmaps do
MAX_NAME_BYTES = 200  # of one folder or file; file systems end at 255

# What a damaged member raises; RuntimeError: it has a password.
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, NotImplementedError, ValueError)

LeftOut = list[tuple[str, str]]


def extract(archive: Path, uploads: Path) -> tuple[Path, LeftOut]:
    """Extract the safe members under `uploads/<sha256>/`.

    The folder appears whole or not at all; the same archive again leads to the same folder.

    Returns:
        The folder, and (name, reason) of every member left out.

    Raises:
        SourceError: it is no zip archive, or would need too much room.
    """
    uploads.mkdir(parents=True, exist_ok=True)
    folder = uploads / _sha256(archive)
    fresh = Path(tempfile.mkdtemp(prefix=".extracting-", dir=uploads))
    try:
        left_out = _extract_into(archive, fresh)
        if not folder.exists():
            fresh.chmod(folder_mode())
            fresh.replace(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder, left_out


def _sha256(path: Path) -> str:
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
    hidden = any(part == "__MACOSX" or (part.startswith(".") and not part.startswith("..")) for part in _parts(member))
    return member.is_dir() or hidden


def _parts(member: zipfile.ZipInfo) -> tuple[str, ...]:
    return PurePosixPath(member.filename).parts


def _check_room(archive: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    """Refuse by what the headers say; `_copy` refuses members whose headers lie."""
    total = sum(member.file_size for member in members if member.file_size <= MAX_BYTES)
    if len(members) > MAX_MEMBERS:
        raise SourceError(f"{archive.name} holds {len(members)} files; at most {MAX_MEMBERS} are unpacked.")
    if total > FREE_RATIO_BYTES and total > MAX_RATIO * archive.stat().st_size:
        raise SourceError(
            f"{archive.name} would unpack to more than {MAX_RATIO} times its size; that is no image archive."
        )
    if total > min(MAX_TOTAL_BYTES, shutil.disk_usage(folder).free):
        raise SourceError(f"{archive.name} would unpack to {total / 1e9:.1f} GB; there is no room for that.")


def _extract_members(opened: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path) -> LeftOut:
    reasons = ((member.filename, _extract_member(opened, member, folder)) for member in members)
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
    name, parts = member.orig_filename, _parts(member)
    unsafe = name.startswith("/") or any(part == ".." for part in parts) or any(char in name for char in "\\:\0")
    if unsafe or not parts:
        raise RefusedImageError("its name leads out of the archive's folder")
    if any(len(part.encode(errors="surrogateescape")) > MAX_NAME_BYTES for part in parts):
        raise RefusedImageError(f"a part of its name is longer than {MAX_NAME_BYTES} bytes")
    return member.filename


def _copy(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    """Unpack one member; never writes more than one image may hold, whatever the header says."""
    if member.file_size > MAX_BYTES:
        raise RefusedImageError(f"is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        with opened.open(member) as packed:
            content = packed.read(MAX_BYTES + 1)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(content)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise RefusedImageError("its name collides with that of a file before it") from None
    except DAMAGED as error:
        raise RefusedImageError(f"cannot be unpacked: {error}") from error
