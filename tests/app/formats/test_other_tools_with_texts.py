"""Texts and rows as other tools write them, in the shapes their documentation and sources give."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from app.formats.errors import SourceError
from app.formats.reading import Reading
from app.formats.registry import open_source
from app.formats.source import Entry, Source

Lines = Sequence[Mapping[str, object]]
ReadAs = Callable[[Path, str, str], Source]


@pytest.fixture
def read(tmp_path: Path) -> ReadAs:
    def open_as(path: Path, format_: str, kind: str = "text") -> Source:
        source = open_source(path, uploads=tmp_path / "uploads")
        assert (source.format, source.kind) == (format_, kind)
        return source

    return open_as


def lines(path: Path, *rows: Mapping[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def told(source: Source) -> list[tuple[str | None, str]]:
    return [(entry.text, entry.class_name) for entry in source.entries]


def said(entry: Entry) -> list[tuple[str, str, str]]:
    return [(given.action, given.class_name, given.annotator) for given in entry.decisions]


HASHES = {"_input_hash": -1530009927, "_task_hash": -340967702}
OPTIONS = [{"id": "POS", "text": "positive"}, {"id": 2, "text": "negative"}]


def test_prodigy_with_a_choice_of_several_and_with_one_label_at_a_time(tmp_path, read):
    by = {"_session_id": "news-ann", "_annotator_id": "news-ann", "_timestamp": 1_700_000_000}
    path = lines(
        tmp_path / "db-out.jsonl",
        {"text": "Fine. Or not.", "options": OPTIONS, "accept": ["POS"], "answer": "accept", **HASHES, **by},
        {
            "text": "Fine. Or not.",
            "options": OPTIONS,
            "accept": [2],
            "answer": "accept",
            **HASHES,
            "_session_id": "eve",
        },
        {"text": "a.png", "label": "SPORT", "spans": [], "answer": "accept", "meta": {"score": 0.06}, **HASHES},
        {"text": "b", "label": "SPORT", "answer": "reject", **HASHES},
        {"text": "c", "options": OPTIONS, "accept": [], "answer": "ignore", **HASHES},
        {"text": "d", "options": OPTIONS, "accept": ["POS", 2], "answer": "accept", **HASHES},
        {"text": "", "answer": "accept", **HASHES},
    )
    source = read(path, "prodigy")
    assert [(entry.text, said(entry)) for entry in source.entries] == [
        ("Fine. Or not.", [("label", "positive", "news-ann"), ("label", "negative", "eve")]),
        ("a.png", [("label", "SPORT", "")]),
        ("b", []),
        ("c", [("skip", "", "")]),
        ("d", []),
        ("", []),
    ]
    assert source.entries[0].decisions[0].created_at is not None
    assert [note.split(" ")[:2] for note in source.notes] == [["1", "rejected"], ["1", "answers"]]


def test_a_list_with_answers_of_another_sort_is_none_of_prodigys(tmp_path, read):
    path = lines(tmp_path / "quiz.jsonl", {"question": "1+1?", "options": ["1", "2"], "answer": "2", "label": "sums"})
    [(row, label)] = told(read(path, "jsonl", "table"))
    assert (json.loads(row), label) == ({"question": "1+1?", "options": '["1", "2"]', "answer": "2"}, "sums")


@pytest.mark.parametrize("ending", ["jsonl", "json"])
def test_doccano_examples_of_one_person(tmp_path, read, ending):
    examples = [
        {"id": 1, "text": "Great price.", "page": 3, "label": ["pos"], "Comments": []},
        {"id": 2, "text": "Great price.", "label": ["pos"], "Comments": ["twice"]},
        {"id": 3, "text": "Both", "label": ["neg", "pos"], "Comments": []},
        {"id": 4, "text": "", "label": [], "Comments": []},
    ]
    path = lines(tmp_path / "ann.jsonl", *examples)
    if ending == "json":
        path = path.with_name("ann.json")
        path.write_text(json.dumps(examples))
    source = read(path, "doccano")
    assert told(source) == [("Great price.", "pos"), ("Great price.", "pos"), ("Both", ""), ("", "")]
    assert said(source.entries[0]) == [("label", "pos", "ann")]
    assert source.notes == ("1 examples have more than one label; they come in without one.",)


def test_doccano_csv_with_and_without_columns_of_the_person_and_as_it_once_was(tmp_path, read):
    path = tmp_path / "all.csv"
    path.write_text('id,text,page,label,Comments\n1,"a, b",3,pos,\n2,"c\nd",,neg#pos,odd\n')
    source = read(path, "doccano")
    assert told(source) == [("a, b", "pos"), ("c\nd", "")]
    assert source.notes == ("1 examples have more than one label; they come in without one.",)
    path.write_text("id,data,label\n1,Fine.,pos\n")
    assert told(read(path, "doccano")) == [("Fine.", "pos")]
    path.write_text("text,label\nFine.,pos#1\n")  # what doccano takes, and everybody has
    assert told(read(path, "csv")) == [("Fine.", "pos#1")]


def test_doccano_labels_of_parts_of_texts_are_no_labels_of_texts(tmp_path, read):
    path = lines(tmp_path / "all.jsonl", {"id": 1, "text": "EU rejects", "label": [[0, 2, "ORG"]], "Comments": []})
    source = read(path, "doccano")
    assert told(source) == [("EU rejects", "")]
    assert source.notes == ("1 examples have labels of parts of their text; they come in without one.",)


def test_who_names_a_column_has_it_read_from_a_list_that_looks_like_a_tools(tmp_path):
    path = lines(tmp_path / "all.jsonl", {"text": "a", "title": "A", "label": ["x"]})
    source = open_source(path, uploads=tmp_path, reading=Reading(text_column="title"))
    assert (source.format, told(source)) == ("jsonl", [("A", "x")])


def argilla(fields: Mapping[str, object], **more: object) -> dict[str, object]:
    whole = {"metadata": {}, "responses": {}, "suggestions": {}, "vectors": {}, "_server_id": "x"}
    return {"id": "1", "status": "pending", "fields": fields, **whole, **more}


def test_argilla_records_of_texts(tmp_path, read):
    by = {"user_id": "4c0b7d6e"}
    answers = [{"value": "pos", **by}, {"value": None, "user_id": "eve", "status": "discarded"}]
    records = [
        argilla(
            {"text": "Fine.png"},
            status="completed",
            responses={"label": answers},
            suggestions={"label": {"value": "neg", "score": 0.25, "agent": "m"}},
        ),
        argilla({"text": "Draft"}, responses={"label": [{"value": "pos", "status": "draft", **by}]}),
        argilla({"text": None}),
    ]
    (tmp_path / "records.json").write_text(json.dumps(records))
    source = read(tmp_path / "records.json", "argilla")
    first, second = source.entries
    assert (first.text, said(first)) == ("Fine.png", [("label", "pos", "4c0b7d6e"), ("skip", "", "eve")])
    assert [(one.class_name, one.probability, one.model_version) for one in first.predictions] == [("neg", 0.25, "m")]
    assert (second.text, said(second)) == ("Draft", [])
    assert [(refused.name, refused.reason) for refused in source.refused] == [("records.json:3", "has no text")]


@pytest.mark.parametrize("fields", [{"prompt": "a", "reply": "b"}, {"row": {"prompt": "a", "reply": "b"}}])
def test_argilla_records_with_several_fields_or_a_custom_one_are_rows(tmp_path, read, fields):
    (tmp_path / "records.json").write_text(json.dumps([argilla(fields)]))
    [(row, _)] = told(read(tmp_path / "records.json", "argilla", "table"))
    assert json.loads(row or "") == {"prompt": "a", "reply": "b"}


def test_argilla_records_with_one_field_of_another_name_are_texts(tmp_path, read):
    (tmp_path / "records.json").write_text(json.dumps([argilla({"review": "Fine."})]))
    assert told(read(tmp_path / "records.json", "argilla")) == [("Fine.", "")]


FEATURES = {"text": {"dtype": "string", "_type": "Value"}, "label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}


def labeled_texts() -> pa.Table:
    table = pa.table({"text": ["a", "b", "c"], "label": [1, 0, -1]})
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})})


def test_hugging_face_classes_are_called_by_their_names_and_minus_one_is_no_label(tmp_path, read):
    wanted = [("a", "pos"), ("b", "neg"), ("c", "")]
    pq.write_table(labeled_texts(), tmp_path / "texts.parquet")
    assert told(read(tmp_path / "texts.parquet", "hugging-face")) == wanted
    saved = tmp_path / "saved" / "train"
    saved.mkdir(parents=True)
    (saved.parent / "dataset_dict.json").write_text('{"splits": ["train"]}')
    (saved / "state.json").write_text("{}")
    with ipc.new_stream(saved / "data-00000-of-00001.arrow", labeled_texts().schema) as stream:
        stream.write_table(labeled_texts())
    assert told(read(saved, "hugging-face")) == wanted
    assert told(read(saved.parent, "hugging-face")) == wanted


def test_hugging_face_texts_in_a_column_of_another_name_are_told_how_to_be_named(tmp_path):
    table = labeled_texts().rename_columns(["sentence", "label"])
    pq.write_table(table, tmp_path / "texts.parquet")
    with pytest.raises(SourceError, match=r"found sentence, label\..* name their column \(--text-column NAME\)"):
        open_source(tmp_path / "texts.parquet", uploads=tmp_path / "up")
    found = open_source(tmp_path / "texts.parquet", uploads=tmp_path / "up", reading=Reading(text_column="sentence"))
    assert [entry.text for entry in found.entries] == ["a", "b", "c"]


def test_hugging_face_folders_of_tables_with_a_file_per_split(tmp_path, read):
    hub = tmp_path / "hub"
    (hub / "data").mkdir(parents=True)
    (hub / "README.md").write_text("---\nlicense: mit\n---\n")
    (hub / ".gitattributes").write_text("")
    pq.write_table(labeled_texts(), hub / "data" / "train-00000-of-00001.parquet")
    lines(hub / "data" / "test.jsonl", {"text": "d"})
    assert told(read(hub, "hugging-face")) == [("d", ""), ("a", "pos"), ("b", "neg"), ("c", "")]
    flat = tmp_path / "flat"
    flat.mkdir()
    (flat / "train.csv").write_text("age,sex,label\n40,f,x\n")
    (flat / "validation.csv").write_text("age,sex,label\n41,m,y\n")
    (flat / "notes.csv").write_text("of,no\nuse,here\n")
    found = told(read(flat, "hugging-face", "table"))
    assert found == [('{"age": "40", "sex": "f"}', "x"), ('{"age": "41", "sex": "m"}', "y")]


def test_a_folder_of_images_with_a_table_called_as_a_split_stays_a_folder(tmp_path, painter):
    (tmp_path / "in" / "cat").mkdir(parents=True)
    (tmp_path / "in" / "cat" / "a.png").write_bytes(painter.encoded())
    (tmp_path / "in" / "train.csv").write_text("text,label\nx,cat\n")
    assert open_source(tmp_path / "in", uploads=tmp_path).format == "folders"


def test_croissant_of_somebody_else_with_texts_in_its_csv_or_in_itself(tmp_path, read):
    (tmp_path / "sentences.csv").write_text("sentence,mood,more\nFine.,pos,1\n")

    def field(name: str, column: str) -> dict[str, object]:
        return {"name": name, "source": {"fileObject": {"@id": "the-csv"}, "extract": {"column": column}}}

    splits = {"dataType": ["cr:Split"], "field": [], "data": [{"splits/name": "train"}]}
    classes = {"dataType": "sc:Enumeration", "field": [], "data": [{"classes/label": "pos"}]}
    metadata = {
        "distribution": [{"@id": "the-csv", "contentUrl": "sentences.csv"}],
        "recordSet": [splits, classes, {"field": [field("all/text", "sentence"), field("all/label", "mood")]}],
    }
    (tmp_path / "meta.json").write_text(json.dumps(metadata))
    assert told(read(tmp_path / "meta.json", "croissant")) == [("Fine.", "pos")]
    inline = {"recordSet": [splits, {"field": [], "data": [{"r/text": "Fine.", "r/label": "pos"}]}]}
    (tmp_path / "inline.json").write_text(json.dumps(inline))
    assert told(read(tmp_path / "inline.json", "croissant")) == [("Fine.", "pos")]


NOTHING = [
    ("a.jsonl", [{"audio": "a.wav", "answer": "accept"}], "tasks with image, text or row"),
    ("b.json", [argilla({"chat": [{"role": "user"}]})], "records with fields that are texts, rows or images"),
    ("c.jsonl", [{"id": 1, "text": None, "label": []}], "examples with filename or text"),
    ("d.json", [{"data": {"audio": 1}}], "tasks with data.image, data.text or data.row"),
]


@pytest.mark.parametrize(("name", "rows", "wanted"), NOTHING)
def test_a_list_without_anything_that_can_be_labeled_is_refused_in_one_sentence(tmp_path, name, rows, wanted):
    (tmp_path / name).write_text(json.dumps(rows if name.endswith(".json") else rows[0]))
    with pytest.raises(SourceError) as refused:
        open_source(tmp_path / name, uploads=tmp_path)
    assert str(refused.value) == f"{name} holds nothing that can be labeled: wanted {wanted}."
