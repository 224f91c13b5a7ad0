"""What one format writes it reads again, but for what it says it cannot hold; over all formats of the registry."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from app.errors import ExportError
from app.formats.export import EVENT_COLUMNS, Export, ExportedSample, what_is_lost
from app.formats.registry import format_of, format_to_write, open_source, readable_formats, writable_formats
from app.formats.source import Decision, Entry, Prediction
from app.kinds.kind import KINDS, kind_named

CLASSES = ("C++", "dog, wet", "-1", "=x", "test", "bullet train", "cafe\u0301", "\U0001f431", "a/b", "A", "a")
NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
FORMATS = sorted(writable_formats())
PAIRS = [(name, kind) for name in FORMATS for kind in KINDS if not writable_formats()[name].refusal(kind)]
FILES = [
    *(f"{index}.png" for index in range(len(CLASSES))),
    "twice/0.png",
    "undecided.png",
    "new\nline.png",
    "数字 \"'.png",
]
TEXTS = (
    "=x", "\"quoted\", 'so'", "two\nlines\r\nand a third", "مرحبا بالعالم", "\u202ebackwards\u202c", "🐱 👩‍👩‍👧",
    "  spaces around ", "a.png", "https://host/x.png", '{"text": "in braces"}', "one#two", "text,label", "null", "-1",
    "cafe\u0301",
)  # fmt: skip
ROW = {"age": "40", "": "7", "label": "a", "label_": "b", "path": "c", "image": "d.png", "a/b": 'e "f", g', "row": " h"}


@dataclass(frozen=True)
class Known:
    """What is known of one file after a round trip."""

    decisions: tuple[Decision, ...]
    flagged: bool
    predictions: tuple[Prediction, ...]


def decision(number: int, name: str, annotator: str = "ada") -> Decision:
    when = NOON + timedelta(seconds=number)
    return Decision(
        "label" if name else "skip", name, annotator, when, 1.5 + number, "audit" if number == 3 else "train"
    )


def event_row(number: int, sample: ExportedSample, given: Decision) -> dict[str, object]:
    known = {
        "sample_id": sample.id,
        "uri": sample.uri,
        "sha256": sample.sha256,
        "label": given.class_name or None,
        "action": given.action,
        "annotator": given.annotator,
        "created_at": given.created_at.isoformat() if given.created_at else None,
        "lead_time_s": given.lead_time_s,
        "purpose": given.purpose,
        "request_id": f"r{number}",
        "event_id": number,
    }
    return dict.fromkeys(EVENT_COLUMNS) | known


def images(folder: Path, painter) -> list[ExportedSample]:
    samples = []
    for index, name in enumerate(FILES):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(painter.encoded())
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        samples.append(ExportedSample(index + 1, str(path), sha256, 6, 4))
    return samples


def contents(kind: str) -> list[ExportedSample]:
    """Texts, and rows of which one column has them."""
    held = [json.dumps(ROW | {"text": text}) if kind_named(kind).HAS_COLUMNS else text for text in TEXTS]
    given = [kind_named(kind).admit(Entry(Path(), f"pool.csv:{place}", text=one)) for place, one in enumerate(held, 2)]
    return [
        ExportedSample(number, one.uri, one.sha256, 0, 0, kind=kind, content=one.content)
        for number, one in enumerate(given, 1)
    ]


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    return getattr(request, "param", KINDS[0])


@pytest.fixture
def export(tmp_path: Path, painter, kind: str) -> Export:
    samples = images(tmp_path / "images", painter) if kind_named(kind).IN_FILES else contents(kind)
    samples = [
        replace(sample, decisions=(decision(index, CLASSES[index % len(CLASSES)]),))
        for index, sample in enumerate(samples)
    ]
    samples[0] = replace(samples[0], decisions=(*samples[0].decisions, Decision("flag", "", "ada", NOON)))
    samples[1] = replace(samples[1], decisions=(decision(1, ""),))
    samples[2] = replace(samples[2], decisions=(decision(2, "C++", "Bob"), decision(2, "dog, wet", "ada")))
    samples[12] = replace(samples[12], decisions=(), predictions=(Prediction("-1", 0.5, "round-2"),))
    samples[3] = replace(samples[3], predictions=(Prediction("dog, wet", 0.75, "round-2"),))
    events = [(sample, given) for sample in samples for given in sample.decisions]
    rows = tuple(event_row(number, *event) for number, event in enumerate(events, 1))
    return Export("odd names", CLASSES, tuple(samples), rows, made_at=NOON, kind=kind)


def held(known: Known, holds: tuple[str, ...]) -> Known | None:
    """What a format that holds so much still knows of a file."""
    given = known.decisions
    if "votes" not in holds:
        given = given[-1:]
    if "skips" not in holds:
        given = tuple(one for one in given if one.action != "skip")
    plain = tuple(
        Decision(
            one.action,
            one.class_name,
            one.annotator if "annotators" in holds else "",
            one.created_at if "times" in holds else None,
            one.lead_time_s if "lead times" in holds else None,
            one.purpose if "purposes" in holds else "",
        )
        for one in given
    )
    flagged = known.flagged and "flags" in holds
    predictions = known.predictions if "predictions" in holds else ()
    return Known(plain, flagged, predictions) if plain or flagged or predictions else None


def known(given: tuple[Decision, ...], predictions: tuple[Prediction, ...]) -> Known:
    return Known(
        tuple(one for one in given if one.action != "flag"), any(o.action == "flag" for o in given), predictions
    )


def content(entry: Entry) -> object:
    """A text as it came, the values of a row in their order, the hash of a file."""
    if entry.text is None:
        return hashlib.sha256(entry.path.read_bytes()).hexdigest()
    return as_it_is(entry.text)


def content_of(sample: ExportedSample) -> object:
    return sample.sha256 if sample.content is None else as_it_is(sample.content)


def as_it_is(text: str) -> object:
    return tuple(json.loads(text).items()) if text.startswith('{"age"') else text


@pytest.mark.parametrize(("name", "kind"), PAIRS, indirect=["kind"])
def test_what_is_written_is_read_again_but_for_what_the_format_says_it_cannot_hold(export, tmp_path, name):
    chosen = writable_formats()[name]
    (tmp_path / "out").mkdir()
    written = chosen.write(export, tmp_path / "out")
    source = open_source(tmp_path / "out", uploads=tmp_path / "uploads")
    assert (source.format, source.kind, source.refused, written.left_out) == (name, export.kind, (), ())
    wanted = {
        content_of(sample): kept
        for sample in export.samples
        if (kept := held(known(sample.decisions, sample.predictions), chosen.holds)) is not None
    }
    found = {
        content(entry): kept
        for entry in source.entries
        if (kept := held(known(entry.given, entry.predictions), chosen.holds)) is not None
    }
    assert found == wanted
    if not kind_named(export.kind).IN_FILES:  # a file is called as its copy
        assert {entry.name for entry in source.entries} <= {sample.uri for sample in export.samples}


@pytest.mark.parametrize(("name", "kind"), PAIRS, indirect=["kind"])
def test_a_test_set_can_be_read_from_each_export(export, tmp_path, name):
    """Who asks for the label alone gets that which counts."""
    (tmp_path / "out").mkdir()
    writable_formats()[name].write(export, tmp_path / "out")
    labels = {content(entry): entry.class_name for entry in open_source(tmp_path / "out", uploads=tmp_path).entries}
    assert {one: label for one, label in labels.items() if label} == {content_of(s): s.label for s in export.labeled}


def test_each_written_format_can_be_read_and_says_what_it_cannot_hold(export):
    assert set(FORMATS) <= set(readable_formats())
    for name in FORMATS:
        lost = what_is_lost(export, writable_formats()[name].holds)
        assert ("1 skips" in lost) == ("skips" not in writable_formats()[name].holds)
        assert ("1 audit labels" in lost or "which 1 labels" in lost) == (
            "purposes" not in writable_formats()[name].holds
        )


def test_a_flag_of_a_sample_without_a_label_is_said_to_be_lost_where_only_labeled_samples_go(export):
    flagged = replace(export.samples[1], decisions=(Decision("flag", "", "ada", NOON),))
    lost = {name: what_is_lost(replace(export, samples=(flagged,)), writable_formats()[name].holds) for name in FORMATS}
    said = [name for name, sentence in lost.items() if "1 flags of samples without a label" in sentence]
    assert said == ["coco", "croissant", "folders", "hugging-face"]


@pytest.mark.parametrize("kind", KINDS, indirect=True)
def test_no_format_takes_what_another_has_written(export, tmp_path, kind):
    for name in [name for name, of_kind in PAIRS if of_kind == kind]:
        (tmp_path / name).mkdir()
        writable_formats()[name].write(export, tmp_path / name)
        claims = [other for other, found in readable_formats().items() if found.reads(tmp_path / name)]
        assert claims[0] == format_of(tmp_path / name).name == name


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind_named(kind).IN_FILES], indirect=True)
def test_skipped_flagged_and_undecided_texts_and_rows_are_in_each_export_that_holds_skips(export, tmp_path, kind):
    samples = (replace(export.samples[0], decisions=()), export.samples[1])  # nothing was said; skipped
    for name in [name for name, of_kind in PAIRS if of_kind == kind and "skips" in writable_formats()[name].holds]:
        (tmp_path / name).mkdir()
        writable_formats()[name].write(replace(export, samples=samples, events=export.events[2:3]), tmp_path / name)
        entries = open_source(tmp_path / name, uploads=tmp_path).entries
        said = {content(entry): [given.action for given in entry.given] for entry in entries}
        assert (name, said) == (name, {content_of(samples[0]): [], content_of(samples[1]): ["skip"]})


ROW_IN_LINES = 'age: 40\n: 7\nlabel: a\nlabel_: b\npath: c\nimage: d.png\na/b: e "f", g\nrow:  h\ntext: =x'


@pytest.mark.parametrize(("name", "file"), [("prodigy", "prodigy.jsonl"), ("doccano", "all.jsonl")])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind_named(kind).IN_FILES], indirect=True)
def test_tools_that_show_no_rows_show_their_values_as_lines_of_a_text(export, tmp_path, kind, name, file):
    writable_formats()[name].write(export, tmp_path)
    first = json.loads((tmp_path / file).read_text("utf-8").splitlines()[0])
    has_columns = kind_named(kind).HAS_COLUMNS
    assert first["text"] == (ROW_IN_LINES if has_columns else "=x")
    assert first.get("row") == (ROW | {"text": "=x"} if has_columns else None)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind_named(kind).IN_FILES])
def test_formats_about_images_refuse_texts_and_rows_in_a_sentence(kind):
    refused = [name for name in FORMATS if (name, kind) not in PAIRS]
    assert refused == ["coco", "fiftyone", "lightly"]
    for name in refused:
        said = f"The format {name} is about images and cannot hold {kind_named(kind).NOUNS}; choose another one."
        with pytest.raises(ExportError, match=re.escape(said)):
            format_to_write(name, kind)
