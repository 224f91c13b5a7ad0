"""What one format writes it reads again, but for what it says it cannot hold; over all formats of the registry."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from app.formats.export import EVENT_COLUMNS, Export, ExportedSample, what_is_lost
from app.formats.registry import format_of, open_source, readable_formats, writable_formats
from app.formats.source import Decision, Entry, Prediction

CLASSES = ("C++", "dog, wet", "-1", "=x", "test", "bullet train", "cafe\u0301", "\U0001f431", "a/b", "A", "a")
NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
FORMATS = sorted(writable_formats())


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


@pytest.fixture
def export(tmp_path: Path, painter) -> Export:
    names = [
        *(f"{index}.png" for index in range(len(CLASSES))),
        "twice/0.png",
        "undecided.png",
        "new\nline.png",
        "数字 \"'.png",
    ]
    samples = []
    for index, name in enumerate(names):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(painter.encoded())
        given = (decision(index, CLASSES[index % len(CLASSES)]),)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        samples.append(ExportedSample(index + 1, str(path), sha256, 6, 4, given))
    samples[0] = replace(samples[0], decisions=(*samples[0].decisions, Decision("flag", "", "ada", NOON)))
    samples[1] = replace(samples[1], decisions=(decision(1, ""),))
    samples[2] = replace(samples[2], decisions=(decision(2, "C++", "Bob"), decision(2, "dog, wet", "ada")))
    samples[12] = replace(samples[12], decisions=(), predictions=(Prediction("-1", 0.5, "round-2"),))
    samples[3] = replace(samples[3], predictions=(Prediction("dog, wet", 0.75, "round-2"),))
    events = [(sample, given) for sample in samples for given in sample.decisions]
    rows = tuple(event_row(number, *event) for number, event in enumerate(events, 1))
    return Export("odd names", CLASSES, tuple(samples), rows, made_at=NOON)


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


def content(entry: Entry) -> str:
    return hashlib.sha256(entry.path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_is_read_again_but_for_what_the_format_says_it_cannot_hold(export, tmp_path, name):
    chosen = writable_formats()[name]
    (tmp_path / "out").mkdir()
    written = chosen.write(export, tmp_path / "out")
    source = open_source(tmp_path / "out", uploads=tmp_path / "uploads")
    assert (source.format, source.refused, written.left_out) == (name, (), ())
    wanted = {
        sample.sha256: kept
        for sample in export.samples
        if (kept := held(known(sample.decisions, sample.predictions), chosen.holds)) is not None
    }
    found = {
        content(entry): kept
        for entry in source.entries
        if (kept := held(known(entry.given, entry.predictions), chosen.holds)) is not None
    }
    assert found == wanted


@pytest.mark.parametrize("name", FORMATS)
def test_a_test_set_can_be_read_from_each_export(export, tmp_path, name):
    """Who asks for the label alone gets that which counts."""
    (tmp_path / "out").mkdir()
    writable_formats()[name].write(export, tmp_path / "out")
    labels = {content(entry): entry.class_name for entry in open_source(tmp_path / "out", uploads=tmp_path).entries}
    assert {sha256: label for sha256, label in labels.items() if label} == {s.sha256: s.label for s in export.labeled}


def test_each_written_format_can_be_read_and_says_what_it_cannot_hold(export):
    assert set(FORMATS) <= set(readable_formats())
    for name in FORMATS:
        lost = what_is_lost(export, writable_formats()[name].holds)
        assert ("1 skips" in lost) == ("skips" not in writable_formats()[name].holds)
        assert ("1 audit labels" in lost or "which 1 labels" in lost) == (
            "purposes" not in writable_formats()[name].holds
        )


def test_no_format_takes_what_another_has_written(export, tmp_path):
    for name in FORMATS:
        (tmp_path / name).mkdir()
        writable_formats()[name].write(export, tmp_path / name)
        claims = [other for other, found in readable_formats().items() if found.reads(tmp_path / name)]
        assert claims[0] == format_of(tmp_path / name).name == name
