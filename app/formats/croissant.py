"""Croissant 1.1: metadata that says what the files and columns of a data set are, who made it and when.

The labels are in ``labels.csv``, with texts and rows or beside images; ``croissant.json`` describes them. Another's
metadata is read where its records come from a CSV file or are written into it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.formats import csv_file
from app.formats.copies import Copies
from app.formats.csv_file import read_rows, write_table
from app.formats.errors import SourceError
from app.formats.export import Export, ExportedSample, Row, Written
from app.formats.format import Format
from app.formats.json_file import read_object
from app.formats.label_rows import label_row, own_columns
from app.formats.records import taken_along
from app.formats.rows import file_column, label_column, plain_names, source_of_rows
from app.formats.source import Source, printable
from app.kinds.kind import Kind, kind_named

METADATA_FILE, LABELS_FILE = "croissant.json", "labels.csv"
VERSION = "http://mlcommons.org/croissant/1.1"

_COLUMNS = {
    # of labels.csv: Croissant's type, and what it is of an image, a text or a row
    "path": ("sc:Text", "Where the {} is, below this folder."),
    "uri": ("sc:Text", "Where the {} came from."),
    "label": ("sc:Text", "The class that counts for the {}."),
    "sha256": ("sc:Text", "SHA-256 of the {}, for an image of its bytes."),
    "annotator": ("sc:Text", "Who gave the label."),
    "created_at": ("sc:DateTime", "When the label was given."),
    "lead_time_s": ("sc:Float", "Seconds from the appearance of the {} to the label."),
    "purpose": ("sc:Text", "Why the {} was asked: train, audit (never to be trained on), recheck or imported."),
    "acquisition_prob": ("sc:Float", "The probability with which the {} was drawn; 1 where it was chosen."),
    "flagged": ("sc:Boolean", "Whether somebody asked for a second look."),
}
_OWN = ("sc:Text", "Of the {} itself.")
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
    manifest = _manifest(path)
    root = manifest.parent.resolve()
    for records, table in _sets_of(manifest):
        if table is None:
            return source_of_rows([_plain(row) for row in _inline(records)], root)
        if file_column(plain_names(_columns_by_field(records).values())):
            return source_of_rows(read_rows(table), root)
    raise SourceError(f"{printable(manifest.name)} has no records in a CSV file beside it; name the data itself.")


def rows(path: Path) -> list[Row]:
    """Return the records of the first set that has labels, else of the first one, by the names of their fields."""
    manifest = _manifest(path)
    for records, table in _sets_of(manifest):
        if table is None:
            return list(_inline(records))
        columns = _columns_by_field(records)
        return [{name: row.get(column) for name, column in columns.items()} for row in csv_file.rows(table)]
    return []


def _manifest(path: Path) -> Path:
    return path / METADATA_FILE if path.is_dir() else path


def _plain(row: Row) -> Row:
    return dict(zip(plain_names(row), row.values(), strict=True))


def _sets_of(manifest: Path) -> list[tuple[Mapping[str, Any], Path | None]]:
    """The sets of records that are here, with the CSV file they come from or in the metadata; those with labels first.

    Lists of the classes, or of the splits, are sets of their own; they are enumerations.
    """
    found, root = read_object(manifest), manifest.parent.resolve()
    here: list[tuple[Mapping[str, Any], Path | None]] = []
    for records in found.get("recordSet") or []:
        table = _table_of(records, found.get("distribution") or [], root)
        if "Enumeration" not in str(records.get("dataType")) and (table or records.get("data")):
            here.append((records, None if records.get("data") else table))
    return sorted(here, key=lambda one: not label_column(_fields_of(*one)))


def _fields_of(records: Mapping[str, Any], table: Path | None) -> list[str]:
    names = next(_inline(records), {}) if table is None else _columns_by_field(records)
    return plain_names(names)


def _inline(records: Mapping[str, Any]) -> Iterator[Row]:
    """The records of the metadata itself; their columns are named `records/column`."""
    for row in records["data"]:
        yield {str(name).rpartition("/")[2]: value for name, value in row.items()}


def _columns_by_field(records: Mapping[str, Any]) -> dict[str, str]:
    """The columns of a set of records by the names of its fields, which may be written `records/column`."""
    columns: dict[str, str] = {}
    for field in records.get("field") or []:
        source, name = field.get("source"), str(field.get("name", ""))
        extract = source.get("extract") if isinstance(source, dict) else None
        column = extract.get("column") if isinstance(extract, dict) else None
        if isinstance(column, str):
            columns[name if name == column else name.rpartition("/")[2]] = column
    return columns


def _table_of(records: Mapping[str, Any], distribution: Sequence[Mapping[str, Any]], root: Path) -> Path | None:
    """The CSV file that a set of records comes from, where it lies beside the metadata."""
    sources = [field.get("source") for field in records.get("field") or []]
    ids = {str((one.get("fileObject") or {}).get("@id", "")) for one in sources if isinstance(one, dict)}
    for item in distribution:
        url = str(item.get("contentUrl") or "")
        if str(item.get("@id")) in ids and url.lower().endswith(".csv") and (root / url).is_file():
            return root / url
    return None


def write(export: Export, folder: Path) -> Written:
    """Write the labels, with texts and rows or beside copies of images, and the metadata."""
    samples, copies = taken_along(export.labeled, folder)
    drawn = {event["sample_id"]: event["acquisition_prob"] for event in export.events if event["action"] == "label"}
    rows = [_row(sample, copies, drawn.get(sample.id)) for sample in samples]
    columns = _described(kind_named(export.kind), own_columns(samples))
    write_table(folder / LABELS_FILE, tuple(columns), rows)
    metadata = _metadata(export, folder, columns)
    (folder / METADATA_FILE).write_text(json.dumps(metadata, ensure_ascii=False, indent=1), encoding="utf-8")
    return Written(folder, len(samples), 0, tuple(copies.left_out))


def _row(sample: ExportedSample, copies: Copies, drawn: float | None) -> Row:
    return label_row(sample) | {"path": copies.names.get(sample.id), "acquisition_prob": drawn}


def _described(kind: Kind, own: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The columns of a list of samples of a kind: a file has a path, and what is in none came from somewhere."""
    left_out = "uri" if kind.IN_FILES else "path"
    told = {name: said for name, said in _COLUMNS.items() if name != left_out} | dict.fromkeys(own, _OWN)
    return {name: (type_, words.format(kind.NOUN)) for name, (type_, words) in told.items()}


def _metadata(export: Export, folder: Path, columns: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    people = sorted({given.annotator for sample in export.samples for given in sample.decisions if given.annotator})
    nouns = kind_named(export.kind).NOUNS
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": export.project,
        "description": f"{len(export.labeled):,} {nouns} of {len(export.classes)} classes, labeled with LabelLoop.",
        "conformsTo": VERSION,
        "dateCreated": export.made_at.isoformat() if export.made_at else None,
        "creator": [{"@type": "sc:Person", "name": name} for name in people],
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "prov:label": "labeling",
            "prov:wasAssociatedWith": [{"@type": "prov:Agent", "prov:label": name} for name in people],
        },
        "distribution": _distribution(export, folder),
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "labels",
                "name": "labels",
                "field": [_field(place, name, *told) for place, (name, told) in enumerate(columns.items(), 1)],
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


def _distribution(export: Export, folder: Path) -> list[dict[str, Any]]:
    labels = {
        "@type": "cr:FileObject",
        "@id": LABELS_FILE,
        "name": LABELS_FILE,
        "contentUrl": LABELS_FILE,
        "encodingFormat": "text/csv",
        "sha256": hashlib.sha256((folder / LABELS_FILE).read_bytes()).hexdigest(),
    }
    images = {
        "@type": "cr:FileSet",
        "@id": "images",
        "name": "images",
        "encodingFormat": "image/*",
        "includes": "images/*",
    }
    return [labels, images] if kind_named(export.kind).IN_FILES else [labels]


def _field(place: int, name: str, kind: str, words: str) -> dict[str, Any]:
    # Croissant's library takes no `@id` with a space in it.
    plain = re.sub(r"\s", "_", name)
    id_ = plain if plain == name != "" else f"{plain}-{place}"
    return {
        "@type": "cr:Field",
        "@id": f"labels/{id_}",
        "name": name,
        "description": words,
        "dataType": kind,
        "source": {"fileObject": {"@id": LABELS_FILE}, "extract": {"column": name}},
    }


FORMAT = Format(
    name="croissant",
    sentence="Croissant 1.1: labels, samples, and metadata with who, when and why",
    reads=reads,
    read=read,
    write=write,
    rows=rows,
    contents=True,
    holds=("flags", "annotators", "times", "lead times", "purposes"),
)
