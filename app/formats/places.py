"""Where a file is that somebody named: on another system, by another tool, through a link. Nothing is opened."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from unicodedata import normalize
from urllib.parse import parse_qs, unquote, urlsplit

from app.formats.errors import RefusedImageError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # two letters at least: C:// is a disk
_DISK = re.compile(r"[A-Za-z]:/")
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")  # what Label Studio puts before the name of an uploaded file

OUTSIDE = "lies outside the imported folder, which only --outside or its switch on Setup lets in"
_STORES = (".git/annex/objects", ".dvc/cache")  # files known by their content, reached by links that have names


@dataclass(frozen=True)
class Places:
    """Finds the files that a manifest names.

    A file is looked for where the name says, below the manifest's folder. Absolute names of another machine are looked
    for below it by their ends, all with the same beginning taken away, so that no two names lead to one file.
    """

    root: Path  # the manifest's folder, all links followed
    beginning: str = ""  # taken away from absolute names that are not there

    @classmethod
    def of(cls, root: Path, names: Iterable[str]) -> Places:
        """Look which beginning the absolute names have that leads to files below the root."""
        absolute = [name for name in map(_plain, names) if _is_absolute(name)]
        if not absolute:
            return cls(root)
        shared = _shared(absolute)
        for beginning in reversed([shared, *shared.parents]):
            if any(_is_there(root / _without(name, str(beginning))) for name in absolute[:100]):
                return cls(root, str(beginning))
        return cls(root)

    def find(self, name: str, *, sha256: str = "") -> tuple[Path, str] | None:
        """Return root and name of a file: where it is, else where it was said to be; None when that is on the web.

        Args:
            name: as it stands in the manifest.
            sha256: of the file, where the manifest knows it: only such a file is taken from outside the root.
        """
        plain = _plain(name)
        if _SCHEME.match(plain):
            return None
        if sha256 and _is_absolute(plain) and _is_there(Path(plain)):
            return Path(plain).parent, PurePosixPath(plain).name
        found = next((said for said in self._spellings(name, plain) if _is_there(self.root / said)), name)
        return self.root, found

    def _spellings(self, name: str, plain: str) -> Iterator[str]:
        """The ways in which a file's name may be meant."""
        ends = [plain]
        if _is_absolute(plain) and self.beginning:
            ends.append(_without(plain, self.beginning))
        if name.startswith("/data/"):
            ends += [PurePosixPath(plain).name, _UPLOAD.sub("", PurePosixPath(plain).name)]
        for spelled in (name, *ends):
            yield from dict.fromkeys((spelled, normalize("NFC", spelled), normalize("NFD", spelled)))


def resolve_inside(path: Path, root: Path) -> Path:
    """Return the path with all links followed, refused if that leads outside the root, which has none.

    What a link leads to in a store of git-annex, DVC or the Hugging Face cache around the root counts as inside.
    """
    try:
        resolved = path.resolve(strict=True)
    except FileNotFoundError:
        raise RefusedImageError("a link to nothing" if path.is_symlink() else "there is no such file") from None
    except (OSError, RuntimeError, ValueError) as error:  # before Python 3.13 a loop of links is a RuntimeError
        looped = isinstance(error, RuntimeError) or getattr(error, "errno", None) == errno.ELOOP
        said = getattr(error, "strerror", None) or str(error)
        raise RefusedImageError("a link in a loop" if looped else f"cannot be found: {said}") from error
    if not resolved.is_relative_to(root) and not in_store(resolved, root):
        raise RefusedImageError(OUTSIDE)
    return resolved


def called(path: Path) -> Path:
    """Return a path without dots that keeps the names of links; with all links followed where that would differ."""
    plain = Path(os.path.normpath(path))
    resolved = os.path.realpath(path)
    return plain if os.path.realpath(plain) == resolved else Path(resolved)


def in_store(resolved: Path, root: Path) -> bool:
    """Say whether what a link below the root leads to lies in a store of git-annex, DVC or the Hugging Face cache."""
    above = (root, *root.parents)
    stores = [folder / store for folder in above for store in _STORES]
    stores += [folder.parent / "blobs" for folder in above if folder.name == "snapshots"]
    return any(resolved.is_relative_to(store) for store in stores)


def _plain(name: str) -> str:
    """A name with the slashes of this system; an address of a local file becomes its path."""
    name = name.strip()
    if name.startswith("/data/local-files/"):
        return unquote(parse_qs(urlsplit(name).query).get("d", [""])[0]) or name
    if name.startswith("file://"):
        return unquote(urlsplit(name).path)
    return name.replace("\\", "/")


def _shared(absolute: list[str]) -> PurePosixPath:
    """The folder that all names have in common; none where some begin with a disk."""
    parents = [str(PurePosixPath(name).parent) for name in absolute]
    alike = len({name.startswith("/") for name in absolute}) == 1
    return PurePosixPath(os.path.commonpath(parents) if alike else "/")


def _is_absolute(name: str) -> bool:
    return name.startswith("/") or _DISK.match(name) is not None


def _without(name: str, beginning: str) -> str:
    """The rest of a name; one that does not begin so is left to be missed."""
    rest = name.removeprefix(beginning)
    return rest.lstrip("/") if rest != name or not beginning else name


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)
