import shutil
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from storage.engine import connect, translated
from storage.errors import (
    DatabaseBusyError,
    DatabaseDamagedError,
    DatabaseReadOnlyError,
    DatabaseReplacedError,
    DatabaseUnavailableError,
    DatabaseUrlError,
    DiskFullError,
    NetworkFileSystemError,
)
from storage.library import choose_library
from storage.opening import create_database, open_database
from storage.projects import create_project, find_project

# The very library of the engines: locks are the process's, and two libraries in one process do not see each other's.
sqlite = choose_library().dbapi


def pragma(session, name):
    return session.execute(text(f"PRAGMA {name}")).scalar_one()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("busy_timeout", 15_000),
        ("synchronous", 2),  # FULL
        ("foreign_keys", 1),
        ("journal_size_limit", 67_108_864),
        ("trusted_schema", 0),
    ],
)
def test_both_engines_answer_with_the_pragmas_of_the_promise(database, name, value):
    with database.read() as reading, database.write() as writing:
        assert pragma(reading, name) == value
        assert pragma(writing, name) == value


def test_the_journal_mode_is_the_one_that_is_safe_with_the_library(database):
    with database.read() as session:
        assert pragma(session, "journal_mode") == database.journal_mode


def test_a_reading_session_cannot_write(database):
    with pytest.raises(DatabaseReadOnlyError), database.read() as session:
        session.execute(text("CREATE TABLE t (a)"))


def test_an_error_rolls_the_whole_transaction_back(database):
    def half_an_action():
        with database.write() as session:
            create_project(session, name="half", classes=["a"], seed=0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_an_action()
    with database.read() as session:
        assert find_project(session, name="half") is None


def test_a_reader_sees_one_snapshot_while_others_write(database):
    with database.read() as reading:
        assert find_project(reading, name="late") is None
        with database.write() as writing:
            create_project(writing, name="late", classes=["a"], seed=0)
        assert find_project(reading, name="late") is None
    with database.read() as reading:
        assert find_project(reading, name="late") is not None


def test_a_write_takes_its_lock_at_the_beginning(database):
    other = sqlite.connect(database.path, timeout=0)
    with database.write(), pytest.raises(sqlite.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")  # free again after the transaction
    other.close()


def test_a_lock_that_does_not_come_is_a_sentence(database):
    other = sqlite.connect(database.path, isolation_level=None)
    with database.write() as session:
        session.execute(text("PRAGMA busy_timeout=1"))  # stays with the pooled connection
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusyError, match="nothing was saved"), database.write():
        pass
    other.close()


def test_a_full_disk_is_a_sentence_and_costs_only_the_transaction(database):
    with database.write() as session:
        pages = pragma(session, "page_count")
        session.execute(text(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(DiskFullError, match="not saved"), database.write() as session:
        create_project(session, name="big", classes=["x" * 1_000_000], seed=0)
    with database.read() as session:
        assert find_project(session, name="big") is None


def test_a_file_that_is_no_database_is_refused_untouched(tmp_path):
    path = tmp_path / "labelloop.db"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    before = path.read_bytes()
    with pytest.raises(DatabaseDamagedError, match="labelloop restore"):
        open_database(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_torn_page_is_noticed_at_the_opening(world):
    path = world.database.path
    world.database.close()
    content = bytearray(path.read_bytes())
    for start in range(4096, len(content), 4096):  # every page but the first
        content[start : start + 64] = b"\xa5" * 64
    path.write_bytes(content)
    with pytest.raises(DatabaseDamagedError):
        open_database(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("no url", "it is no URL"),
        ("mysql://host/name", "not with mysql"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:////no/such/folder/labelloop.db", "no folder"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_the_reason(url, why):
    with pytest.raises(DatabaseUrlError, match=why):
        open_database(url)


def test_a_password_is_not_shown_in_a_refusal():
    with pytest.raises(DatabaseUrlError) as refusal:
        open_database("mysql://ada:secret@host/name")
    assert "secret" not in str(refusal.value)


def test_a_postgresql_url_gets_a_reading_engine_that_cannot_write():
    pytest.importorskip("psycopg")
    database = connect("postgresql://ada@localhost/labels")
    assert database.path is None
    assert database.url.drivername == "postgresql+psycopg"
    assert database._reading.get_execution_options()["postgresql_readonly"] is True
    database.close()


def test_a_database_on_a_network_file_system_is_refused(tmp_path, monkeypatch):
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(f"1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:5 / {tmp_path} rw - nfs4 server:/export rw\n")
    monkeypatch.setattr("storage.filesystem.MOUNTINFO", mountinfo)
    with pytest.raises(NetworkFileSystemError, match="nfs4"):
        open_database(f"sqlite:///{tmp_path / 'labelloop.db'}")
    assert not (tmp_path / "labelloop.db").exists()


def test_a_disk_that_cannot_be_written_to_is_not_only_a_database_without_an_answer():
    error = OperationalError("", {}, sqlite3.OperationalError("disk I/O error"))
    with pytest.raises(DatabaseUnavailableError, match="disk I/O error: the disk is full, or failing"), translated():
        raise error


def test_a_file_that_was_replaced_is_neither_read_nor_written_any_more(tmp_path):
    path = tmp_path / "labelloop.db"
    with closing(create_database(f"sqlite:///{path}")) as database:
        with database.write() as session:
            create_project(session, name="old", classes=["a", "b"], seed=0)
        shutil.copy(path, tmp_path / "copy.db")
        (tmp_path / "copy.db").replace(path)
        for opened in (database.read, database.write):
            with pytest.raises(DatabaseReplacedError, match="open the project again"), opened():
                pass
        path.unlink()
        with pytest.raises(DatabaseReplacedError):
            database.connect_to_write()
