"""Files as other tools write them, in the shapes their documentation and sources give."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.formats import label_studio
from app.formats.errors import SourceError
from app.formats.export import Export, ExportedSample
from app.formats.registry import open_source
from app.formats.source import Decision, Entry, Source

Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path, painter) -> Put:
    def write(name: str, content: object = None) -> Path:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.write_bytes(painter.encoded())
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Path, str], Source]:
    def open_as(path: Path, format_: str) -> Source:
        source = open_source(path, uploads=tmp_path / "uploads")
        assert source.format == format_
        assert all(entry.path.is_file() for entry in source.entries)
        return source

    return open_as


def said(entry: Entry) -> list[tuple[str, str, str]]:
    return [(given.action, given.class_name, given.annotator) for given in entry.decisions]


def result(*names: str) -> list[dict[str, object]]:
    return [{"from_name": "animal", "to_name": "photo", "type": "choices", "value": {"choices": list(names)}}]


SKIPPED = {"was_cancelled": True, "completed_by": 2, "result": []}


def test_label_studio_with_a_config_of_its_own_names(put, read):
    put("a.png"), put("b.png"), put("c d.png"), put("e.png")
    tasks = [
        {
            "id": 1,
            "data": {"photo": "/data/local-files/?d=a.png"},
            "annotations": [
                {
                    "completed_by": {"email": "bob@x", "id": 2},
                    "result": result("cat"),
                    "created_at": "2026-01-02T10:00:00Z",
                }
            ],
            "predictions": [{"model_version": "m", "score": 0.5, "result": result("dog")}],
        },
        {
            "data": {"photo": "/data/upload/7/0a1b2c3d-b.png"},
            "annotations": [{"was_cancelled": True, "completed_by": 2}],
        },
        {"data": {"photo": "/data/local-files/?d=c%20d.png"}, "annotations": [{"result": result("cat", "dog")}]},
        {"data": {"photo": "e.png"}, "predictions": [3, 82]},  # as Label Studio exports them
        {"data": {"photo": "https://host/x.png"}},
    ]
    source = read(put("export.json", tasks), "label-studio")
    assert [entry.name for entry in source.entries] == ["a.png", "b.png", "c d.png", "e.png"]
    assert [said(entry) for entry in source.entries] == [[("label", "cat", "bob@x")], [("skip", "", "2")], [], []]
    assert [told.class_name for told in source.entries[0].predictions] == ["dog"]
    assert "lies on the web" in source.refused[0].reason
    assert source.notes == ("1 tasks have more than one choice; they come in without a label.",)


def test_label_studio_is_given_no_names_that_it_does_not_know(put, tmp_path):
    """It refuses a whole file for one `completed_by` that is no user's email."""
    path = put("a.png")
    given = Decision("label", "cat", annotator="ada lovelace")
    sample = ExportedSample(1, str(path), hashlib.sha256(path.read_bytes()).hexdigest(), 8, 8, (given,))
    label_studio.write(Export("p", ("cat",), (sample,)), tmp_path)
    [task] = json.loads((tmp_path / "tasks.json").read_text())
    [annotation] = task["annotations"]
    assert (annotation["annotator"], "completed_by" in annotation) == ("ada lovelace", False)


def test_label_studio_json_min(put, read):
    put("a.png")
    lines = [
        {
            "image": "/data/local-files/?d=a.png",
            "id": 1,
            "animal": "cat",
            "annotator": 3,
            "annotation_id": 9,
            "created_at": "2026-01-02T10:00:00Z",
            "updated_at": "2026-01-02T10:00:00Z",
            "lead_time": 2.5,
        }
    ]
    (entry,) = read(put("min.json", lines), "label-studio").entries
    assert said(entry) == [("label", "cat", "3")]
    assert entry.decisions[0].lead_time_s == 2.5


def test_hugging_face_metadata_per_split_keeps_classes_with_the_names_of_splits(put, read):
    put("train/1.png"), put("test/2.png")
    put("train/metadata.jsonl", '{"file_name": "1.png", "label": "bullet train"}\n')
    put("test/metadata.csv", "file_name,label\n2.png,valid\n")
    source = read(put("README.md", "words").parent, "hugging-face")
    assert sorted((entry.name, entry.class_name) for entry in source.entries) == [
        ("test/2.png", "valid"),
        ("train/1.png", "bullet train"),
    ]


def test_hugging_face_parquet_with_bytes_and_numbered_classes(put, painter, read, tmp_path):
    images = [{"bytes": painter.encoded(), "path": f"../../{number}.png"} for number in range(3)]
    features = {"info": {"features": {"label": {"names": ["valid", "broken"], "_type": "ClassLabel"}}}}
    table = pa.table({"image": images, "label": [0, 1, 1]})
    table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
    pq.write_table(table, tmp_path / "images.parquet")
    source = read(tmp_path / "images.parquet", "hugging-face")
    assert [entry.class_name for entry in source.entries] == ["valid", "broken", "broken"]
    assert all(entry.path.resolve().is_relative_to(tmp_path / "uploads") for entry in source.entries)
    assert [entry.path.read_bytes() for entry in source.entries] == [image["bytes"] for image in images]


OPTIONS = [{"id": 7, "text": "cat"}]


def test_prodigy_with_images_inside_its_lines(put, read, painter):
    inside = "data:image/png;base64," + base64.b64encode(painter.encoded()).decode()
    put("a.png")
    lines = [
        {
            "image": inside,
            "options": [{"id": 7, "text": "cat"}],
            "accept": [7],
            "answer": "accept",
            "_annotator_id": "bob",
        },
        {"image": "a.png", "label": "dog", "answer": "accept", "_session_id": "s-ann", "_timestamp": 1_700_000_000},
        {"image": "a.png", "label": "cat", "answer": "reject", "_session_id": "s-eve"},
        {"image": "a.png", "answer": "ignore", "_session_id": "s-eve"},
    ]
    source = read(put("p.jsonl", "".join(json.dumps(line) + "\n" for line in lines)), "prodigy")
    assert [said(entry) for entry in source.entries] == [
        [("label", "cat", "bob")],
        [("label", "dog", "s-ann"), ("skip", "", "s-eve")],
    ]
    assert source.notes[0].startswith("1 rejected answers come in without a label")


def test_doccano_lines_of_one_person_and_its_csv(put, read):
    put("cat.png"), put("dog.png")
    lines = [{"id": 1, "filename": "cat.png", "label": ["cat"], "Comments": []}, {"filename": "dog.png", "label": []}]
    source = read(put("ann.jsonl", "".join(json.dumps(line) + "\n" for line in lines)), "doccano")
    assert [said(entry) for entry in source.entries] == [[("label", "cat", "ann")], []]
    source = read(put("all.csv", "id,data,label\n1,cat.png,cat\n2,dog.png,cat#dog\n"), "doccano")
    assert [entry.class_name for entry in source.entries] == ["cat", ""]
    assert source.notes == ("1 examples have more than one label; they come in without one.",)


def test_argilla_records(put, read):
    put("a.png"), put("b.png")
    records = [
        {
            "id": "1",
            "status": "completed",
            "fields": {"image": "a.png"},
            "metadata": {},
            "suggestions": {"label": {"value": "dog", "score": 0.25, "agent": "m"}},
            "responses": {
                "label": [{"value": "cat", "user_id": "u1"}, {"value": "dog", "user_id": "u2", "status": "draft"}]
            },
            "vectors": {},
        },
        {"id": "2", "fields": {"image": "b.png"}, "responses": {}, "suggestions": {}},
    ]
    source = read(put("records.json", records), "argilla")
    assert [said(entry) for entry in source.entries] == [[("label", "cat", "u1")], []]
    assert [(t.class_name, t.probability, t.model_version) for t in source.entries[0].predictions] == [
        ("dog", 0.25, "m")
    ]


def test_fiftyone_with_numbers_for_classes_and_as_a_tree(put, read, tmp_path):
    put("data/a.png"), put("data/sub/b.png")
    put("labels.json", {"classes": ["cat", "dog"], "labels": {"a": 1, "sub/b": "cat"}})
    source = read(tmp_path / "in", "fiftyone")
    assert sorted((entry.name, entry.class_name) for entry in source.entries) == [
        ("data/a.png", "dog"),
        ("data/sub/b.png", "cat"),
    ]
    (tmp_path / "in" / "labels.json").unlink()
    put("data/_unlabeled/c.png")
    source = read(tmp_path / "in" / "data", "fiftyone")
    assert [(entry.name, entry.class_name) for entry in source.entries] == [
        ("a.png", ""),
        ("_unlabeled/c.png", ""),
        ("sub/b.png", "sub"),
    ]


def test_coco_with_boxes_of_one_class_and_of_several(put, read):
    put("a.png"), put("b.png"), put("c.png")
    content = {
        "images": [{"id": number, "file_name": name} for number, name in ((1, "a.png"), (2, "b.png"), (3, "c.png"))],
        "categories": [{"id": 18, "name": "dog"}, {"id": 17, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 18, "bbox": [0, 0, 2, 2]},
            {"id": 2, "image_id": 1, "category_id": 18, "bbox": [2, 2, 2, 2]},
            {"id": 3, "image_id": 2, "category_id": 18, "bbox": [0, 0, 2, 2]},
            {"id": 4, "image_id": 2, "category_id": 17, "bbox": [0, 0, 2, 2]},
            {"id": 5, "image_id": 3, "category_id": 17},
        ],
    }
    source = read(put("instances.json", content), "coco")
    assert [entry.class_name for entry in source.entries] == ["dog", "", "cat"]
    assert source.notes == ("1 images have annotations of several categories; they come in without a label.",)


def test_lightly_rows_with_and_without_confidence(put, read, tmp_path):
    put("a.png")
    rows = "file_path_abs,class_name,confidence,annotation_source\n/x/a.png,cat,,ground_truth\n/x/a.png,dog,0.5,m\n"
    (entry,) = read(put("classifications.csv", rows), "lightly").entries
    assert entry.path == tmp_path / "in" / "a.png"
    assert entry.decisions == (Decision("label", "cat", "ground_truth"),)
    assert [(told.class_name, told.probability) for told in entry.predictions] == [("dog", 0.5)]


def test_croissant_of_somebody_else_by_its_csv_or_its_records(put, read, tmp_path):
    put("a.png")
    put("labels.csv", "filename,label\na.png,cat\n")
    field = {"fileObject": {"@id": "the-csv"}, "extract": {"column": "filename"}}
    metadata = {
        "@type": "sc:Dataset",
        "distribution": [{"@type": "cr:FileObject", "@id": "the-csv", "contentUrl": "labels.csv"}],
        "recordSet": [
            {"field": [{"name": "records/filename", "source": field}, {"name": "records/label", "source": field}]}
        ],
    }
    source = read(put("meta.json", metadata), "croissant")
    assert [(entry.name, entry.class_name) for entry in source.entries] == [("a.png", "cat")]
    inline = {"recordSet": [{"field": [], "data": [{"r/file_name": "a.png", "r/label": "dog"}]}]}
    source = read(put("inline.json", inline), "croissant")
    assert [(entry.name, entry.class_name) for entry in source.entries] == [("a.png", "dog")]


NONSENSE = [
    b"", b"{", b"[]", b"{}\n", b"[1, 2]", b"\x00\xff\xfe", b'{"a": ' * 5000, b"PAR1PAR1",
    b'[{"data": {"image": "a.png"}, "annotations": "none"}]', b'[{"data": {"image": "a.png"}, "predictions": [1]}]',
    b'{"images": [1], "categories": [2], "annotations": [3]}', b'{"recordSet": [1]}', b'{"recordSet": {"a": 1}}',
    b'[{"fields": {"image": "a.png"}, "responses": [1]}]', b'{"image": "a.png", "answer": "accept", "accept": [[]]}\n',
    b'{"filename": 1, "label": [[]]}\n',
]  # fmt: skip


@pytest.mark.parametrize("name", ["x.json", "x.jsonl", "x.parquet", "x.csv"])
@pytest.mark.parametrize("content", NONSENSE)
def test_no_content_of_a_list_ends_in_anything_but_a_sentence(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with contextlib.suppress(SourceError):
        open_source(tmp_path / name, uploads=tmp_path / "uploads")
