"""A damaged database comes back with every confirmed label: the newest sound backup, and the journal."""

import os
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from storage import journal
from storage.backup import backup, is_due, list_backups, remove_old
from storage.errors import BackupError, DatabaseDamagedError, RestoreError
from storage.labels import current_labels, list_events
from storage.models import CurrentDecision
from storage.opening import create_database, open_database
from storage.projects import add_classes, create_project, get_or_create_annotator, list_classes
from storage.restoring import restore
from storage.samples import add_samples, list_samples

ROOT = Path(__file__).parents[2]


def folder_of(world):
    return world.database.path.parent / "backups"


def back_up(world):
    return backup(world.database, folder=folder_of(world))


def damage(world):
    """Overwrite the middle of every page, as a failing disk would."""
    path = world.database.path
    world.database.close()
    content = bytearray(path.read_bytes())
    for page in range(0, len(content), 4096):
        content[page + 100 : page + 2000] = os.urandom(1900)
    path.write_bytes(content)
    with pytest.raises(DatabaseDamagedError, match="labelloop restore"):
        open_database(f"sqlite:///{path}")


def bring_back(world):
    outcome = restore(world.database.path, backups=folder_of(world))
    world.database = open_database(f"sqlite:///{world.database.path}")
    return outcome


@pytest.fixture
def told(world):
    """What was said to be stored, after which everything the tests did is still true."""

    def tell():
        return world.ask(list_events), world.ask(current_labels)

    yield tell
    world.database.close()


def test_all_labels_come_back_though_the_backup_is_older(world, told):
    world.label(1, 1)
    world.publish(2, 3, 4, audit=(3,))
    back_up(world)
    world.label(2, 0, lead_time_s=1.25, why_shown=True, shown_together=3)
    world.label(3, 1, annotator_id=world.bob, suggestion_shown=True)
    world.undo(world.label(1, 0).id)
    world.flag(4)
    world.skip(5)
    before = told()
    damage(world)
    outcome = bring_back(world)
    assert told() == before
    assert (outcome.from_journal, outcome.damaged_lines) == (6, 0)
    with world.database.read() as session:
        standing = {row.sample_id: row.event_id for row in session.query(CurrentDecision)}
    assert standing == {label.sample_id: label.event_id for label in before[1]}


def test_people_go_on_where_they_were(world, told):
    world.publish(1, 2, 3)
    back_up(world)
    world.label(1, request_id=world.claim().token)
    damage(world)
    bring_back(world)
    shown = world.claim()
    assert (shown.sample.id, shown.rank) == (2, 1)
    assert world.label(2, request_id=shown.token).id == 2
    entries = journal.read(world.database.path.with_name(journal.NAME)).entries
    assert sum("event" in entry for entry in entries) == 2


def test_samples_annotators_and_classes_that_came_after_the_backup_come_back_with_their_labels(
    world, told, samples_like
):
    back_up(world)
    world.tell(add_samples, samples=[samples_like("later")])
    carl = world.tell(get_or_create_annotator, name="carl")
    world.tell(add_classes, names=["bird"])
    world.label(11, 2, annotator_id=carl)
    before = told()
    damage(world)
    bring_back(world)
    assert told() == before
    assert [entry.name for entry in world.ask(list_classes)] == ["cat", "dog", "bird"]


def test_the_damaged_database_is_set_aside_with_what_sqlite_keeps_beside_it(world, told):
    back_up(world)
    damage(world)
    damaged = world.database.path.read_bytes()
    wal = world.database.path.with_name("labelloop.db-wal")
    wal.write_bytes(b"of the damaged one")
    outcome = bring_back(world)
    assert outcome.set_aside.read_bytes() == damaged
    assert outcome.set_aside.with_name(outcome.set_aside.name + "-wal").read_bytes() == b"of the damaged one"
    assert world.ask(list_events) == []


def test_a_database_that_is_gone_comes_back(world, told):
    back_up(world)
    world.label(1)
    before = told()
    world.database.close()
    world.database.path.unlink()
    assert bring_back(world).set_aside is None
    assert told() == before


def test_a_damaged_backup_is_passed_over(world, told):
    back_up(world)
    world.label(1)
    newest = back_up(world)
    newest.write_bytes(newest.read_bytes()[:5000])
    before = told()
    damage(world)
    outcome = bring_back(world)
    assert outcome.backup != newest
    assert told() == before


def test_without_a_backup_the_journal_alone_brings_back_project_classes_samples_and_labels(world, told):
    world.publish(1, 2, 3, audit=(2,))
    world.label(1, 1, lead_time_s=0.5)
    world.label(2, 0, annotator_id=world.bob)
    world.undo(world.label(3).id)
    before, samples = told(), world.ask(list_samples, split="pool")
    damage(world)
    outcome = bring_back(world)
    assert (outcome.backup, outcome.from_journal) == (None, 4)
    assert told() == before
    assert world.ask(list_samples, split="pool") == samples
    assert [entry.name for entry in world.ask(list_classes)] == ["cat", "dog"]


def test_without_backup_and_journal_nothing_is_changed(world, told):
    world.label(1)
    world.database.close()
    world.database.path.with_name(journal.NAME).unlink()
    damage(world)
    content = world.database.path.read_bytes()
    with pytest.raises(RestoreError, match="no sound backup"):
        restore(world.database.path, backups=folder_of(world))
    assert world.database.path.read_bytes() == content
    assert sorted(path.name for path in world.database.path.parent.glob("*.db*")) == ["labelloop.db"]


def test_restoring_what_is_whole_changes_nothing(world, told):
    back_up(world)
    world.label(1)
    world.undo(1)
    world.label(1, 1)
    before = told()
    for _ in range(2):
        world.database.close()
        outcome = bring_back(world)
        assert (outcome.was_whole, outcome.from_journal, outcome.set_aside) == (True, 0, None)
        assert told() == before


def test_a_backup_of_another_project_is_no_backup(world, told, tmp_path):
    world.label(1)
    before = told()
    other = tmp_path / "other" / "labelloop.db"
    other.parent.mkdir()
    with closing(create_database(f"sqlite:///{other}")) as database:
        with database.write() as session:
            create_project(session, name="plants", classes=["oak", "elm"], seed=3)
            add_samples(session, project_id=1, samples=[])
        backup(database, folder=folder_of(world))
    damage(world)
    assert bring_back(world).backup is None
    assert told() == before


def test_a_line_that_was_written_twice_is_one_event(world, told):
    back_up(world)
    for _ in range(3):
        world.label(1, request_id="token")
    before = told()
    damage(world)
    assert bring_back(world).from_journal == 1
    assert told() == before


def test_labels_of_a_lost_while_and_of_the_time_after_are_both_kept(world, told):
    older = back_up(world)
    world.label(1, 0, request_id="lost")
    world.label(1, 1, request_id="lost too")
    world.database.close()
    world.database.path.write_bytes(older.read_bytes())  # somebody put the backup there by hand, without the journal
    for suffix in ("-wal", "-shm"):
        world.database.path.with_name(world.database.path.name + suffix).unlink(missing_ok=True)
    world.database = open_database(f"sqlite:///{world.database.path}")
    assert "2 label events" in world.database.recovered
    world.label(2, 0, request_id="after")
    damage(world)
    assert bring_back(world).from_journal == 3
    events = {event.request_id: event for event in world.ask(list_events)}
    assert events.keys() == {"lost", "lost too", "after"}
    assert events["lost too"].supersedes == events["lost"].id
    assert {label.sample_id: label.class_index for label in world.ask(current_labels)} == {1: 1, 2: 0}


LABEL_AND_SAY_SO = """
import sys, uuid
from storage.opening import create_database, open_database
from storage.labels import record_decision

database = open_database(f"sqlite:///{sys.argv[1]}")
while True:
    request_id = uuid.uuid4().hex
    with database.write() as session:
        record_decision(
            session, project_id=1, sample_id=1, annotator_id=1, action="label", class_index=0, request_id=request_id
        )
    print(request_id, flush=True)
"""


def test_what_a_killed_process_had_said_is_stored_comes_back(world, told):
    back_up(world)
    said = []
    for count in (1, 7, 20):
        command = [sys.executable, "-c", LABEL_AND_SAY_SO, str(world.database.path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            said += [process.stdout.readline().strip() for _ in range(count)]
            process.kill()
            said += process.stdout.read().split()  # what it said until then; the last line may be torn
    damage(world)
    outcome = bring_back(world)
    stored = {event.request_id for event in world.ask(list_events)}
    assert {request_id for request_id in said if len(request_id) == 32} <= stored
    assert 28 <= len(stored) == outcome.from_journal


def test_damaged_lines_are_counted_and_the_rest_comes_back(world, told):
    back_up(world)
    for number in (1, 2, 3):
        world.label(number)
    file = world.database.path.with_name(journal.NAME)
    content = file.read_bytes()
    file.write_bytes(content.replace(b'"request_id":"request-2"', b'"request_id":"request-X"'))
    damage(world)
    outcome = bring_back(world)
    assert (outcome.from_journal, outcome.damaged_lines) == (2, 1)
    assert [label.sample_id for label in world.ask(current_labels)] == [1, 3]


def test_a_backup_is_due_after_an_hour_and_not_before(world):
    hour = timedelta(hours=1)
    assert is_due(folder_of(world), every=hour)
    made = back_up(world)
    assert not is_due(folder_of(world), every=hour)
    made.rename(made.with_name("labelloop-20240101T120000_000000Z.db"))
    assert is_due(folder_of(world), every=hour)


def test_a_backup_from_the_future_stands_for_none(world):
    made = back_up(world)
    made.rename(made.with_name("labelloop-000001-e000000000-29990101T120000_000000Z.db"))
    assert is_due(folder_of(world), every=timedelta(hours=1))
    back_up(world)
    assert not is_due(folder_of(world), every=timedelta(hours=1))


def test_a_day_in_another_year_changes_no_order_and_deletes_no_newer_backup(world):
    made = []
    for number, year in enumerate((2026, 2027, 2026, 1970, 2026), start=1):
        world.label(number)
        path = back_up(world)
        made.append(path.rename(path.with_name(f"{path.stem.rpartition('-')[0]}-{year}0101T120000_000000Z.db")))
        assert list_backups(folder_of(world))[0] == made[-1]
    remove_old(folder_of(world), keep=2)
    assert list_backups(folder_of(world)) == [made[4], made[3]]


def test_of_backups_with_as_many_events_the_last_made_is_the_newest(world, samples_like):
    first = back_up(world)
    world.tell(add_samples, samples=[samples_like("later")])
    second = back_up(world)
    assert list_backups(folder_of(world)) == [second, first]


def test_backups_of_earlier_versions_are_ordered_by_what_they_hold(world):
    more = []
    for name in ("29990101T120000_000000Z", "20240101T120000_000000Z"):
        path = back_up(world)
        more.append(path.rename(path.with_name(f"labelloop-{name}.db")))
        world.label(1)
    assert list_backups(folder_of(world)) == [more[1], more[0]]


def test_a_database_with_fewer_events_makes_no_backup(world):
    world.label(1)
    kept = back_up(world)
    empty = world.database.path.parent / "empty" / "labelloop.db"
    empty.parent.mkdir()
    with closing(create_database(f"sqlite:///{empty}")) as database, pytest.raises(BackupError, match="no project"):
        backup(database, folder=folder_of(world))
    with world.database.connect_to_write() as connection:
        connection.exec_driver_sql("DROP TRIGGER label_events_no_delete")
        connection.exec_driver_sql("DELETE FROM current_decisions")
        connection.exec_driver_sql("DELETE FROM label_events")
        connection.commit()
    with pytest.raises(BackupError, match="labelloop restore"):
        back_up(world)
    assert list_backups(folder_of(world)) == [kept]


def test_the_newest_hourly_backups_stay_and_all_from_before_an_upgrade(world):
    made = [back_up(world) for _ in range(4)]
    upgrade = backup(world.database, folder=folder_of(world), name="before-0003")
    (folder_of(world) / "notes.txt").write_text("somebody's own")
    (folder_of(world) / ".labelloop-20240101T120000_000000Z.db.part").write_text("of a backup that was killed")
    remove_old(folder_of(world), keep=2)
    assert list_backups(folder_of(world)) == [upgrade, made[3], made[2]]
    assert {path.name for path in folder_of(world).iterdir()} == {"notes.txt", upgrade.name, made[3].name, made[2].name}
