"""Copies of labeled images in an export: what folders and files are called, and what could not be copied."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from unicodedata import category

from app.formats.errors import RefusedSampleError
from app.formats.export import Export, ExportedSample
from app.formats.source import alike
from app.kinds.kind import kind_named

CLASSES_FILE = "classes.csv"
MAX_NAME_BYTES = 200  # of a folder or file; file systems end at 255, and an ending may be added

_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # Windows' devices
_IMPOSSIBLE = frozenset('/\\:*?"<>|')  # on some system
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, halves of characters, line ends


@dataclass
class Copies:
    """What was copied: where each sample is, and what became of names."""

    names: dict[int, str] = field(default_factory=dict)  # by sample id: relative to the export's folder
    left_out: list[tuple[str, str]] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)  # (class, folder) where they differ


def copy_by_class(export: Export, folder: Path, *, below: str = "") -> Copies:
    """Copy every labeled image to `<below>/<class>/<file>`; every class has a folder, also one without a label."""
    folders = safe_names(export.classes)
    for name in folders:
        (folder / below / name).mkdir(parents=True)
    _write_classes(export.classes, folders, folder / CLASSES_FILE)
    by_class = dict(zip(export.classes, folders, strict=True))
    copies = copy_images(
        export.labeled, folder, {sample.id: by_class[sample.label] for sample in export.labeled}, below
    )
    copies.renamed = [(name, made) for name, made in by_class.items() if name != made]
    return copies


def copy_images(
    samples: Iterable[ExportedSample], folder: Path, folders: Mapping[int, str] | None = None, below: str = ""
) -> Copies:
    """Copy images; those whose files are gone or hold other bytes by now are left out with the reason.

    Args:
        samples: to copy.
        folder: the export's.
        folders: of each sample by its id, below `below`.
        below: a folder in the export.
    """
    copies, taken = Copies(), set[Path]()
    for sample in samples:
        target_folder = folder / below / (folders or {}).get(sample.id, "")
        target_folder.mkdir(parents=True, exist_ok=True)
        try:
            copied = kind_named(sample.kind).copy(replace(sample, uri=sample.file or sample.uri))
        except RefusedSampleError as refused:
            copies.left_out.append((sample.uri, refused.reason))
            continue
        target = _free(target_folder / _file_name(copied.name, sample.id), sample.id, taken)
        target.write_bytes(copied.content)
        copies.names[sample.id] = target.relative_to(folder).as_posix()
    return copies


def safe_names(classes: Sequence[str]) -> list[str]:
    """Turn class names into folder names that differ, stay inside the export and exist on every system.

    Names that every file system can hold stay as they are.
    """
    plain = [_safe(name) for name in classes]
    taken: set[str] = set()
    names: list[str] = []
    for index, (name, safe) in enumerate(zip(classes, plain, strict=True)):
        others = {_one(other) for other in plain[index + 1 :]} if safe != name else set()
        made, number = safe or f"class-{index}", 1
        while _one(made) in taken | others:
            made = f"class-{index}-{safe}" + (f"-{number}" if number > 1 else "")
            number += 1
        taken.add(_one(made))
        names.append(made)
    return names


def _safe(name: str) -> str:
    """A folder name that exists on every system, perhaps not the only one of its kind; empty when nothing is left."""
    possible = "".join("_" if char in _IMPOSSIBLE or category(char) in _UNSEEN else char for char in name)
    safe = possible.encode(errors="replace")[:MAX_NAME_BYTES].decode(errors="ignore").strip(" .")
    reserved = _RESERVED.fullmatch(safe) or safe.startswith("-")  # a command would take it for an option
    return f"class {safe}" if reserved else safe


def _write_classes(classes: Sequence[str], folders: Sequence[str], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("index", "class", "folder"))
        writer.writerows((index, *row) for index, row in enumerate(zip(classes, folders, strict=True)))


def _file_name(name: str, sample_id: int) -> str:
    """The file's own name, shortened where another ending would not fit."""
    path = Path(name)
    stem = path.stem.encode(errors="surrogateescape")[: MAX_NAME_BYTES - len(path.suffix.encode())]
    return (stem.decode(errors="ignore") or str(sample_id)) + path.suffix


def _free(target: Path, sample_id: int, taken: set[Path]) -> Path:
    """A name that is not taken: two folders of the person's may hold the same file name."""
    suffix = target.suffix
    while _folded(target) in taken:
        target = target.with_name(f"{target.stem}-{sample_id}{suffix}")
    taken.add(_folded(target))
    return target


def _folded(path: Path) -> Path:
    return path.with_name(_one(path.name))


def _one(name: str) -> str:
    """Macs and Windows take ``A.png`` and ``a.png`` for one file, Macs also composed and decomposed accents."""
    return alike(alike(name).casefold())
