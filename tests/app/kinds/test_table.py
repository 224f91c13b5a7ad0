from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.formats.errors import RefusedSampleError, SourceError
from app.formats.reading import Reading
from app.formats.registry import open_source
from app.formats.source import Entry
from app.kinds.table import MOST_AMONG_OTHERS, admit, columns, copy, load, show
from app.project.creation import make_project
from app.project.settings import ProjectSettings
from loops.embeddings.table_embedding import learn_columns
from storage.samples import SampleInfo


def given(**values: str) -> Entry:
    return Entry(Path(), "rows.csv:2", text=json.dumps(values))


def sample(**values: str) -> SampleInfo:
    return SampleInfo(7, "rows.csv:2", "0" * 64, 0, 0, "pool", None, 0.5, json.dumps(values))


def table(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("values", "reason"),
    [({"a": "", "b": " "}, "is empty"), ({"a": "x" * 100_001}, "is longer than"), ({"a": "x\0"}, "holds a NUL")],
)
def test_what_is_no_row_is_refused_with_a_sentence(values, reason):
    with pytest.raises(RefusedSampleError, match=reason):
        admit(given(**values))


def test_an_image_is_no_row(tmp_path):
    with pytest.raises(RefusedSampleError, match="is a file, and not a row"):
        admit(Entry(tmp_path, "a.png"))


def test_the_same_values_in_another_order_are_one_sample():
    assert admit(given(a="1", b="2")).sha256 == admit(given(b=" 2", a="1")).sha256
    assert admit(given(a="1", b="2")).sha256 != admit(given(a="2", b="1")).sha256


def test_a_row_is_all_columns_but_the_label(tmp_path):
    source = open_source(
        table(tmp_path / "r.csv", "age,city,label", '41,"Bonn, am Rhein",yes', "7,,"), uploads=tmp_path
    )
    assert (source.kind, source.class_names) == ("table", ("yes",))
    first, second = source.entries
    assert (first.name, load("", first.text)) == ("r.csv:2", {"age": "41", "city": "Bonn, am Rhein"})
    assert (second.class_name, load("", second.text)) == ("", {"age": "7", "city": ""})


def test_any_column_can_be_the_label_and_a_text_a_value(tmp_path):
    file = table(tmp_path / "r.csv", "text,stars", "good,5")
    source = open_source(file, uploads=tmp_path, reading=Reading(kind="table", label_column="stars"))
    assert [(entry.class_name, load("", entry.text)) for entry in source.entries] == [("5", {"text": "good"})]


def test_a_card_says_what_is_unusual_once_the_pool_was_looked_at(tmp_path):
    kept, facts = tmp_path / "thumbnails", tmp_path / "features" / "columns"
    before = show(sample(age="900"), large=True, kept=kept)
    assert before == {"kind": "table", "cells": [{"name": "age", "value": "900", "unusual": ""}], "left_out": 0}
    facts.mkdir(parents=True)
    (facts / "columns.json").write_text(json.dumps(learn_columns([{"age": str(number)} for number in range(100)])))
    assert show(sample(age="900"), large=True, kept=kept)["cells"][0]["unusual"] == "unusually high"


def test_among_others_a_wide_row_is_cut_and_says_by_how_much(tmp_path):
    wide = sample(**{f"column {number}": str(number) for number in range(MOST_AMONG_OTHERS + 3)})
    shown = show(wide, large=False, kept=tmp_path / "thumbnails")
    assert (len(shown["cells"]), shown["left_out"]) == (MOST_AMONG_OTHERS, 3)


def test_an_export_has_a_column_for_each_and_a_file_for_a_row():
    assert columns(sample(age="41", uri="x")) == {"age": "41", "uri_": "x"}
    assert (copy(sample(age="41")).name, copy(sample(age="41")).content) == ("rows.csv-2.json", b'{"age": "41"}')


def test_a_project_of_rows(tmp_path):
    pool = table(tmp_path / "pool.csv", "age,city,label", "1,Bonn,yes", "2,Ulm,no", "1,Bonn,no", ",,")
    made = make_project(tmp_path / "p", settings=ProjectSettings(name="rows"), classes=[], data=pool)
    assert made.pool.added == 2
    assert [(found.name, found.reason) for found in (*made.pool.refused, *made.pool.duplicates)] == [
        ("pool.csv:5", "is empty"),
        ("pool.csv:4", "is the same row as pool.csv:2"),
    ]


@pytest.mark.parametrize("header", ["file,label", "age;label", "label"])
def test_a_single_column_is_no_table_unless_a_person_says_so(header, tmp_path):
    file = table(tmp_path / "r.csv", header, ",".join("x" for _ in header.split(",")))
    with pytest.raises(SourceError, match="has no column `path`"):
        open_source(file, uploads=tmp_path)
    assert open_source(file, uploads=tmp_path, reading=Reading(kind="table")).kind == "table"
