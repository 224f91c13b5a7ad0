"""A look into the folders of this machine, for a person who chooses one: names and numbers, nothing is opened."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from app.errors import ProjectError
from app.formats.folders import IMAGE_SUFFIXES

MOST_COUNTED = 5_000  # entries of a folder; a larger one is "5,000 or more"


@dataclass(frozen=True)
class Inside:
    """What lies directly in a folder."""

    images: int = 0
    files: int = 0  # that are no images
    folders: int = 0
    is_more: bool = False  # than was counted
    is_readable: bool = True

    @property
    def words(self) -> str:
        """The counts as a person reads them."""
        if not self.is_readable:
            return "may not be read"
        counted = ((self.images, "image"), (self.files, "other file"), (self.folders, "folder"))
        said = [f"{count:,} {name}{'s' * (count != 1)}" for count, name in counted if count]
        return (", ".join(said) or "empty") + (" or more" if self.is_more else "")


@dataclass(frozen=True)
class Listing:
    """A folder with its folders and files, by name; hidden ones are left out."""

    folder: Path
    inside: Inside
    folders: tuple[Path, ...]
    files: tuple[Path, ...]


def look_into(folder: Path) -> Listing:
    """List a folder.

    Raises:
        ProjectError: It is none, or may not be read.
    """
    try:
        entries = sorted(_seen(folder), key=lambda entry: entry.name.casefold())
    except OSError as error:
        raise ProjectError(f"{folder} cannot be looked into: {error.strerror}.") from error
    folders = tuple(Path(entry.path) for entry in entries if _is_folder(entry))
    files = tuple(Path(entry.path) for entry in entries if not _is_folder(entry))
    return Listing(folder, _counted(entries), folders, files)


def inside_of(folder: Path) -> Inside:
    """Count what lies directly in a folder."""
    try:
        return _counted(_seen(folder))
    except OSError:
        return Inside(is_readable=False)


def _seen(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(islice((entry for entry in entries if not entry.name.startswith(".")), MOST_COUNTED))


def _counted(entries: Iterable[os.DirEntry[str]]) -> Inside:
    entries = list(entries)
    folders = sum(map(_is_folder, entries))
    images = sum(Path(entry.name).suffix.lower() in IMAGE_SUFFIXES and not _is_folder(entry) for entry in entries)
    return Inside(images, len(entries) - folders - images, folders, is_more=len(entries) == MOST_COUNTED)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a loop
        return False
