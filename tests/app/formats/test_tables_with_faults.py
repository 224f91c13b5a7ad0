"""What is amiss in a table is said, and costs the rows it is amiss in; no value is dropped without a word."""

from __future__ import annotations

import json
from functools import partial

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.errors import UsageError
from app.formats.errors import SourceError
from app.formats.reading import Reading
from app.formats.registry import open_source
from app.project.creation import make_project
from app.project.settings import ProjectSettings


@pytest.fixture
def opened(tmp_path):
    def read(content: bytes):
        path = tmp_path / "t.csv"
        path.write_bytes(content)
        return open_source(path, uploads=tmp_path)

    return read


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x,y,x,label\n1,2,3,a\n", "t.csv has more than one column `x`; give each a name of its own."),
        (b"x,label,y,label\n1,a,2,b\n", "t.csv has more than one column `label`; give each a name of its own."),
        (
            b"1,2,1\n3,4,5\n",
            "t.csv has more than one column `1`; give each a name of its own. Is its first line a row? "
            "Put the names of its columns above it.",
        ),
        ("x,label\n1,a\n".encode("utf-16-le"), "t.csv is not UTF-8 text; save it as CSV UTF-8."),
        (b"", "t.csv is empty."),
        (b"x,y,label\n", "t.csv has a header and no row below it."),
        ("x,y\n1,größe\n".encode("cp1252"), "t.csv is not UTF-8 text; save it as CSV UTF-8."),
    ],
)
def test_a_table_that_cannot_be_read_says_why_and_not_that_classes_are_missing(opened, tmp_path, content, said):
    with pytest.raises(SourceError) as refused:
        opened(content)
    assert str(refused.value) == said
    with pytest.raises(SourceError) as refused:
        open_source(tmp_path / "t.csv", uploads=tmp_path, reading=Reading("table"))  # as for a project that has a kind
    assert str(refused.value) == said
    with pytest.raises(SourceError) as refused:
        make_project(tmp_path / "p", settings=ProjectSettings(name="p"), data=tmp_path / "t.csv")
    assert str(refused.value) == said


def test_a_table_that_names_no_two_classes_asks_for_them(opened, tmp_path):
    opened(b"x,y\n1,2\n")
    with pytest.raises(UsageError, match="Give the classes"):
        make_project(tmp_path / "p", settings=ProjectSettings(name="p"), data=tmp_path / "t.csv")


def test_a_row_with_more_values_than_columns_is_refused_and_empty_ones_are_none(opened):
    source = opened(b"x,y,label\nlast, first,2,a\n3,4,b,,\n5\n")
    assert [(one.name, one.reason) for one in source.refused] == [
        ("t.csv:2", "has 4 values for 3 columns; is a quote missing?")
    ]
    assert [json.loads(entry.text) for entry in source.entries] == [{"x": "3", "y": "4"}, {"x": "5", "y": ""}]


def test_a_text_of_a_million_characters_costs_no_other(opened):
    source = opened(b"text,label\n" + b"x" * 1_000_000 + b",a\nshort,b\n")
    assert [len(entry.text) for entry in source.entries] == [1_000_000, 5]


def test_a_file_name_of_a_million_characters_is_refused_by_itself(tmp_path, painter):
    (tmp_path / "a.png").write_bytes(painter.encoded())
    (tmp_path / "t.csv").write_text("path,label\n" + "x" * 1_000_000 + ",a\na.png,b\n")
    made = make_project(tmp_path / "p", settings=ProjectSettings(name="p"), data=tmp_path / "t.csv")
    assert (made.pool.added, len(made.pool.refused)) == (1, 1)


def test_columns_without_a_name_keep_their_values(opened):
    (entry,) = opened(b",x,,label\n1,2,3,a\n").entries
    assert json.loads(entry.text) == {"": "1", "x": "2", "column 3": "3"}


@pytest.mark.parametrize(
    ("header", "notes"),
    [("5.1,3.5,setosa", 1), ("17,4,1", 1), ("2023,2024,2025", 0), ("2023,9,label", 0), ("x,y,label", 0)],
)
def test_a_first_line_that_is_no_header_is_said(opened, header, notes):
    assert len(opened(f"{header}\n4.9,3,setosa\n".encode()).notes) == notes


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_what_spreadsheets_save_as_unicode_text_is_read(opened, encoding):
    (entry,) = opened("größe\tfarbe\tlabel\n1\trot\tja\n".encode(encoding)).entries
    assert (json.loads(entry.text), entry.class_name) == ({"größe": "1", "farbe": "rot"}, "ja")


def test_a_label_that_is_not_a_number_or_an_empty_list_is_none_and_several_are_said(tmp_path):
    path = tmp_path / "t.jsonl"
    labels = ("NaN", "[]", "null", '["a"]', '["a", "b"]', '"NaN"')
    path.write_text("".join(f'{{"text": "t{at}", "label": {label}}}\n' for at, label in enumerate(labels)))
    source = open_source(path, uploads=tmp_path)
    assert [entry.class_name for entry in source.entries] == ["", "", "", "a", "", "NaN"]
    assert source.notes == ("1 of the rows have more than one label; they come in without one.",)


def test_a_data_frames_missing_values_are_missing(tmp_path):
    nan = float("nan")
    pq.write_table(pa.table({"x": [1.5, nan], "y": ["u", "v"], "label": [nan, 2.5]}), tmp_path / "t.parquet")
    source = open_source(tmp_path / "t.parquet", uploads=tmp_path)
    assert [json.loads(entry.text) for entry in source.entries] == [{"x": "1.5", "y": "u"}, {"x": "", "y": "v"}]
    assert [entry.class_name for entry in source.entries] == ["", "2.5"]


def test_a_manifests_label_that_is_not_a_number_is_none(tmp_path, painter):
    (tmp_path / "a.png").write_bytes(painter.encoded())
    (tmp_path / "t.jsonl").write_text('{"path": "a.png", "label": NaN}\n')
    assert [entry.class_name for entry in open_source(tmp_path / "t.jsonl", uploads=tmp_path).entries] == [""]


@pytest.mark.parametrize("column", ["path", "text"])
def test_a_label_is_written_alike_whatever_it_is_of(tmp_path, painter, column):
    given = ("true", "2.0", "[2.0]", '["a", "b"]')
    for at in range(4):
        (tmp_path / f"{at}.png").write_bytes(painter.encoded())
    lines = (f'{{"{column}": "{at}.png", "label": {label}}}\n' for at, label in enumerate(given))
    (tmp_path / "t.jsonl").write_text("".join(lines))
    source = open_source(tmp_path / "t.jsonl", uploads=tmp_path)
    assert [entry.class_name for entry in source.entries] == ["true", "2", "2", ""]
    assert source.notes == ("1 of the rows have more than one label; they come in without one.",)


@pytest.mark.parametrize("name", ["t.parquet", "t.jsonl"])
def test_classes_that_are_whole_numbers_stay_so_where_one_is_missing(tmp_path, name, painter):
    """Data frames make fractions of a column of whole numbers as soon as one is missing."""
    frame = pd.DataFrame({"text": ["u", "v", "w"], "label": [0, None, 1]})
    for of in ("text", "path"):
        path = tmp_path / of / name
        path.parent.mkdir()
        for picture in "uvw":
            (path.parent / picture).write_bytes(painter.encoded())
        given = frame.rename(columns={"text": of})
        given.to_parquet(path) if name == "t.parquet" else given.to_json(path, orient="records", lines=True)
        assert [entry.class_name for entry in open_source(path, uploads=tmp_path).entries] == ["0", "", "1"]


@pytest.mark.parametrize(("new_names", "notes"), [({}, 1), ({"NA": ""}, 0)])
def test_a_class_that_is_called_as_a_missing_label_is_said(opened, tmp_path, new_names, notes):
    opened(b"x,y,label\n1,2,a\n3,4,NA\n5,6,b\n7,8,NA\n")
    data, settings = tmp_path / "t.csv", ProjectSettings(name="p")
    made = make_project(tmp_path / "p", settings=settings, data=data, labeled=True, new_names=new_names)
    assert [note.partition(",")[0] for note in made.pool.notes] == ["The class NA"] * notes
    assert made.pool.taken.labels == (4 if notes else 2)


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_a_column_of_texts_that_is_called_otherwise_is_told_how_to_be_named(tmp_path, name):
    frame = pd.DataFrame({"sentence": ["fine", "awful"], "label": ["a", "b"]})
    path = tmp_path / name
    {"t.csv": partial(frame.to_csv, index=False), "t.parquet": frame.to_parquet}.get(
        name, partial(frame.to_json, orient="records", lines=True)
    )(path)
    with pytest.raises(SourceError, match=r"found sentence, label\..* name their column \(--text-column NAME\)"):
        open_source(path, uploads=tmp_path)
    found = open_source(path, uploads=tmp_path, reading=Reading(text_column="sentence"))
    assert [entry.text for entry in found.entries] == ["fine", "awful"]


@pytest.mark.parametrize(
    ("content", "is_like_a_row"),
    [
        (b"1,2,3\n4,5,6\n", True),
        (b"1,2,cat\n3,4,dog\n5,6,cat\n", True),  # another cat is in its column
        (b"7\n8\n", True),
        (b",0,1\n0,4,5\n1,6,7\n", False),  # a data frame's, without names
        (b"country,2019,2020\nde,1,2\n", False),
        (b"x,label\n1,a\nx,label\n", False),
        (b"red,round,apple\ngreen,long,pear\nred,long,plum\nred,round,apple\n", False),  # apple in the same line only
        (b"red,round,apple\ngreen,long,pear\nred,long,apple\ngreen,round,pear\n", True),
        (b"It was a great film indeed,good\nNever again,bad\nVery much liked by me,good\n", True),
        (b"red\ngreen\nred\n", False),  # a column alone: a list with its name repeated looks the same
    ],
)
def test_a_first_line_of_values_does_not_become_the_names_of_columns_without_a_word(tmp_path, content, is_like_a_row):
    assert says_that_it_looks_like_a_row(tmp_path / "t.csv", content) == is_like_a_row


@pytest.mark.parametrize(
    "content",
    [
        "name,other\nBob,other\nAnn,none\n",
        "yes,no,other\n1,0,other\n0,1,\n",
        "color,shape,kind\nred,round,apple\ncolor,shape,kind\ngreen,long,pear\n",  # two lists put together
        "question,answer\nquestion,who\nwhy,then\n",
        "Timestamp,How satisfied are you with our service?,Other\n1.2.,Very,Other\n2.2.,Other,None\n",
        "Do you own a cat or dog?,Which one\nyes,cat\nno,\n",
        "male,female\nmale,12\nmale,14\n",
        "species,island,sex\nAdelie,Biscoe,male\nGentoo,Dream,sex\n",
        "word,tag,lemma\nword,NN,word\ntag,NN,tag\n",
        "Name;Vorname;Ort\nName;Hans;Ort\n",
        "title,genre\nDrama,drama\ngenre,genre\n",
        "class,order,family\nclass,Carnivora,Felidae\nAves,order,Corvidae\n",
        "a,b\nA,B\n",
        "first,last\nfirst,one\nsecond,two\n",
        "text,intent\ntext,send\ncall,phone\n",
        "buying,maint,doors\nvhigh,vhigh,two\nhigh,low,doors\n",
        "word\nword\nother\n",
        "left,right\nleft,left\nleft,left\n",
        "cap-shape,odor,edible\nx,n,edible\nb,a,poisonous\n",
        "unnamed,unnamed2\nunnamed,x\n",
    ],
)
def test_names_of_columns_that_are_also_values_are_names(tmp_path, content):
    assert not says_that_it_looks_like_a_row(tmp_path / "t.csv", content.encode())


def says_that_it_looks_like_a_row(path, content):
    path.write_bytes(content)
    source = open_source(path, uploads=path.parent, reading=Reading("table"))
    return any("like a row" in note for note in source.notes)


def test_bytes_are_text_or_their_column_is_named(tmp_path):
    path = tmp_path / "t.parquet"

    def source(raw, kind="table"):
        pd.DataFrame({"text": [b"one", b"two"], "raw": raw, "label": [b"a", b"b"]}).to_parquet(path)
        return open_source(path, uploads=tmp_path, reading=Reading(kind))

    found = source([b"x", b"y"]).entries[0]
    assert (json.loads(found.text), found.class_name) == ({"text": "one", "raw": "x"}, "a")
    with pytest.raises(SourceError, match="no text in its column `raw`; leave that column out"):
        source([b"x", b"\xff"])
    assert [entry.text for entry in source([b"x", b"\xff"], "text").entries] == ["one", "two"]


def test_one_number_written_in_two_ways_is_two_classes_and_that_is_said(opened):
    assert "1 and 1.0 are one number" in opened(b"x,y,label\n1,1,1.0\n2,1,1\n3,1,2.0\n").notes[0]
    assert opened(b"x,y,label\n1,1,1.0\n2,1,2.0\n").notes == ()


def test_a_column_of_records_is_said_to_be_one_value(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text(
        '{"id": 1, "meta": null, "content": {"text": "late", "lang": "en"}, "label": "a"}\n'
        '{"id": 2, "meta": {"user": "x"}, "content": {"text": "fine"}, "label": "b"}\n'
    )
    found = open_source(path, uploads=tmp_path)
    assert found.notes == (
        "The column `content` holds fields of its own and is taken as one value. To have them looked at, write "
        "each as a column, such as `content.text`.",
    )
    assert open_source(path, uploads=tmp_path, reading=Reading(text_column="label")).notes == ()
