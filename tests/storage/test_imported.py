from datetime import datetime, timezone

import pytest

from storage import journal
from storage.current import changed_since
from storage.errors import UnknownImportError
from storage.events import history
from storage.imported import (
    NewImported,
    PredictionInfo,
    begin_import,
    count_imported,
    list_imported_predictions,
    list_imports,
    record_imported,
    record_predictions,
    undo_import,
)
from storage.labels import current_labels, list_events
from storage.pace import seconds_per_decision
from storage.projects import get_or_create_annotator
from storage.samples import count_samples

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


def take(world, *decisions):
    with world.database.write() as session:
        number = begin_import(session, project_id=world.project_id, source="list.csv", format="csv")
        stored = record_imported(session, project_id=world.project_id, import_id=number, decisions=decisions)
    return number, stored


def undo(world, number):
    with world.database.write() as session:
        annotator = get_or_create_annotator(session, project_id=world.project_id, name="ada")
        return undo_import(session, project_id=world.project_id, import_id=number, annotator_id=annotator)


def label(sample_id, class_index, annotator="eve"):
    return NewImported(sample_id, "label", class_index, annotator, NOON, 1.5)


def test_a_label_that_came_with_a_source_stands_and_is_counted_apart(world):
    number, stored = take(world, label(1, 0), label(2, 1), NewImported(3, "skip", None, "eve"))
    standing = world.ask(current_labels)
    assert stored == 3
    assert [(row.sample_id, row.class_index, row.purpose, row.annotator) for row in standing] == [
        (1, 0, "imported", "eve"),
        (2, 1, "imported", "eve"),
        (3, None, "imported", "eve"),
    ]
    assert standing[0].created_at == NOON
    counts = world.ask(count_samples)
    assert (counts.labeled, counts.skipped, world.ask(count_imported)) == (2, 1, 2)
    assert [(info.id, info.source, info.labels) for info in world.ask(list_imports)] == [(number, "list.csv", 2)]


def test_of_several_people_the_last_stands_and_all_are_kept(world):
    take(world, label(1, 0, "eve"), label(1, 1, "bob"), NewImported(1, "flag", None, "eve"))
    (standing,) = world.ask(current_labels)
    assert (standing.class_index, standing.annotator, standing.flagged) == (1, "bob", True)
    assert [event.annotator for event in world.ask(list_events)] == ["eve", "bob", "eve"]


def test_what_somebody_decided_stays(world):
    world.label(1, 1)
    assert take(world, label(1, 0), label(2, 0))[1] == 1
    assert [(row.sample_id, row.class_index) for row in world.ask(current_labels)] == [(1, 1), (2, 0)]


def test_an_import_is_taken_back_as_one_but_not_what_was_corrected_since(world):
    number, _ = take(world, label(1, 0), label(2, 0), NewImported(3, "flag", None, "eve"))
    world.label(2, 1)
    assert undo(world, number) == 3
    assert [(row.sample_id, row.class_index, row.purpose) for row in world.ask(current_labels)] == [(2, 1, "train")]
    assert world.ask(list_imports)[0].labels == 0
    assert undo(world, number) == 0


@pytest.mark.parametrize("number", [7, 0, 10**30])
def test_an_import_of_another_project_cannot_be_taken_back(world, number):
    with pytest.raises(UnknownImportError):
        undo(world, number)


def test_imported_labels_are_news_to_the_trainer_and_no_work_of_a_person(world):
    take(world, *(label(sample_id, 0) for sample_id in range(1, 7)))
    assert world.ask(changed_since, event_id=0) == 6
    assert world.ask(seconds_per_decision) is None
    with world.database.write() as session:
        eve = get_or_create_annotator(session, project_id=world.project_id, name="eve")
        assert history(session, project_id=world.project_id, annotator_id=eve) == []


def test_a_correction_of_an_imported_label_is_a_persons(world):
    take(world, label(1, 0))
    assert world.label(1, 1).purpose == "train"
    assert world.ask(count_imported) == 0


def test_every_imported_label_is_in_the_journal(world):
    take(world, label(1, 0), label(2, 1))
    told = journal.read(world.database.path.with_name(journal.NAME)).entries
    entries = [entry for entry in told if "event" in entry]
    assert [(entry["event"]["purpose"], entry["class"]["index"]) for entry in entries] == [
        ("imported", 0),
        ("imported", 1),
    ]


def test_predictions_come_and_go_with_their_import(world):
    number, _ = take(world, label(1, 0))
    told = PredictionInfo(2, 1, 0.75, "their-model")
    with world.database.write() as session:
        record_predictions(session, import_id=number, predictions=[told])
    assert world.ask(list_imported_predictions) == [told]
    undo(world, number)
    assert world.ask(list_imported_predictions) == []
