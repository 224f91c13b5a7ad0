from pathlib import Path

import pytest

from app.errors import AlreadyRunningError, ProjectError, TrainerRunningError
from app.project.doctor import backups
from app.project.lock import trainer_lock
from app.project.project import Project, create_project
from app.project.restoring import restore_project, restored_text
from app.project.settings import ProjectSettings
from app.running.supervisor import held
from storage.backup import backup
from storage.classes import rename_class
from storage.labels import LabelEventInfo, list_events, record_decision
from storage.projects import get_or_create_annotator
from storage.samples import NewSample, add_samples


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = create_project(tmp_path / "pets", settings=ProjectSettings(name="pets"), classes=["cat", "dog"])
    database = made.open_database()
    with database.write() as session:
        add_samples(session, project_id=1, samples=[NewSample("/images/1.png", "1" * 64, 8, 8, "pool")])
    backup(database, folder=made.folder / "backups")
    with database.write() as session:
        annotator_id = get_or_create_annotator(session, project_id=1, name="ada")
        record_decision(
            session, project_id=1, sample_id=1, annotator_id=annotator_id, action="label", class_index=1, request_id="r"
        )
    database.close()
    return made


def events(project: Project) -> list[LabelEventInfo]:
    database = project.open_database()
    try:
        with database.read() as session:
            return list_events(session, project_id=1)
    finally:
        database.close()


def test_a_damaged_project_opens_again_with_its_labels(project: Project) -> None:
    before = events(project)
    project.database_path.write_bytes(b"no database at all" * 1000)
    outcome = restore_project(project)
    assert events(project) == before
    assert outcome.from_journal == len(before) == 1
    said = restored_text(outcome)
    assert "1 label events more" in said
    assert outcome.set_aside is not None
    assert outcome.set_aside.name in said


def test_damaged_lines_are_told(project: Project) -> None:
    with (project.folder / "labels.journal").open("ab") as journal:
        journal.write(b"\ntorn")
    assert "1 lines of the journal were damaged" in restored_text(restore_project(project))


def test_nothing_is_restored_under_a_running_project(project: Project) -> None:
    content = project.database_path.read_bytes()
    with held(project), pytest.raises(AlreadyRunningError):
        restore_project(project)
    with trainer_lock(project.lock_path), pytest.raises(TrainerRunningError):
        restore_project(project)
    assert project.database_path.read_bytes() == content


def test_a_database_server_is_left_to_its_own_backups(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELLOOP_DATABASE_URL", "postgresql://localhost/labels")
    with pytest.raises(ProjectError, match="database server"):
        restore_project(project)


def test_a_database_file_that_is_named_elsewhere_is_what_is_restored(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = events(project)
    (tmp_path / "team").mkdir()
    for name in ("labelloop.db", "labels.journal", "backups"):
        (project.folder / name).rename(tmp_path / "team" / name)
    monkeypatch.setenv("LABELLOOP_DATABASE_URL", f"sqlite:///{tmp_path}/team/labelloop.db")
    assert events(project) == before
    assert "; 1 label events in labels.journal" in backups(project).found
    is_there = project.database_file
    project.database_path.write_bytes(b"no database at all" * 1000)
    assert restore_project(project).from_journal == 1
    assert events(project) == before
    assert project.database_file not in (None, is_there)
    assert not list(project.folder.glob("*.db*"))


def test_changes_of_classes_that_came_back_are_told(project: Project, tmp_path: Path) -> None:
    database = project.open_database()
    older = backup(database, folder=tmp_path / "older")
    with database.write() as session:
        rename_class(session, project_id=1, name="cat", new_name="lynx", who="ada")
    database.close()
    older.replace(project.database_path)
    said = restored_text(restore_project(project))
    assert said.startswith("The database is sound; 1 changes of classes that it had lost came back")
