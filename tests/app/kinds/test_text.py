from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from app.formats.errors import RefusedSampleError, SourceError
from app.formats.reading import Reading
from app.formats.registry import open_source
from app.formats.source import Entry
from app.kinds.text import MAX_CHARACTERS, SHOWN_AMONG_OTHERS, admit, copy, show
from app.project.creation import add_to_pool, make_project
from app.project.exporting import export
from app.project.settings import ProjectSettings
from storage.labels import record_decision
from storage.projects import get_or_create_annotator, kind_of_samples
from storage.samples import SampleInfo, list_samples

ACUTE = "\u0301"


def given(text: str) -> Entry:
    return Entry(Path(), "texts.csv:2", text=text)


def sample(text: str, uri: str = "texts.csv:2") -> SampleInfo:
    return SampleInfo(7, uri, "0" * 64, 0, 0, "pool", None, 0.5, text)


def table(path: Path, texts: list[str], labels: list[str] | None = None) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(zip(texts, labels or [""] * len(texts), strict=True))
    return path


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        (" \n\t ", "is empty"),
        ("a" * (MAX_CHARACTERS + 1), "is longer than 100,000 characters"),
        ("a\0b", "holds a NUL character, which no text does"),
        ("half \ud83d of a face", "holds half of a character"),
    ],
)
def test_what_is_no_text_is_refused_with_a_sentence(text, reason):
    with pytest.raises(RefusedSampleError, match=reason):
        admit(given(text))


@pytest.mark.parametrize(
    "text",
    [
        "a" * MAX_CHARACTERS,
        "مرحبا بالعالم",
        "今日は良い天気です",
        "👩‍👩‍👧",
        "\x07bell\x1b[31m",
        "<b>bold</b>",
        "=1+1",
        ".",
    ],
)
def test_every_script_and_every_length_up_to_the_limit_is_kept_as_it_came(text):
    assert admit(given(text)).content == text


@pytest.mark.parametrize(
    ("text", "same"), [(f"cafe{ACUTE}", "caf\u00e9"), ("one\r\ntwo", "one\ntwo"), ("  padded\n", "padded")]
)
def test_what_reads_the_same_is_one_sample(text, same):
    assert admit(given(text)).sha256 == admit(given(same)).sha256
    assert admit(given(text)).sha256 != admit(given(f"{same}.")).sha256


def test_a_file_is_a_text_too(tmp_path):
    (tmp_path / "good.txt").write_bytes(b"\xef\xbb\xbfhello")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\x00")
    assert admit(Entry(tmp_path, "good.txt")).content == "hello"
    with pytest.raises(RefusedSampleError, match="is not UTF-8 text"):
        admit(Entry(tmp_path, "bad.txt"))


def test_among_others_a_long_text_is_cut_and_says_by_how_much():
    shown = show(sample("a" * (SHOWN_AMONG_OTHERS + 12)), large=False, kept=Path())
    assert (len(shown["text"]), shown["left_out"]) == (SHOWN_AMONG_OTHERS, 12)
    assert show(sample("short"), large=True, kept=Path()) == {"kind": "text", "text": "short", "left_out": 0}


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("reviews.csv:17", "reviews.csv-17.txt"),
        ("/home/me/a.txt", "a.txt"),
        ("../../etc/passwd:1", "passwd-1.txt"),
        ("..", "text-7.txt"),
    ],
)
def test_a_copy_is_named_after_where_the_text_came_from(uri, name):
    assert (copy(sample("hello", uri)).name, copy(sample("hello", uri)).content) == (name, b"hello")


def test_the_rows_of_a_csv_file_are_texts_named_by_their_row(tmp_path):
    source = open_source(table(tmp_path / "r.csv", ["one", "two\nlines", "three"], ["a", "", "b"]), uploads=tmp_path)
    assert [(entry.name, entry.text, entry.class_name) for entry in source.entries] == [
        ("r.csv:2", "one", "a"),
        ("r.csv:3", "two\nlines", ""),
        ("r.csv:4", "three", "b"),
    ]
    assert (source.kind, source.class_names) == ("text", ("a", "b"))


def test_the_lines_of_a_jsonl_file_are_texts(tmp_path):
    lines = [{"text": "one", "label": "a"}, {"text": "two"}, {"label": 3, "text": "drei\u2028"}]
    (tmp_path / "r.jsonl").write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    source = open_source(tmp_path / "r.jsonl", uploads=tmp_path)
    assert [(entry.name, entry.text, entry.class_name) for entry in source.entries] == [
        ("r.jsonl:1", "one", "a"),
        ("r.jsonl:2", "two", ""),
        ("r.jsonl:3", "drei\u2028", "3"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[1]", "Line 1 of r.jsonl is no JSON object"),
        ('{"text": ', "cannot be read from line 1 on"),
        ('{"a": 1}', "has no column `path`|`text`"),
    ],
)
def test_a_jsonl_file_that_is_none_is_refused_as_a_whole(content, said, tmp_path):
    (tmp_path / "r.jsonl").write_text(content)
    with pytest.raises(SourceError, match=said):
        open_source(tmp_path / "r.jsonl", uploads=tmp_path, reading=Reading(kind="text"))


def test_a_column_that_is_not_there_is_named_beside_those_that_are(tmp_path):
    with pytest.raises(SourceError, match="has no column `body`: wanted body,label, found text, label"):
        open_source(table(tmp_path / "r.csv", ["one"]), uploads=tmp_path, reading=Reading(text_column="body"))


@pytest.fixture
def made(tmp_path):
    texts = ["good", "bad", "good ", "", "caf\u00e9", f"cafe{ACUTE}", "<i>fine</i>"]
    pool = table(tmp_path / "pool.csv", texts)
    test = table(tmp_path / "test.csv", ["bad", "very good"], ["no", "yes"])
    return make_project(tmp_path / "project", settings=ProjectSettings(name="texts"), classes=[], data=pool, test=test)


def test_a_project_of_texts_has_each_once_and_the_test_set_s_not_in_its_pool(made):
    assert made.pool.added == 3
    assert [(refused.name, refused.reason) for refused in made.pool.refused] == [("pool.csv:5", "is empty")]
    assert [(found.name, found.reason) for found in made.pool.duplicates] == [
        ("pool.csv:4", "is the same text as pool.csv:2"),
        ("pool.csv:7", "is the same text as pool.csv:6"),
        ("pool.csv:3", "is the same text as test.csv:2"),
    ]
    database = made.project.open_database()
    with database.read() as session:
        assert kind_of_samples(session, project_id=1) == "text"
        assert [found.content for found in list_samples(session, project_id=1, split="pool")] == [
            "good",
            "caf\u00e9",
            "<i>fine</i>",
        ]
    database.close()


def test_a_project_has_one_kind(made, tmp_path):
    (tmp_path / "more.csv").write_text("path\na.png\n")
    with pytest.raises(SourceError, match="has no column `text`"):
        add_to_pool(made.project, tmp_path / "more.csv")


@pytest.mark.parametrize("form", ["csv", "jsonl", "folders"])
def test_every_export_carries_the_texts(made, form, tmp_path):
    database = made.project.open_database()
    with database.write() as session:
        person = get_or_create_annotator(session, project_id=1, name="ada")
        [first, _, third] = list_samples(session, project_id=1, split="pool")
        for found, class_index in ((first, 1), (third, 0)):
            record_decision(
                session, project_id=1, sample_id=found.id, annotator_id=person, action="label",
                class_index=class_index, request_id=f"request-{found.id}",
            )  # fmt: skip
    out = tmp_path / "out"
    assert export(database, 1, form, out).labels == 2
    database.close()
    if form == "folders":
        assert (out / "yes" / "pool.csv-2.txt").read_text() == "good"
        assert (out / "no" / "pool.csv-8.txt").read_text() == "<i>fine</i>"
        return
    with (out / f"labels.{form}").open(newline="") as file:
        rows = list(csv.DictReader(file)) if form == "csv" else [json.loads(line) for line in file]
    assert [(row["uri"], row["text"], row["label"]) for row in rows] == [
        ("pool.csv:2", "good", "yes"),
        ("pool.csv:8", "<i>fine</i>", "no"),
    ]
