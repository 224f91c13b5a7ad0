"""FiftyOne: images below `data`, in a folder per class, and `labels.json` with classes and labels.

`data` alone is FiftyOne's image classification directory tree, the whole its image classification dataset.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from app.formats.copies import copy_images, safe_names
from app.formats.errors import SourceError
from app.formats.export import Export, ExportedSample, Written
from app.formats.folders import read_folder
from app.formats.format import Format
from app.formats.rows import number
from app.formats.source import Decision, Entry, Prediction, Source, printable

LABELS_FILE, DATA, UNLABELED = "labels.json", "data", "_unlabeled"


def reads(path: Path) -> bool:
    """A folder with `data` and `labels.json`, or a tree with a folder of unlabeled images."""
    if not path.is_dir():
        return False
    return (path / UNLABELED).is_dir() or ((path / LABELS_FILE).is_file() and (path / DATA).is_dir())


def read(path: Path, uploads: Path) -> Source:
    """Read the images with the labels of the list, else with those of their folders.

    Raises:
        SourceError: the list is none of FiftyOne's.
    """
    found = read_folder(path, uploads)
    if not (path / LABELS_FILE).is_file():
        entries = [Entry(e.root, e.name, "" if e.class_name == UNLABELED else e.class_name) for e in found.entries]
        return _source(found, entries)
    try:
        listed = json.loads((path / LABELS_FILE).read_bytes())
        classes, labels = listed.get("classes") or [], dict(listed["labels"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"{printable(path.name)}/{LABELS_FILE} is no list of FiftyOne's: {error}.") from error
    below = [entry for entry in found.entries if entry.name.startswith(f"{DATA}/")]
    return _source(found, [_entry(entry, labels, classes) for entry in below])


def _source(found: Source, entries: list[Entry]) -> Source:
    labels = sum(bool(entry.class_name) for entry in entries)
    return Source(found.root, tuple(entries), found.refused, labels_given=labels)


def _entry(entry: Entry, labels: Mapping[str, Any], classes: list[str]) -> Entry:
    """The label of a file is found under its name below `data`, without the ending or with it."""
    name = PurePosixPath(entry.name).relative_to(DATA)
    label = labels.get(name.with_suffix("").as_posix(), labels.get(name.as_posix()))
    if not isinstance(label, dict):
        return Entry(entry.root, entry.name, _class_name(label, classes))
    attributes = label.get("attributes") or {}
    class_name = _class_name(label.get("label"), classes)
    told = attributes.get("prediction")
    flags = (Decision("flag"),) if attributes.get("flagged") else ()
    decisions = (Decision("label", class_name, str(attributes.get("annotator") or "")),) if class_name else ()
    predictions = (Prediction(_class_name(told, classes), number(label.get("confidence"))),) if told else ()
    digest = str(attributes.get("sha256") or "")
    return Entry(entry.root, entry.name, class_name, digest, (*flags, *decisions), predictions)


def _class_name(label: object, classes: list[str]) -> str:
    is_index = isinstance(label, int) and not isinstance(label, bool) and 0 <= label < len(classes)
    return str(classes[label]) if is_index and isinstance(label, int) else "" if label is None else str(label)


def write(export: Export, folder: Path) -> Written:
    """Copy every decided image; skipped ones are unlabeled."""
    names = safe_names(export.classes)
    by_class = dict(zip(export.classes, names, strict=True))
    for name in names:
        (folder / DATA / name).mkdir(parents=True)
    folders = {sample.id: by_class.get(sample.label, UNLABELED) for sample in export.samples}
    copies = copy_images(export.samples, folder, folders, DATA)
    samples = {copies.names[sample.id]: sample for sample in export.samples if sample.id in copies.names}
    labels = {_key(name): _label(sample) for name, sample in samples.items()}
    listed = {"classes": list(export.classes), "labels": labels}
    (folder / LABELS_FILE).write_text(json.dumps(listed, ensure_ascii=False, indent=1), encoding="utf-8")
    renamed = tuple((name, made) for name, made in by_class.items() if name != made)
    labeled = sum(bool(sample.label) for sample in samples.values())
    return Written(folder, labeled, 0, tuple(copies.left_out), renamed)


def _key(name: str) -> str:
    return PurePosixPath(name).relative_to(DATA).with_suffix("").as_posix()


def _label(sample: ExportedSample) -> Any:  # noqa: ANN401 - JSON
    standing = sample.standing
    if not sample.label or standing is None:
        return None
    return {
        "label": sample.label,
        "attributes": {"annotator": standing.annotator, "sha256": sample.sha256}
        | ({"flagged": True} if sample.flagged else {}),
    }


FORMAT = Format(
    name="fiftyone",
    sentence="FiftyOne: image classification dataset and directory tree",
    reads=reads,
    read=read,
    write=write,
    holds=("annotators",),
)
