"""LightlyStudio's classification CSV: one row per annotation, `file_path_abs,class_name,confidence,annotation_source`.

A row with a confidence is a model's answer; one without is what the person or group named as its source said.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.formats.csv_file import read_rows, write_table
from app.formats.export import Export, ExportedSample, Row, Written
from app.formats.format import Format
from app.formats.rows import number, placed
from app.formats.source import Decision, Entry, Prediction, Source

ANNOTATIONS_FILE = "classifications.csv"
COLUMNS = ("file_path_abs", "class_name", "confidence", "annotation_source")


def reads(path: Path) -> bool:
    """A CSV with its columns, or the folder of an export of ours."""
    if path.is_dir():
        return (path / ANNOTATIONS_FILE).is_file()
    if path.suffix.lower() != ".csv":
        return False
    with path.open("rb") as file:
        return file.readline(500).strip().removeprefix(b"\xef\xbb\xbf") == ",".join(COLUMNS).encode()


def read(path: Path, _uploads: Path) -> Source:
    """Read annotations.

    Raises:
        SourceError: it is no CSV.
    """
    manifest = path / ANNOTATIONS_FILE if path.is_dir() else path
    files: dict[str, list[dict[str, str]]] = {}
    for row in read_rows(manifest, files=COLUMNS[:1]):
        files.setdefault(row["file_path_abs"], []).append(row)
    root = manifest.parent.resolve()
    return placed(root, [(name, _entry(rows, root)) for name, rows in files.items()])


def _entry(rows: list[dict[str, str]], root: Path) -> Entry:
    said = [row for row in rows if number(row["confidence"]) is None]
    told = [row for row in rows if number(row["confidence"]) is not None]
    return Entry(
        root,
        "",
        said[-1]["class_name"] if said else "",
        decisions=tuple(Decision("label", row["class_name"], row["annotation_source"]) for row in said),
        predictions=tuple(
            Prediction(row["class_name"], number(row["confidence"]), row["annotation_source"]) for row in told
        ),
    )


def write(export: Export, folder: Path) -> Written:
    """Write the annotations; the images stay where they are."""
    write_table(folder / ANNOTATIONS_FILE, COLUMNS, (row for sample in export.samples for row in _rows(sample)))
    return Written(folder, len(export.labeled), 0)


def _rows(sample: ExportedSample) -> Iterator[Row]:
    for given in sample.decisions:
        if given.action == "label":
            yield dict(zip(COLUMNS, (sample.uri, given.class_name, None, given.annotator), strict=True))
    for told in sample.predictions:
        confidence = 0.0 if told.probability is None else told.probability
        yield dict(zip(COLUMNS, (sample.uri, told.class_name, confidence, told.model_version), strict=True))


FORMAT = Format(
    name="lightly",
    sentence="LightlyStudio: classification CSV, a row per annotation",
    reads=reads,
    read=read,
    write=write,
    holds=("votes", "annotators", "predictions"),
)
