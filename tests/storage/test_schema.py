import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from storage import schema
from storage.errors import BackupError, ForeignDatabaseError, SchemaTooNewError
from storage.labels import current_labels, list_events
from storage.library import choose_library
from storage.models import Base
from storage.opening import open_database
from storage.projects import kind_of_samples
from storage.queue import claim_batch
from storage.rounds import list_queries, list_rounds
from storage.samples import SampleCounts, count_samples
from storage.schema import HEAD
from storage.suspects import list_suspects

OLD = Path(__file__).parent / "schemas"  # a project of every earlier version, as SQL

FIRST_COLUMNS = (
    "id", "project_id", "sample_id", "annotator_id", "action", "class_index", "purpose", "round_number", "acquisition",
    "score", "acquisition_probability", "rank", "model_version", "suggestion_shown", "lead_time_s", "request_id",
    "supersedes", "created_at",
)  # fmt: skip
EARLIER = {
    # version: events, what stands by sample, counts, states of the rounds, the open ranking, suspects
    "0001": (9, {1: 0, 2: 0, 3: 1, 5: None, 6: 1}, 4, ["closed", "open"], [7, 8, 9], []),
    "0002": (11, {1: 1, 2: 0, 3: 1, 5: None, 6: 1, 7: 1}, 5, ["closed", "closed", "open"], [1, 7, 8, 9], [2]),
    "0003": (12, {1: 1, 2: 0, 3: 1, 5: None, 6: 1, 7: 1, 8: 0}, 6, ["closed", "closed", "open"], [1, 7, 8, 9], [2]),
    "0004": (13, {1: 1, 2: 0, 3: 1, 5: None, 6: 1, 7: 1, 8: 0}, 6, ["closed", "closed", "open"], [1, 7, 8, 9], [2]),
    "0008": (13, {1: 1, 2: 0, 3: 1, 5: None, 6: 1, 7: 1, 8: 0}, 6, ["closed", "closed", "open"], [1, 7, 8, 9], [2]),
    "0009": (13, {1: 1, 2: 0, 3: 1, 5: None, 6: 1, 7: 1, 8: 0}, 6, ["closed", "closed", "open"], [1, 7, 8, 9], [2]),
    "0010": (13, {1: 1, 2: 0, 3: 1, 5: None, 6: 1, 7: 1, 8: 0}, 6, ["closed", "closed", "open"], [1, 7, 8, 9], [2]),
    "0011": (13, {1: 1, 2: 0, 3: 1, 5: None, 6: 1, 7: 1, 8: 0}, 6, ["closed", "closed", "open"], [1, 7, 8, 9], [2]),
    "0012": (13, {1: 1, 2: 0, 3: 1, 5: None, 6: 1, 7: 1, 8: 0}, 6, ["closed", "closed", "open"], [1, 7, 8, 9], [2]),
    "0013": (13, {1: 1, 2: 0, 3: 1, 5: None, 6: 1, 7: 1, 8: 0}, 6, ["closed", "closed", "open"], [1, 7, 8, 9], [2]),
    "0014": (13, {1: 1, 2: 0, 3: 1, 5: None, 6: 1, 7: 1, 8: 0}, 6, ["closed", "closed", "open"], [1, 7, 8, 9], [2]),
}

# By event: samples at once, reasons shown.
SHOWN = {version: {12: 12} for version in EARLIER if version >= "0003"}
# By event: predictor, its version and labels; kept aside.
ASKED = {version: {13: ("graph", "round-2", 4, True)} for version in EARLIER if version >= "0004"}

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("projects", sa.Column("note", sa.String()))
    {more}
"""


@pytest.fixture
def newer_program(tmp_path, monkeypatch):
    """Pretend that this program knows one more schema version."""

    def release(more="pass"):
        folder = tmp_path / "migrations"
        shutil.copytree(schema.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "versions" / "9999_note.py").write_text(NEXT.format(head=HEAD, more=more))
        monkeypatch.setattr(schema, "MIGRATIONS", folder)
        monkeypatch.setattr(schema, "HEAD", "9999")

    return release


def reopen(world):
    world.database.close()
    return open_database(f"sqlite:///{world.database.path}")


def backups(world):
    return sorted((world.database.path.parent / "backups").glob("*"))


def test_the_newest_migration_is_the_head_this_program_expects():
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_heads() == [schema.HEAD]


def test_the_migrations_make_the_tables_of_the_models(database):
    with database.read() as session:
        assert compare_metadata(MigrationContext.configure(session.connection()), Base.metadata) == []


def test_a_new_database_needs_no_backup(database):
    assert not (database.path.parent / "backups").exists()


def test_opening_again_changes_nothing(world):
    events = world.label(1) and world.ask(list_events)
    world.database = reopen(world)
    assert world.ask(list_events) == events
    assert backups(world) == []
    world.database.close()


def test_an_upgrade_keeps_every_label_and_leaves_a_backup_that_opens(world, newer_program):
    world.label(1, 1)
    world.undo(world.label(2).id)
    before, standing = world.ask(list_events), world.ask(current_labels)
    newer_program()
    world.database = reopen(world)
    assert world.ask(list_events) == before
    assert world.ask(current_labels) == standing
    with world.database.read() as session:
        assert "note" in {column["name"] for column in inspect(session.connection()).get_columns("projects")}
    (backup,) = backups(world)
    with choose_library().dbapi.connect(backup) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
        assert copy.execute("SELECT count(*) FROM label_events").fetchone() == (3,)
    copy.close()
    world.database.close()


def restore(version, path):
    """Make a database file as an earlier version of this program left it."""
    with choose_library().dbapi.connect(path) as old:
        old.executescript((OLD / f"{version}.sql").read_text())
    old.close()
    return stored_events(path)[1]


def stored_events(path):
    """The schema version and the label events, as far as the first version had columns for them."""
    with choose_library().dbapi.connect(path) as connection:
        version = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        columns = ", ".join(FIRST_COLUMNS)
        events = connection.execute(f"SELECT {columns} FROM label_events ORDER BY id").fetchall()
    connection.close()
    return version, events


def test_every_earlier_schema_is_kept_as_a_project():
    versions = {script.revision for script in ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions()}
    assert {path.stem for path in OLD.glob("*.sql")} == versions - {HEAD}


@pytest.mark.parametrize("version", sorted(EARLIER))
def test_a_project_of_an_earlier_version_opens_with_no_label_changed(tmp_path, version):
    path = tmp_path / "labelloop.db"
    before = restore(version, path)
    events, labels, labeled, states, ranking, suspects = EARLIER[version]
    database = open_database(f"sqlite:///{path}")
    with database.write() as session:
        assert {label.sample_id: label.class_index for label in current_labels(session, project_id=1)} == labels
        counts = SampleCounts(pool=8 - labeled, test=1, labeled=labeled, skipped=1, broken=1)
        assert count_samples(session, project_id=1) == counts
        rounds = list_rounds(session, project_id=1)
        assert [entry.state for entry in rounds] == states
        queries = list_queries(session, round_id=rounds[-1].id)
        assert [(query.sample_id, query.annotators) for query in queries] == [(number, 1) for number in ranking]
        assert [suspect.sample_id for suspect in list_suspects(session, project_id=1)] == suspects
        stored = list_events(session, project_id=1)
        assert {event.id: event.shown_together for event in stored if event.why_shown} == SHOWN.get(version, {})
        whose = ("predictor", "predictor_version", "predictor_labels", "aside")
        asked = {event.id: tuple(getattr(event, name) for name in whose) for event in stored}
        assert {event_id: told for event_id, told in asked.items() if any(told)} == ASKED.get(version, {})
        (claimed, *_) = claim_batch(session, project_id=1, annotator_id=1, count=2)
        assert (claimed.sample.id, claimed.seen) == (4, True)  # she took its label back; it is on her screen
        assert kind_of_samples(session, project_id=1) == "image"
        assert compare_metadata(MigrationContext.configure(session.connection()), Base.metadata) == []
    database.close()
    assert len(before) == events
    assert stored_events(path) == (HEAD, before)
    (backup,) = (tmp_path / "backups").iterdir()
    assert stored_events(backup) == (version, before)


def test_the_backup_of_an_earlier_version_can_itself_be_opened(tmp_path):
    before = restore("0001", tmp_path / "labelloop.db")
    open_database(f"sqlite:///{tmp_path / 'labelloop.db'}").close()
    (backup,) = (tmp_path / "backups").iterdir()
    open_database(f"sqlite:///{backup}").close()
    assert stored_events(backup) == (HEAD, before)


def test_an_upgraded_project_still_refuses_to_change_a_label(tmp_path):
    restore("0001", tmp_path / "labelloop.db")
    database = open_database(f"sqlite:///{tmp_path / 'labelloop.db'}")
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text("UPDATE label_events SET class_index = 1 WHERE id = 1"))
    database.close()


def test_an_upgrade_that_fails_half_way_changes_nothing(world, newer_program):
    world.label(1)
    newer_program(more='op.execute("no SQL at all")')
    with pytest.raises(Exception, match="syntax error"):
        reopen(world)
    with choose_library().dbapi.connect(world.database.path) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
        assert "note" not in {row[1] for row in connection.execute("PRAGMA table_info(projects)")}
        assert connection.execute("SELECT count(*) FROM label_events").fetchone() == (1,)
    connection.close()


def test_without_a_good_backup_there_is_no_upgrade(world, newer_program):
    (world.database.path.parent / "backups").write_text("a file where the folder should be")
    newer_program()
    with pytest.raises(BackupError):
        reopen(world)


def test_a_newer_schema_is_refused_and_left_alone(world):
    with world.database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '99999'"))
    with pytest.raises(SchemaTooNewError, match="99999"):
        reopen(world)
    assert backups(world) == []


def test_a_database_of_another_program_is_refused(tmp_path):
    with choose_library().dbapi.connect(tmp_path / "labelloop.db") as other:
        other.execute("CREATE TABLE recipes (name)")
    other.close()
    with pytest.raises(ForeignDatabaseError, match="another program"):
        open_database(f"sqlite:///{tmp_path / 'labelloop.db'}")


def test_processes_that_start_together_migrate_once(tmp_path, run_processes):
    script = (
        "import sys; from storage.opening import create_database; "
        "database = create_database(f'sqlite:///{sys.argv[1]}'); print(database.journal_mode); database.close()"
    )
    assert len(set(run_processes(script, 4, tmp_path / "labelloop.db"))) == 1


def test_opening_a_current_database_does_not_load_alembic(world, run_processes):
    script = (
        "import sys; from storage.opening import open_database; open_database(f'sqlite:///{sys.argv[1]}').close(); "
        "print('alembic' in sys.modules)"
    )
    assert run_processes(script, 1, world.database.path) == ["False\n"]
