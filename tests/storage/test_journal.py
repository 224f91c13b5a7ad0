"""A label is on disk twice when the screen says so: in the database, and as a line beside it."""

import os

import pytest

from storage import journal
from storage.errors import InvalidDecisionError, JournalError, UnknownEventError
from storage.labels import list_events, record_decision, undo
from storage.projects import add_classes
from storage.samples import add_samples


def file_of(world):
    return world.database.path.with_name(journal.NAME)


def lines(world):
    """The entries of label events."""
    return [entry for entry in journal.read(file_of(world)).entries if "event" in entry]


def test_every_label_event_is_a_line_with_all_it_holds(world):
    event = world.label(1, 1, lead_time_s=0.5, suggestion_shown=True)
    (entry,) = lines(world)
    assert {name: entry["event"][name] for name in ("id", "sample_id", "class_index", "request_id", "lead_time_s")} == {
        "id": event.id, "sample_id": 1, "class_index": 1, "request_id": "request-1", "lead_time_s": 0.5,
    }  # fmt: skip
    assert (entry["annotator"]["name"], entry["class"]["name"], entry["sample"]["uri"]) == (
        "ada",
        "dog",
        "/images/1.png",
    )


def test_skips_flags_and_undos_are_lines_without_a_class(world):
    world.skip(1)
    world.flag(2)
    world.undo(1)
    assert [(entry["event"]["action"], "class" in entry) for entry in lines(world)] == [
        ("skip", False), ("flag", False), ("undo", False),
    ]  # fmt: skip


def test_what_was_refused_or_rolled_back_leaves_no_line(world):
    with pytest.raises(InvalidDecisionError):
        world.label(1, 9)
    with pytest.raises(UnknownEventError):
        world.tell(label_and_fail, annotator_id=world.ada)
    assert lines(world) == []
    assert world.ask(list_events) == []


def label_and_fail(session, *, project_id, annotator_id):
    given = {"project_id": project_id, "annotator_id": annotator_id}
    record_decision(session, **given, sample_id=1, action="label", class_index=0, request_id="request")
    undo(session, **given, event_id=99)


def test_a_project_its_classes_and_its_samples_are_lines_from_the_first_day(world, samples_like):
    world.tell(add_classes, names=["bird"])
    world.tell(add_samples, samples=[samples_like(f"more {number}") for number in range(401)])
    told = journal.read(file_of(world)).entries
    assert [entry["project"]["name"] for entry in told if "project" in entry] == ["pets"]
    assert [entry["class"]["name"] for entry in told if "class" in entry] == ["cat", "dog", "bird"]
    assert [len(entry["samples"]["rows"]) for entry in told if "samples" in entry] == [10, 200, 200, 1]


def test_a_write_without_anything_to_keep_writes_no_line(world):
    before = file_of(world).read_bytes()
    world.publish(1, 2)
    world.batch(count=2)
    assert file_of(world).read_bytes() == before


def test_what_was_labeled_is_not_confirmed_while_the_journal_cannot_be_written(world, monkeypatch):
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: fail(28))
    with pytest.raises(JournalError, match="No space left"):
        world.label(1, request_id="token")
    monkeypatch.setattr(os, "fsync", real)
    event = world.label(1, request_id="token")  # sent again
    assert world.ask(list_events) == [event]
    assert {entry["event"]["request_id"] for entry in lines(world)} == {"token"}


def fail(number):
    raise OSError(number, os.strerror(number))


def test_a_torn_line_spoils_no_other(world):
    for number in (1, 2, 3):
        world.label(number)
    content = file_of(world).read_bytes()
    file_of(world).write_bytes(content[:-20])  # a crash in the middle of the third
    world.label(4)
    assert [entry["event"]["sample_id"] for entry in lines(world)] == [1, 2, 4]
    assert journal.read(file_of(world)).damaged == 1


def test_a_flipped_bit_is_noticed(world):
    begin = file_of(world).stat().st_size
    world.label(1)
    end = file_of(world).stat().st_size
    world.label(2)
    content = file_of(world).read_bytes()
    for place in range(begin + 1, end, 7):
        flipped = bytearray(content)
        flipped[place] ^= 1
        file_of(world).write_bytes(flipped)
        assert [entry["event"]["sample_id"] for entry in lines(world)] == [2]
        assert journal.read(file_of(world)).damaged >= 1


def test_no_journal_is_an_empty_one(world):
    file_of(world).unlink()
    assert journal.read(file_of(world)) == journal.JournalContent([], 0, 0)


def test_a_class_name_with_line_breaks_and_other_letters_comes_back(world):
    world.tell(add_classes, names=["ein\nUmbruch ü \u2028 ß"])
    world.label(1, 2)
    assert lines(world)[0]["class"]["name"] == "ein\nUmbruch ü \u2028 ß"
