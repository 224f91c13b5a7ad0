"""Croissant 1.1: metadata that says what the files and columns of a data set are, who made it and when.

The labels are in ``labels.csv`` beside the images; ``croissant.json`` describes them. Another's metadata is read where
its records come from a CSV file or are written into it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.formats.copies import copy_images
from app.formats.csv_file import read_rows, write_table
from app.formats.errors import SourceError
from app.formats.export import Export, Written
from app.formats.format import Format
from app.formats.json_file import read_object
from app.formats.rows import FILE_COLUMNS, LABEL_COLUMNS, source_of_rows
from app.formats.source import Source, printable

METADATA_FILE, LABELS_FILE, EVENTS_FILE = "croissant.json", "labels.csv", "events.csv"
VERSION = "http://mlcommons.org/croissant/1.1"

_COLUMNS = {
    # of labels.csv: Croissant's type, and what it is
    "path": ("sc:Text", "Where the image is, below this folder."),
    "label": ("sc:Text", "The class that counts for the image."),
    "sha256": ("sc:Text", "SHA-256 of the image's bytes."),
    "annotator": ("sc:Text", "Who gave the label."),
    "created_at": ("sc:DateTime", "When the label was given."),
    "lead_time_s": ("sc:Float", "Seconds from the image's appearance to the label."),
    "purpose": ("sc:Text", "Why the image was asked: train, audit (never to be trained on), recheck or imported."),
    "acquisition_prob": ("sc:Float", "The probability with which the image was drawn; 1 where it was chosen."),
    "flagged": ("sc:Boolean", "Whether somebody asked for a second look."),
}
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "sc": "https://schema.org/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "conformsTo": "dct:conformsTo",
    "column": "cr:column",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "includes": "cr:includes",
    "md5": "cr:md5",
    "recordSet": "cr:recordSet",
    "source": "cr:source",
}


def reads(path: Path) -> bool:
    """The metadata, or a folder with it."""
    if path.is_dir():
        return (path / METADATA_FILE).is_file()
    return path.suffix.lower() in (".json", ".jsonld") and "recordSet" in read_object(path)


def read(path: Path, _uploads: Path) -> Source:
    """Read the records whose fields are files and labels.

    Raises:
        SourceError: there are none here.
    """
    manifest = path / METADATA_FILE if path.is_dir() else path
    root, found = manifest.parent.resolve(), read_object(manifest)
    for records in found.get("recordSet") or []:
        if isinstance(records.get("data"), list):
            return source_of_rows([_inline(row) for row in records["data"]], root)
        table = _table_of(records, found.get("distribution") or [], root)
        if table is not None:
            return source_of_rows(read_rows(table), root)
    raise SourceError(f"{printable(manifest.name)} has no records in a CSV file beside it; name the data itself.")


def _inline(row: Mapping[str, Any]) -> dict[str, Any]:
    """A record of the metadata itself; its columns are named `records/column`."""
    return {str(name).rpartition("/")[2].casefold(): value for name, value in row.items()}


def _table_of(records: Mapping[str, Any], distribution: list[Mapping[str, Any]], root: Path) -> Path | None:
    """The CSV file that a set of records comes from, where it lies beside the metadata and names files."""
    fields = [field for field in records.get("field") or [] if isinstance(field.get("source"), dict)]
    names = {str(field.get("name", "")).rpartition("/")[2].casefold() for field in fields}
    if not names & set(FILE_COLUMNS) or not names & set(LABEL_COLUMNS):
        return None
    ids = {str((field["source"].get("fileObject") or {}).get("@id", "")) for field in fields}
    for item in distribution:
        url = str(item.get("contentUrl") or "")
        if str(item.get("@id")) in ids and url.lower().endswith(".csv") and (root / url).is_file():
            return root / url
    return None


def write(export: Export, folder: Path) -> Written:
    """Write the labels beside copies of the images, all label events, and the metadata."""
    copies = copy_images(export.labeled, folder, below="images")
    samples = [sample for sample in export.labeled if sample.id in copies.names]
    drawn = {event["sample_id"]: event["acquisition_prob"] for event in export.events if event["action"] == "label"}
    rows = [
        {
            "path": copies.names[sample.id],
            "label": sample.label,
            "sha256": sample.sha256,
            "annotator": sample.standing.annotator if sample.standing else "",
            "created_at": sample.standing.created_at if sample.standing else None,
            "lead_time_s": sample.standing.lead_time_s if sample.standing else None,
            "purpose": sample.standing.purpose if sample.standing else "",
            "acquisition_prob": drawn.get(sample.id),
            "flagged": sample.flagged,
        }
        for sample in samples
    ]
    write_table(folder / LABELS_FILE, tuple(_COLUMNS), rows)
    metadata = _metadata(export, folder)
    (folder / METADATA_FILE).write_text(json.dumps(metadata, ensure_ascii=False, indent=1), encoding="utf-8")
    return Written(folder, len(samples), 0, tuple(copies.left_out))


def _metadata(export: Export, folder: Path) -> dict[str, Any]:
    people = sorted({given.annotator for sample in export.samples for given in sample.decisions if given.annotator})
    digest = hashlib.sha256((folder / LABELS_FILE).read_bytes()).hexdigest()
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": export.project,
        "description": f"{len(export.labeled):,} images of {len(export.classes)} classes, labeled with LabelLoop.",
        "conformsTo": VERSION,
        "dateCreated": export.made_at.isoformat() if export.made_at else None,
        "creator": [{"@type": "sc:Person", "name": name} for name in people],
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "prov:label": "labeling",
            "prov:wasAssociatedWith": [{"@type": "prov:Agent", "prov:label": name} for name in people],
        },
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": LABELS_FILE,
                "name": LABELS_FILE,
                "contentUrl": LABELS_FILE,
                "encodingFormat": "text/csv",
                "sha256": digest,
            },
            {
                "@type": "cr:FileSet",
                "@id": "images",
                "name": "images",
                "encodingFormat": "image/*",
                "includes": "images/*",
            },
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "labels",
                "name": "labels",
                "field": [_field(name, kind, words) for name, (kind, words) in _COLUMNS.items()],
            },
            {
                "@type": "cr:RecordSet",
                "@id": "classes",
                "name": "classes",
                "dataType": "sc:Enumeration",
                "field": [{"@type": "cr:Field", "@id": "classes/name", "name": "name", "dataType": "sc:Text"}],
                "data": [{"classes/name": name} for name in export.classes],
            },
        ],
    }


def _field(name: str, kind: str, words: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"labels/{name}",
        "name": name,
        "description": words,
        "dataType": kind,
        "source": {"fileObject": {"@id": LABELS_FILE}, "extract": {"column": name}},
    }


FORMAT = Format(
    name="croissant",
    sentence="Croissant 1.1: labels, images and metadata with who, when and why",
    reads=reads,
    read=read,
    write=write,
    holds=("flags", "annotators", "times", "lead times", "purposes"),
)
