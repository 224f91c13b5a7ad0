from __future__ import annotations

import pytest

from storage import changes
from storage.changes import Changes
from storage.projects import create_project


def write(database, name):
    with database.write() as session:
        create_project(session, name=name, classes=["a", "b"], seed=0)


@pytest.mark.sqlite
def test_a_write_is_seen_once_and_a_read_is_none(database):
    with Changes(database) as watch:
        assert watch.since_last_look()
        assert not watch.since_last_look()
        write(database, "one")
        assert watch.since_last_look()
        assert not watch.since_last_look()
        with database.read() as session:
            session.connection()
        assert not watch.since_last_look()


@pytest.mark.sqlite
def test_watching_keeps_nobody_from_writing(database):
    with Changes(database) as watch:
        watch.since_last_look()
        for number in range(3):
            write(database, str(number))
            assert watch.since_last_look()


def test_no_write_is_missed_however_often_one_looks(database, monkeypatch):
    monkeypatch.setattr(changes, "_SERVER_PAUSE_S", 0.0)
    with Changes(database) as watch:
        assert watch.since_last_look()
        write(database, "one")
        assert watch.since_last_look()
