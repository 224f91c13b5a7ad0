from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from app.errors import ProjectError
from app.project.creation import make_project
from app.project.library import (
    archive_project,
    bring_back,
    copy_project,
    delete_project,
    known_projects,
    note_project,
)
from app.project.lock import trainer_lock
from app.project.overview import overview
from app.project.project import Project, open_project
from app.project.settings import ProjectSettings
from storage.labels import record_decision
from storage.projects import get_or_create_annotator


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABELLOOP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LABELLOOP_DATABASE_URL", raising=False)
    return tmp_path / "home"


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """A project of four images, one of which is labeled."""
    (tmp_path / "images").mkdir()
    for shade in range(4):
        Image.new("L", (8, 8), shade).save(tmp_path / "images" / f"{shade}.png")
    folder = tmp_path / "pets"
    made = make_project(folder, settings=ProjectSettings("pets"), classes=["cat", "dog"], data=tmp_path / "images")
    label(made.project, 1)
    note_project(folder)
    return folder


def label(project: Project, sample_id: int) -> None:
    with closing(project.open_database()) as database:
        project_id = project.project_id(database)
        with database.write() as session:
            ada = get_or_create_annotator(session, project_id=project_id, name="ada")
            record_decision(
                session, project_id=project_id, sample_id=sample_id, annotator_id=ada, action="label", class_index=0,
                request_id=f"r{sample_id}",
            )  # fmt: skip


def labels_of(folder: Path) -> list[int]:
    return [overview(entry).labels for entry in known_projects() if entry.folder == folder]


def test_a_project_is_listed_once_with_what_it_holds(pets: Path) -> None:
    note_project(pets)
    [found] = [overview(entry) for entry in known_projects()]
    assert (found.name, found.kind, found.samples, found.labels, found.accuracy) == ("pets", "image", 4, 1, "")
    assert not found.trouble


def test_a_copy_goes_its_own_way(pets: Path, tmp_path: Path) -> None:
    copied = copy_project(pets, tmp_path / "more" / "copy")
    label(copied, 2)
    assert (labels_of(pets), labels_of(copied.folder)) == ([1], [2])
    with pytest.raises(ProjectError, match="already is a LabelLoop project"):
        copy_project(pets, copied.folder)
    with pytest.raises(ProjectError, match="lies inside the project"):
        copy_project(pets, pets / "copy")


def test_a_deleted_project_comes_back_with_its_labels(pets: Path) -> None:
    gone = delete_project(pets)
    assert not pets.exists()
    assert [(entry.called, entry.deleted_from is not None) for entry in known_projects()] == [(pets, True)]
    assert overview(gone).labels == 1, "it can be looked at where it lies"
    assert bring_back(pets) == f"{pets} is back."
    assert labels_of(pets) == [1]
    with pytest.raises(ProjectError, match="No project was deleted"):
        bring_back(pets)


def test_the_last_one_deleted_comes_back_and_never_over_another(pets: Path, tmp_path: Path) -> None:
    kept = copy_project(pets, tmp_path / "kept")
    label(kept, 2)
    delete_project(pets)
    kept.folder.rename(pets)
    with pytest.raises(ProjectError, match="is taken by now"):
        bring_back(pets)
    delete_project(pets)
    bring_back(pets)
    assert labels_of(pets) == [2]


def test_an_archived_project_comes_back_where_another_was_deleted_before(pets: Path, tmp_path: Path) -> None:
    kept = copy_project(pets, tmp_path / "kept")
    delete_project(pets)
    kept.folder.rename(pets)
    archive_project(pets)
    assert bring_back(pets) == f"{pets} is among the projects again."


def test_a_project_whose_labels_are_elsewhere_is_not_copied_without_them(
    pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELLOOP_DATABASE_URL", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    with pytest.raises(ProjectError, match="'labelloop move' copies them"):
        copy_project(pets, tmp_path / "copy")
    monkeypatch.setenv("LABELLOOP_DATABASE_URL", f"sqlite:///{pets / 'labelloop.db'}")
    copied = copy_project(pets, tmp_path / "copy")
    monkeypatch.delenv("LABELLOOP_DATABASE_URL")
    assert labels_of(copied.folder) == [1]


@pytest.mark.parametrize("lock", ["supervisor_lock_path", "lock_path"])
def test_what_runs_is_neither_deleted_nor_copied(pets: Path, tmp_path: Path, lock: str) -> None:
    with trainer_lock(getattr(open_project(pets), lock)):
        with pytest.raises(ProjectError, match="is running; close it first"):
            delete_project(pets)
        with pytest.raises(ProjectError, match="is running; close it first"):
            copy_project(pets, tmp_path / "copy")
    assert pets.is_dir()
    assert not (tmp_path / "copy").exists()


def test_an_archived_project_is_put_aside_and_taken_back(pets: Path) -> None:
    archive_project(pets)
    assert [entry.archived for entry in known_projects()] == [True]
    note_project(pets)
    assert bring_back(pets) == f"{pets} is among the projects again."
    assert [entry.archived for entry in known_projects()] == [False]


def test_a_database_that_cannot_be_read_is_listed_with_the_reason(pets: Path) -> None:
    (pets / "labelloop.db").write_bytes(b"no database" * 100)
    [found] = [overview(entry) for entry in known_projects()]
    assert found.name == "pets"
    assert found.trouble


def test_a_list_that_cannot_be_read_is_a_sentence(pets: Path, home: Path) -> None:
    (home / "projects.json").write_text("{")
    with pytest.raises(ProjectError, match="Delete it to begin anew"):
        known_projects()


def test_a_list_that_cannot_be_read_keeps_nobody_from_labeling(
    pets: Path, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "projects.json").write_text("[{")
    note_project(pets)
    assert "is not noted in the list of projects" in caplog.text
