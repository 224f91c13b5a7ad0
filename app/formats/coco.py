"""COCO: images and categories, with annotations that have no box: labels of whole images."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.formats.copies import copy_images
from app.formats.errors import SourceError
from app.formats.export import Export, ExportedSample, Written
from app.formats.format import Format
from app.formats.json_file import read_object
from app.formats.rows import moment, number, placed
from app.formats.source import Decision, Entry, Source, printable

ANNOTATIONS_FILE = "annotations.json"
_LISTS = ("images", "categories", "annotations")
_MANY = "{} images have annotations of several categories; they come in without a label."


Annotations = list[Mapping[str, Any]]


def reads(path: Path) -> bool:
    """A JSON file with the three lists, or the folder of an export of ours."""
    if path.is_dir():
        return (path / ANNOTATIONS_FILE).is_file()
    return path.suffix.lower() == ".json" and all(isinstance(read_object(path).get(name), list) for name in _LISTS)


def read(path: Path, _uploads: Path) -> Source:
    """Read images; the category of all of an image's annotations is its label.

    Raises:
        SourceError: it has no list of images.
    """
    manifest = path / ANNOTATIONS_FILE if path.is_dir() else path
    found = read_object(manifest)
    if not isinstance(found.get("images"), list):
        raise SourceError(f"{printable(manifest.name)} is no COCO file: it has no list `images`.")
    names = {one["id"]: str(one["name"]) for one in found.get("categories") or [] if "id" in one and "name" in one}
    given: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for annotation in found.get("annotations") or []:
        given[annotation.get("image_id")].append(annotation)
    root = manifest.parent.resolve()
    images = [image for image in found["images"] if isinstance(image, dict) and image.get("file_name")]
    many = sum(len({one.get("category_id") for one in _boxes(given[image.get("id")])}) > 1 for image in images)
    return placed(
        root,
        [(str(image["file_name"]), _entry(image, given[image.get("id")], names, root)) for image in images],
        notes=(_MANY.format(f"{many:,}"),) if many else (),
    )


def _boxes(annotations: Annotations) -> Annotations:
    """Annotations of parts of an image; several labels of the whole image are what several people said."""
    return [one for one in annotations if one.get("bbox")]


def _entry(
    image: Mapping[str, Any], annotations: list[Mapping[str, Any]], names: Mapping[Any, str], root: Path
) -> Entry:
    digest = str(image.get("sha256") or "")
    boxes = _boxes(annotations)
    if len({one.get("category_id") for one in boxes}) > 1:
        return Entry(root, "", "", digest)
    whole = [one for one in annotations if not one.get("bbox")] or boxes[:1]
    decisions = tuple(_decision(one, names) for one in whole if one.get("category_id") in names)
    flags = (Decision("flag"),) if image.get("flagged") else ()
    standing = decisions[-1].class_name if decisions else ""
    return Entry(root, "", standing, digest, (*flags, *decisions))


def _decision(annotation: Mapping[str, Any], names: Mapping[Any, str]) -> Decision:
    return Decision(
        "label",
        names[annotation["category_id"]],
        str(annotation.get("annotator") or ""),
        moment(annotation.get("created_at")),
        number(annotation.get("lead_time_s")),
    )


def write(export: Export, folder: Path) -> Written:
    """Write the three lists beside copies of the images."""
    copies = copy_images(export.labeled, folder, below="images")
    samples = [sample for sample in export.labeled if sample.id in copies.names]
    index = {name: number for number, name in enumerate(export.classes, 1)}
    annotations = [annotation for sample in samples for annotation in _annotations(sample, index)]
    content = {
        "info": {"description": export.project, "date_created": export.made_at.isoformat() if export.made_at else ""},
        "images": [_image(sample, copies.names[sample.id]) for sample in samples],
        "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in index.items()],
        "annotations": [{"id": number, **one} for number, one in enumerate(annotations, 1)],
    }
    (folder / ANNOTATIONS_FILE).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return Written(folder, len(samples), 0, tuple(copies.left_out))


def _image(sample: ExportedSample, name: str) -> dict[str, Any]:
    return {
        "id": sample.id,
        "file_name": name,
        "width": sample.width,
        "height": sample.height,
        "sha256": sample.sha256,
    } | ({"flagged": True} if sample.flagged else {})


def _annotations(sample: ExportedSample, index: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for given in sample.decisions:
        if given.action == "label":
            yield {
                "image_id": sample.id,
                "category_id": index[given.class_name],
                "annotator": given.annotator,
                "created_at": given.created_at.isoformat() if given.created_at else None,
                "lead_time_s": given.lead_time_s,
            }


FORMAT = Format(
    name="coco",
    sentence="COCO: images, categories and labels of whole images",
    reads=reads,
    read=read,
    write=write,
    holds=("flags", "votes", "annotators", "times", "lead times"),
)
