"""P17: the journal is the record. Whatever becomes of the database, its next opening has every journaled label."""

import json
import os
import random
import shutil
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from storage import journal
from storage.backup import backup
from storage.classes import add_class, describe_class, list_class_changes, rename_class, retire_class
from storage.engine import connect
from storage.errors import ForeignJournalError, NoDatabaseError
from storage.labels import current_labels, last_event_id, list_events
from storage.opening import create_database, open_database, opened_to_read
from storage.projects import create_project, get_or_create_annotator, list_classes
from storage.restoring import restore
from storage.samples import add_samples, list_samples
from storage.settling import compare
from tests.storage.conftest import new_sample

ROOT = Path(__file__).parents[2]
LABELS = 200
CUTS = 50
COPIES = 10

LABEL_AND_DIE = """
import os, sys
from storage.opening import open_database
from storage.labels import record_decision

database = open_database(f"sqlite:///{sys.argv[1]}")
for number in range(int(sys.argv[2])):
    with database.write() as session:
        record_decision(
            session, project_id=1, sample_id=1 + number % 10, annotator_id=1, action="label", class_index=number % 2,
            request_id=f"request-{number:04d}",
        )
os._exit(9)  # as kill -9: the write-ahead log stays
"""


def label_and_die(path, count=LABELS):
    subprocess.run([sys.executable, "-c", LABEL_AND_DIE, str(path), str(count)], cwd=ROOT, check=False)


def journal_of(path):
    return path.with_name(journal.NAME)


def copied(folder, target):
    shutil.copytree(folder, target, symlinks=True)
    return target / "labelloop.db"


def opened(path):
    return closing(open_database(f"sqlite:///{path}"))


def events(database):
    with database.read() as session:
        return list_events(session, project_id=1)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with 200 labels whose last write-ahead log was never taken in."""
    folder = tmp_path_factory.mktemp("labeled")
    with closing(create_database(f"sqlite:///{folder / 'labelloop.db'}")) as database, database.write() as session:
        create_project(session, name="pets", classes=["cat", "dog"], seed=0)
        get_or_create_annotator(session, project_id=1, name="ada")
        add_samples(session, project_id=1, samples=[new_sample(number) for number in range(1, 11)])
    label_and_die(folder / "labelloop.db")
    return folder


@pytest.fixture
def labeled(written, tmp_path):
    return shutil.copytree(written, tmp_path / "here")


@pytest.mark.skipif("not Path('/proc').exists()")
def test_a_log_cut_at_fifty_places_or_gone_takes_no_label_with_it(labeled, tmp_path):
    log = labeled / "labelloop.db-wal"
    if not log.exists():
        pytest.skip("this SQLite has no write-ahead log")
    sizes = [log.stat().st_size * part // CUTS for part in range(CUTS)]
    lost = 0
    for number, size in enumerate([*sizes, None]):
        path = copied(labeled, tmp_path / f"cut-{number}")
        path.with_name("labelloop.db-shm").unlink(missing_ok=True)
        if size is None:
            path.with_name("labelloop.db-wal").unlink()
        else:
            os.truncate(path.with_name("labelloop.db-wal"), size)
        with closing(connect(f"sqlite:///{path}")) as database:
            missing = compare(database).only_journal
        with opened(path) as database:
            assert len(events(database)) == LABELS
            assert (f"{missing} label events" in database.recovered) == (missing > 0)
            assert compare(database).sentence == ""
        lost += missing > 0
    assert lost >= CUTS // 2  # cuts that took something


@pytest.mark.parametrize("with_backup", [True, False])
def test_a_database_that_was_deleted_is_put_together_again(labeled, with_backup):
    path = labeled / "labelloop.db"
    if with_backup:
        with opened(path) as database:
            backup(database, folder=labeled / "backups")
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    with pytest.raises(NoDatabaseError), opened_to_read(f"sqlite:///{path}"):
        pass
    assert not path.exists()
    with opened(path) as database:
        assert len(events(database)) == LABELS
        assert ("the label journal alone" in database.recovered) != with_backup
    with opened(path) as database:
        assert database.recovered == ""


def test_an_empty_database_that_was_made_by_mistake_is_replaced(labeled, tmp_path):
    path = labeled / "labelloop.db"
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    create_database(f"sqlite:///{tmp_path / 'empty.db'}").close()
    (tmp_path / "empty.db").rename(path)
    with opened(path) as database:
        assert len(events(database)) == LABELS


def test_an_older_copy_put_back_gets_what_came_since(labeled, tmp_path):
    path = labeled / "labelloop.db"
    with opened(path) as database:
        older = backup(database, folder=tmp_path / "elsewhere")
    label_and_die_more(path)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(older, path)
    with opened(path) as database:
        assert "50 label events" in database.recovered
        found = events(database)
        assert len(found) == LABELS + 50
        assert [event.id for event in found if event.request_id.startswith("more-")] == list(range(201, 251))


def test_an_older_copy_put_back_gets_the_changes_of_classes_that_came_since(world, tmp_path):
    path = world.database.path
    world.label(1)
    older = backup(world.database, folder=tmp_path / "elsewhere")
    change_classes(world)
    before = classes_of(world.database)
    world.database.close()
    shutil.copyfile(older, path)
    with opened_to_read(f"sqlite:///{path}") as database:
        assert compare(database).sentence == "5 changes of classes"  # a class that is new is two
    with opened(path) as database:
        assert database.recovered.startswith("5 changes of classes that")
        assert classes_of(database) == before
    shutil.copyfile(older, path)
    assert restore(path, backups=tmp_path / "none").was_whole
    with opened(path) as database:
        assert classes_of(database) == before


def change_classes(world):
    who = {"project_id": 1, "who": "ada"}
    with world.database.write() as session:
        rename_class(session, name="dog", new_name="hound", **who)
        add_class(session, name="dog", **who)
        describe_class(session, name="cat", text="says meow", **who)
        retire_class(session, name="hound", **who)


def classes_of(database):
    with database.read() as session:
        return list_classes(session, project_id=1), list_class_changes(session, project_id=1)


def test_two_projects_of_one_database_keep_their_samples_though_these_are_the_same(world):
    path = world.database.path
    with world.database.write() as session:
        create_project(session, name="others", classes=["cat", "dog"], seed=1)
        add_samples(session, project_id=2, samples=[new_sample(number) for number in range(1, 11)])
    world.database.close()
    for name in (path.name, path.name + "-wal", path.name + "-shm"):
        path.with_name(name).unlink(missing_ok=True)
    with opened(path) as database, database.read() as session:
        assert [len(list_samples(session, project_id=each, split="pool")) for each in (1, 2)] == [10, 10]


def label_and_die_more(path):
    script = LABEL_AND_DIE.replace("request-", "more-")
    subprocess.run([sys.executable, "-c", script, str(path), "50"], cwd=ROOT, check=False)


def test_a_folder_copied_while_it_is_written_has_each_label_that_either_file_has(world, tmp_path):
    path = world.database.path
    script = LABEL_AND_DIE.replace("os._exit(9)", "")
    with subprocess.Popen([sys.executable, "-c", script, str(path), "200"], cwd=ROOT) as writer:
        copies = []
        while writer.poll() is None and len(copies) < COPIES:
            target = tmp_path / f"copy-{len(copies)}"
            target.mkdir()
            for name in ("labelloop.db", "labelloop.db-wal", journal.NAME):
                if path.with_name(name).exists():
                    shutil.copyfile(path.with_name(name), target / name)
            copies.append(target / "labelloop.db")
    assert len(copies) >= COPIES // 2
    for copy in copies:
        whole = {entry["event"]["request_id"] for entry in journal.read(journal_of(copy)).entries if "event" in entry}
        restore(copy, backups=copy.parent / "backups")
        with opened(copy) as database:
            assert {event.request_id for event in events(database)} >= whole
            assert compare(database).only_database == 0


def test_a_journal_that_is_lost_is_written_again_from_the_database(world):
    world.label(1, 1)
    world.undo(world.label(2).id)
    world.database.close()
    path = world.database.path
    journal_of(path).unlink()
    with opened(path) as database:
        before = events(database)
    path.unlink()
    with opened(path) as database:
        assert events(database) == before
        with database.read() as session:
            assert len(list_samples(session, project_id=1, split="pool")) == 10


def test_a_journal_that_is_lost_is_written_again_with_what_was_done_to_classes(world):
    path = world.database.path
    change_classes(world)
    world.label(1, 2)
    before = classes_of(world.database)
    world.database.close()
    journal_of(path).unlink()
    open_database(f"sqlite:///{path}").close()
    path.unlink()
    with opened(path) as database:
        assert classes_of(database) == before
        assert [event.class_index for event in events(database)] == [2]


def test_what_was_put_back_is_not_written_to_the_journal_again(world, tmp_path):
    path = world.database.path
    older = backup(world.database, folder=tmp_path / "elsewhere")
    world.label(1)
    world.database.close()
    shutil.copyfile(older, path)
    before = journal_of(path).read_bytes()
    for _ in range(2):
        open_database(f"sqlite:///{path}").close()
    assert journal_of(path).read_bytes() == before


def test_what_was_committed_by_a_process_that_died_before_its_line_was_written_is_written_later(world, monkeypatch):
    with monkeypatch.context() as context:
        context.setattr(journal, "append", lambda *_: None)
        world.label(1, 1)
    assert compare(world.database).only_database == 1
    world.database.close()
    with opened(world.database.path) as database:
        assert compare(database).only_database == 0
        told = [entry["event"]["request_id"] for entry in journal.read(journal_of(database.path)).entries[-1:]]
        assert told == ["request-1"]


def test_where_both_agree_an_opening_writes_nothing(world):
    world.label(1)
    world.database.close()
    open_database(f"sqlite:///{world.database.path}").close()
    before = [world.database.path.read_bytes(), journal_of(world.database.path).read_bytes()]
    with opened(world.database.path) as database:
        assert database.recovered == ""
    assert [world.database.path.read_bytes(), journal_of(world.database.path).read_bytes()] == before


def test_the_journal_of_another_project_is_refused(world, tmp_path):
    other = tmp_path / "other" / "labelloop.db"
    other.parent.mkdir()
    with closing(create_database(f"sqlite:///{other}")) as database, database.write() as session:
        create_project(session, name="plants", classes=["oak", "elm"], seed=3)
    world.database.close()
    shutil.copyfile(journal_of(other), journal_of(world.database.path))
    with pytest.raises(ForeignJournalError, match="plants"):
        open_database(f"sqlite:///{world.database.path}")


def test_undos_and_corrections_find_what_they_name_though_its_number_is_another_by_now(world, tmp_path):
    first = world.label(1, 0)
    world.undo(world.label(2, 0).id)
    world.label(1, 1)
    world.database.close()
    rows = [entry for entry in journal.read(journal_of(world.database.path)).entries if "event" in entry]
    moved = [json.loads(json.dumps(entry)) for entry in rows]
    for entry in moved:
        entry["event"]["id"] += 100
    others = [entry for entry in journal.read(journal_of(world.database.path)).entries if "event" not in entry]
    target = tmp_path / "moved" / "labelloop.db"
    target.parent.mkdir()
    journal.append(journal_of(target), [journal.line_of(entry) for entry in [*others, *reversed(moved)]])
    with opened(target) as database:
        found = {event.request_id: event for event in events(database)}
        assert found["request-3"].supersedes == found[first.request_id].id
        with database.read() as session:
            assert {row.sample_id: row.class_index for row in current_labels(session, project_id=1)} == {1: 1}
            assert last_event_id(session, project_id=1) == 104


WRONG = st.binary(min_size=1, max_size=60).filter(lambda line: b"\n" not in line)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.dictionaries(
    st.sampled_from(["event", "sample", "annotator", "class", "project", "samples", "before"]),
    st.dictionaries(
        st.sampled_from(["id", "request_id", "created_at", "project_id", "name", "rows", "columns", "supersedes"]), JSON
    ),
    min_size=1,
)


def right(value):
    text = json.dumps(value).encode()
    return b"%08x %s" % (zlib.crc32(text), text)


BAD = WRONG | JSON.map(right) | ENTRIES.map(right) | WRONG.map(lambda text: b"%08x %s" % (zlib.crc32(text), text))
BAD_LINES = 500


def bad_lines():
    made = list[bytes]()

    @settings(
        max_examples=BAD_LINES, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate],
        database=None,
    )  # fmt: skip
    @seed(20)
    @given(BAD)
    def make(line):
        made.append(line)

    make()
    return made


def test_five_hundred_bad_lines_cost_no_label(labeled):
    path = labeled / "labelloop.db"
    good, bad, chance = journal_of(path).read_bytes().split(b"\n"), bad_lines(), random.Random(0)
    assert len(bad) >= BAD_LINES
    for line in bad:
        good.insert(chance.randrange(len(good) + 1), line)
    journal_of(path).write_bytes(b"\n".join(good))
    path.write_bytes(b"garbage" * 100)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    outcome = restore(path, backups=labeled / "backups")
    assert (outcome.from_journal, outcome.damaged_lines) == (LABELS, len(bad))
    with opened(path) as database, database.read() as session:
        assert [entry.name for entry in list_classes(session, project_id=1)] == ["cat", "dog"]
        assert last_event_id(session, project_id=1) == LABELS


def test_a_new_sample_of_a_lost_while_comes_back_without_a_label(world, samples_like):
    world.database.close()
    older = world.database.path.read_bytes()
    world.database = open_database(f"sqlite:///{world.database.path}")
    world.tell(add_samples, samples=[samples_like("later")])
    world.database.close()
    world.database.path.write_bytes(older)
    for suffix in ("-wal", "-shm"):
        world.database.path.with_name(world.database.path.name + suffix).unlink(missing_ok=True)
    with opened(world.database.path) as database:
        assert database.recovered == "1 samples that the database had lost were put back from the label journal."
