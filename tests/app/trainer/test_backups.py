import threading
from datetime import datetime, timedelta, timezone

import pytest

from app.trainer.backups import KEPT, HourlyBackups, back_up_if_due
from storage import backup as backup_module
from storage.backup import list_backups
from storage.errors import BackupError
from storage.opening import create_database, open_database
from storage.projects import create_project, find_project


@pytest.fixture
def database(tmp_path):
    opened = create_database(f"sqlite:///{tmp_path / 'labelloop.db'}")
    with opened.write() as session:
        create_project(session, name="pets", classes=["cat", "dog"], seed=0)
    yield opened
    opened.close()


def test_a_trainer_that_starts_makes_one_and_it_opens_as_a_database(database, tmp_path):
    folder = tmp_path / "backups"
    for _ in range(2):  # the second start finds a young one
        with HourlyBackups(database, threading.Event()):
            pass
    (made,) = list_backups(folder)
    copy = open_database(f"sqlite:///{made}")
    with copy.read() as session:
        assert find_project(session, name="pets") is not None
    copy.close()


def test_a_day_of_them_is_kept(database, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    now = datetime.now(timezone.utc)
    for hours in range(1, 40):
        (folder / f"labelloop-{now - timedelta(hours=hours):%Y%m%dT%H%M%S_%fZ}.db").touch()
    back_up_if_due(database, folder)
    assert len(list_backups(folder)) == KEPT == 24
    assert list_backups(folder)[0].stat().st_size > 0


def test_one_that_fails_is_logged_and_stops_nothing(database, tmp_path, monkeypatch, caplog):
    def fail(*_):
        raise BackupError("the copy is damaged")

    monkeypatch.setattr(backup_module, "_copy", fail)
    back_up_if_due(database, tmp_path / "backups")
    assert "the copy is damaged" in caplog.text
    assert list_backups(tmp_path / "backups") == []
