import pytest

from storage import backup as backup_module
from storage.backup import backup, check_integrity
from storage.engine import connect
from storage.errors import BackupError
from storage.labels import list_events
from storage.opening import open_database


def test_a_backup_holds_every_event_and_opens_as_a_project_database(world, tmp_path):
    world.label(1)
    world.skip(2)
    copy = open_database(f"sqlite:///{backup(world.database, folder=tmp_path / 'backups')}")
    with copy.read() as session:
        assert list_events(session, project_id=world.project_id) == world.ask(list_events)
    copy.close()


def test_a_backup_is_taken_while_another_transaction_writes(world, tmp_path):
    world.label(1)
    with world.database.write():
        assert backup(world.database, folder=tmp_path).is_file()


def test_a_copy_that_is_damaged_does_not_become_a_backup(world, tmp_path, monkeypatch):
    monkeypatch.setattr(backup_module, "_problems", lambda connection: ["page 3 is torn"])
    with pytest.raises(BackupError, match="page 3 is torn"):
        backup(world.database, folder=tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_sentence(world, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(BackupError, match="No backup was made"):
        backup(world.database, folder=tmp_path / "taken")


def test_a_database_server_is_backed_up_by_its_own_tool(tmp_path):
    pytest.importorskip("psycopg")
    with pytest.raises(BackupError, match="pg_dump"):
        backup(connect("postgresql://localhost/labels"), folder=tmp_path)


def test_a_sound_database_has_no_problems(world):
    world.label(1)
    assert check_integrity(world.database) == []


def test_a_damaged_database_is_described(world):
    path = world.database.path
    world.database.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    assert check_integrity(world.database) != []
