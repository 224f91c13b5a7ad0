import sqlite3
from types import SimpleNamespace

import pytest

from storage import library
from storage.library import SqliteLibrary, choose_library, is_wal_safe
from storage.opening import create_database


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
    ],
)
def test_wal_is_used_only_where_the_reset_fault_is_fixed(version, safe):
    assert is_wal_safe(version) is safe
    assert SqliteLibrary("any", version, sqlite3).journal_mode == ("wal" if safe else "delete")


def choose(monkeypatch, *, standard, bundled):
    monkeypatch.setattr(library, "sqlite3", SimpleNamespace(sqlite_version_info=standard))
    other = bundled and SqliteLibrary("pysqlite3", bundled, sqlite3)
    monkeypatch.setattr(library, "_pysqlite3", lambda: other)
    chosen = choose_library()
    return chosen.name, chosen.journal_mode


def test_a_sound_standard_library_is_taken(monkeypatch):
    assert choose(monkeypatch, standard=(3, 52, 0), bundled=(3, 53, 4)) == ("sqlite3", "wal")


def test_an_affected_standard_library_gives_way_to_pysqlite3(monkeypatch):
    assert choose(monkeypatch, standard=(3, 40, 1), bundled=(3, 53, 4)) == ("pysqlite3", "wal")


def test_without_a_sound_library_there_is_no_wal(monkeypatch):
    assert choose(monkeypatch, standard=(3, 40, 1), bundled=None) == ("sqlite3", "delete")
    assert choose(monkeypatch, standard=(3, 40, 1), bundled=(3, 51, 0)) == ("sqlite3", "delete")


def test_a_database_opens_without_wal_and_says_so(tmp_path, monkeypatch):
    old = SqliteLibrary("sqlite3", (3, 40, 1), sqlite3)
    monkeypatch.setattr("storage.engine.choose_library", lambda: old)
    database = create_database(f"sqlite:///{tmp_path / 'labelloop.db'}")
    with database.read() as session:
        assert session.connection().exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
    assert (database.journal_mode, database.library) == ("delete", "sqlite3 3.40.1")
    database.close()
