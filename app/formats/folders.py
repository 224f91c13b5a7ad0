"""A folder per class: read from any folder of images; written as copies, ImageNet style.

``classes.csv`` beside them says which folder is which class, and ``labels.csv`` which file is whose and who labeled it
when, so that the folder can be read again without a loss.
"""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from app.formats import csv_file
from app.formats.copies import CLASSES_FILE, copy_by_class
from app.formats.errors import RefusedImageError, SourceError
from app.formats.export import Export, Written
from app.formats.exported_rows import source_of_folder
from app.formats.format import Format
from app.formats.places import OUTSIDE, resolve_inside
from app.formats.source import Entry, Refused, Source, printable

IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jfif", ".mpo", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".avif"}
)
IMAGE_BEGINNINGS = {  # how a file begins, and what its name ends with
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"RIFF": ".webp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
}
_PROJECT_FILES = ("settings.toml", "thumbnails")  # what a project's folder holds, wherever its database is


def reads(path: Path) -> bool:
    """Any folder."""
    return path.is_dir()


def read_folder(folder: Path, _uploads: Path | None = None) -> Source:
    """Find every file below a folder; hidden ones (`.DS_Store`, `.git`) and projects of ours are skipped.

    A file's class is the name of the folder it lies in, unless that is the root.

    Raises:
        SourceError: The folder is itself a project.
    """
    root = folder.resolve()
    if _is_project(root):
        raise SourceError(f"{folder} is a LabelLoop project; name the folder, list or address of its samples.")
    entries: list[Entry] = []
    refused: list[Refused] = []
    for path in files_below(root, refused):
        reason = _refusal(path, root)
        leads_out = reason == OUTSIDE and path.is_file()
        named = path.parent != root and ((reason and not leads_out) or _may_be_image(path))
        entry = Entry(root, _name(path, root), sys.intern(path.parent.name) if named else "")
        if reason:
            refused.append(Refused(printable(entry.name), reason, entry if leads_out else None))
        else:
            entries.append(entry)
    return Source(root, tuple(entries), tuple(refused), notes=_notes_on_folders_within(entries))


def _notes_on_folders_within(entries: Sequence[Entry]) -> tuple[str, ...]:
    """A class's folder in another one's: by year perhaps, and of the same class, as other programs take it."""
    folders = Counter(PurePosixPath(entry.name).parent for entry in entries if entry.class_name)
    within = {folder: above for folder in folders for above in list(folder.parents)[:-1] if above in folders}
    if not within:
        return ()
    folder = min(within)
    count = sum(folders[one] for one in within)
    return (
        f"{count:,} images lie in a folder within one of another class, such as {printable(str(folder))}: they are "
        f"taken for {printable(folder.name)}, not for {printable(within[folder].name)}; move them up if that is wrong.",
    )


def files_below(root: Path, refused: list[Refused] | None = None) -> Iterator[Path]:
    """Yield files and links, in order of name, without following any link.

    Args:
        root: Of the folder, all links followed.
        refused: Gets the folders that cannot be read.
    """

    def unreadable(error: OSError) -> None:
        if refused is None:
            return
        refused.append(Refused(printable(_name(Path(error.filename), root)), f"cannot be read: {error.strerror}"))

    for parent, folders, files in os.walk(root, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not _skipped(Path(parent), name))
        linked = [name for name in folders if (Path(parent) / name).is_symlink()]
        yield from (Path(parent) / name for name in sorted([*files, *linked]) if not _hidden(name))


def _skipped(parent: Path, name: str) -> bool:
    """A project's own thumbnails are no samples, nor is what the Hugging Face cache's links lead to."""
    is_blobs = name == "blobs" and (parent / "snapshots").is_dir()
    return _hidden(name) or _is_project(parent / name) or is_blobs


def _is_project(folder: Path) -> bool:
    return all((folder / own).exists() for own in _PROJECT_FILES)


def _hidden(name: str) -> bool:
    return (name.startswith(".") and not name.startswith("..")) or name == "__MACOSX"


def _refusal(path: Path, root: Path) -> str:
    """Say why a file of a folder cannot be imported, before it is opened; empty when nothing speaks against it."""
    try:
        resolved = resolve_inside(path, root)
        kind = resolved.stat().st_mode
    except RefusedImageError as error:
        return error.reason
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if stat.S_ISDIR(kind):
        return "a link to a folder; name that folder in an import of its own"
    return "" if stat.S_ISREG(kind) else "is a pipe, socket or device, not a file"


def _may_be_image(path: Path) -> bool:
    """A folder of documents is no class; a file with a name of another kind is looked at."""
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return True
    with path.open("rb") as file:
        return file.read(8).startswith(tuple(IMAGE_BEGINNINGS))


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def is_own(path: Path) -> bool:
    """Say whether a folder is an export of ours, with its lists beside the classes."""
    return path.is_dir() and all((path / name).is_file() for name in (CLASSES_FILE, csv_file.LABELS_FILE))


def read(folder: Path, uploads: Path) -> Source:
    """Read a folder; an export of ours by its list, which holds texts and rows themselves."""
    if not is_own(folder):
        return read_folder(folder, uploads)
    own = source_of_folder(folder, csv_file.rows)
    return csv_file.read_csv(folder / csv_file.LABELS_FILE) if own is None else own


def write(export: Export, folder: Path) -> Written:
    """Copy the labeled images into a folder per class, with the two lists."""
    copies = copy_by_class(export, folder)
    csv_file.write_labels(export, folder / csv_file.LABELS_FILE, names=copies.names)
    return Written(folder, len(copies.names), 0, tuple(copies.left_out), tuple(copies.renamed))


FORMAT = Format(
    name="folders",
    sentence="Folder per class: copies of the labeled samples, with lists of what became what",
    reads=reads,
    read=read,
    write=write,
    contents=True,
    holds=("annotators", "times", "lead times", "purposes", "flags"),
    generality=2,
)
