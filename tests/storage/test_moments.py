from datetime import datetime, timedelta, timezone

import pytest

from storage.classes import add_class, rename_class, retire_class, undo_class_change
from storage.errors import NoMomentError
from storage.imported import NewImported, begin_import, record_imported
from storage.labels import record_decision
from storage.moments import Moment, class_names_at, moment_at, moment_of
from storage.projects import create_project, get_or_create_annotator
from storage.samples import NewSample, add_samples

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


def hours(number):
    return NOON + timedelta(hours=number)


@pytest.fixture
def clock(monkeypatch):
    """Set the clock of everything that stores."""

    def at(when):
        for module in ("labels", "classes", "imported"):
            monkeypatch.setattr(f"storage.{module}.utc_now", lambda: when)

    return at


@pytest.fixture
def pets(database, clock):
    """Label 1 at noon, 2 an hour later, 3 and 4 of an import two hours later, 5 after five hours."""
    with database.write() as session:
        project_id = create_project(session, name="pets", classes=["cat", "dog"], seed=0)
        samples = [NewSample(f"{k}.png", f"{k:064}", 1, 1, "pool", None) for k in range(5)]
        add_samples(session, project_id=project_id, samples=samples)
        ada = get_or_create_annotator(session, project_id=project_id, name="ada")

        def label(sample_id, when):
            clock(when)
            record_decision(
                session, project_id=project_id, sample_id=sample_id, annotator_id=ada, action="label", class_index=0,
                request_id=str(sample_id),
            )  # fmt: skip

        label(1, hours(0))
        label(2, hours(1))
        clock(hours(2))
        begun = begin_import(session, project_id=project_id, source="old.csv", format="csv")
        years_ago = NOON - timedelta(days=2000)
        decisions = [NewImported(sample_id, "label", 1, "bob", years_ago) for sample_id in (3, 4)]
        record_imported(session, project_id=project_id, import_id=begun, decisions=decisions)
        label(5, hours(5))
    return project_id


@pytest.mark.parametrize(("after", "last"), [(0, 1), (0.5, 1), (1, 2), (1.9, 2), (2, 4), (4.9, 4), (5, 5), (99, 5)])
def test_what_stood_at_a_time_and_an_import_stands_since_it_was_made(database, pets, after, last):
    with database.read() as session:
        assert moment_at(session, project_id=pets, at=hours(after)) == Moment(last, hours(after))


def test_before_the_first_label_there_is_nothing(database, pets):
    with database.read() as session, pytest.raises(NoMomentError, match=r"the first label is of 2026-07-01 12:00:00"):
        moment_at(session, project_id=pets, at=hours(-1))


def test_a_clock_that_was_ahead_for_a_while_hides_nothing_that_came_after_it(database, pets, clock):
    clock(hours(6))
    with database.write() as session:
        ada = get_or_create_annotator(session, project_id=pets, name="ada")
        for number, when in enumerate((hours(9000), hours(6))):
            clock(when)
            record_decision(
                session, project_id=pets, sample_id=1, annotator_id=ada, action="label", class_index=0,
                request_id=f"again {number}",
            )  # fmt: skip
        assert moment_at(session, project_id=pets, at=hours(7)).event_id == 7
        assert moment_at(session, project_id=pets, at=hours(5)).event_id == 5


def test_the_moment_after_an_event_is_the_time_it_was_stored(database, pets):
    with database.read() as session:
        assert moment_of(session, project_id=pets, event_id=2) == Moment(2, hours(1))
        assert moment_of(session, project_id=pets, event_id=4) == Moment(4, hours(2))
        with pytest.raises(NoMomentError, match="no label event #6; its last one is #5"):
            moment_of(session, project_id=pets, event_id=6)


def test_classes_have_the_names_that_they_had(database, pets, clock):
    def did(hour, change, **given):
        clock(hours(hour))
        with database.write() as session:
            return change(session, project_id=pets, who="ada", **given)

    renamed = did(1, rename_class, name="cat", new_name="tabby")
    did(2, add_class, name="newt")
    did(3, undo_class_change, change_id=renamed.id)
    did(4, retire_class, name="dog")
    did(5, add_class, name="dog")  # it was there before
    with database.read() as session:
        names = [class_names_at(session, project_id=pets, at=hours(hour)) for hour in (0, 1, 2, 3, 4)]
        assert class_names_at(session, project_id=pets, at=None) == ["cat", "dog", "newt"]
    assert names == [["cat", "dog"], ["tabby", "dog"], ["tabby", "dog", "newt"], *2 * [["cat", "dog", "newt"]]]
