"""Texts and rows as Label Studio tasks: written, read again, and as Label Studio itself has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from xml.etree import ElementTree

import pytest

from app.formats import label_studio
from app.formats.export import Export, ExportedSample
from app.formats.label_studio_data import kind_of
from app.formats.registry import open_source
from app.formats.source import Decision, Prediction

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
ROW = {"age": "39", "image": "none.png", "id": "7", "note": ""}
CONTENTS = {"text": "It is fine. Or not?\nNo.", "table": json.dumps(ROW)}
BY_KIND = [("text", "Text", "text", CONTENTS["text"]), ("table", "Table", "row", ROW)]


def exported(kind: str) -> Export:
    given = (Decision("label", "good", "ada", NOON, 2.5), Decision("flag", "", "ada", NOON))
    told = (Prediction("bad", 0.75, "round-2"),)
    labeled = ExportedSample(7, "list.csv:1", "ab" * 32, 0, 0, given, told, kind=kind, content=CONTENTS[kind])
    skipped = ExportedSample(
        8, "list.csv:2", "cd" * 32, 0, 0, (Decision("skip", "", "bob", NOON),), kind=kind, content="{}"
    )
    return Export("p", ("good", "bad"), (labeled, skipped), kind=kind)


@pytest.mark.parametrize(("kind", "tag", "name", "value"), BY_KIND)
def test_a_task_holds_what_it_is_about_and_the_config_shows_it(tmp_path, kind, tag, name, value):
    written = label_studio.write(exported(kind), tmp_path)
    assert (written.labels, sorted(path.name for path in tmp_path.iterdir())) == (1, ["config.xml", "tasks.json"])
    task = json.loads((tmp_path / "tasks.json").read_text())[0]
    assert task["data"] == {name: value}
    assert task["annotations"][0]["result"][0]["to_name"] == name
    view = ElementTree.parse(tmp_path / "config.xml").getroot()
    assert (view[0].tag, view[0].attrib) == (tag, {"name": name, "value": f"${name}"})
    assert (view[1].attrib["toName"], [one.attrib["value"] for one in view[1]]) == (name, ["good", "bad"])


@pytest.mark.parametrize("kind", ["text", "table"])
@pytest.mark.parametrize("alone", [False, True])  # the file alone has no config beside it that says what is what
def test_what_is_written_is_read_again(tmp_path: Path, kind: str, alone: bool) -> None:
    label_studio.write(exported(kind), tmp_path)
    source = open_source(tmp_path / "tasks.json" if alone else tmp_path, uploads=tmp_path / "uploads")
    assert (source.format, source.kind, source.labels_given, source.refused) == ("label-studio", kind, 1, ())
    first, second = source.entries
    assert first.text == CONTENTS[kind]
    assert [(one.action, one.class_name, one.annotator) for one in first.decisions] == [
        ("flag", "", ""),
        ("label", "good", "ada"),
    ]
    assert first.predictions == (Prediction("bad", 0.75, "round-2"),)
    assert [one.action for one in second.decisions] == ["skip"]


def test_texts_of_json_min_come_in_with_their_choice(tmp_path):
    line = {"text": "Fine. Or not.", "id": 1, "mood": "good", "annotator": 3, "annotation_id": 9, "lead_time": 2.5}
    (tmp_path / "min.json").write_text(json.dumps([line]))
    source = open_source(tmp_path / "min.json", uploads=tmp_path)
    [entry] = source.entries
    assert (source.format, source.kind, entry.text, entry.class_name) == ("label-studio", "text", line["text"], "good")


@pytest.mark.parametrize(
    ("config", "data", "kind"),
    [
        ('<View><HyperText name="a" value="$body"/></View>', {"body": "see a.png"}, "text"),
        ('<View><Text name="t" value="$hint"/><Image name="i" value="$photo"/></View>', {"photo": "x"}, "image"),
        ("", {"text": "a caption", "photo": "/data/local-files/?d=a.png"}, "image"),
        ("", {"photo": "a.tiff"}, "image"),
    ],
)
def test_the_config_says_what_a_task_is_about_else_its_data(config: str, data: Mapping[str, str], kind: str) -> None:
    assert kind_of(config, [data]) == kind
