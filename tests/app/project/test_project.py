from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import ProjectError, SettingsError
from app.project.project import create_project, open_project
from app.project.settings import ProjectSettings, save_settings
from storage.projects import list_classes

SETTINGS = ProjectSettings(name="pets", seed=3)


def test_a_created_project_opens_with_its_settings_and_classes(tmp_path: Path) -> None:
    create_project(tmp_path / "new" / "pets", settings=SETTINGS, classes=["cat", " dog "])
    project = open_project(tmp_path / "new" / "pets")
    database = project.open_database()
    with database.read() as session:
        classes = list_classes(session, project_id=project.project_id(database))
    database.close()
    assert project.settings() == SETTINGS
    assert [entry.name for entry in classes] == ["cat", "dog"]


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (["cat", ""], "blank"),
        (["cat", "cat"], "given twice"),
        (["cat"], "at least 2"),
        ([], "at least 2"),
        (["cat", "d\nog"], "one line of text"),
        (["cat", "d\udcffg"], "one line of text"),  # what a shell makes of a name that is no UTF-8
    ],
)
def test_classes_that_cannot_be_used_are_refused_before_anything_is_made(
    tmp_path: Path, classes: list[str], said: str
) -> None:
    with pytest.raises(ProjectError, match=said):
        create_project(tmp_path / "pets", settings=SETTINGS, classes=classes)
    assert not (tmp_path / "pets").exists()


def test_any_script_names_classes_with_all_that_joins_its_letters(tmp_path: Path) -> None:
    names = ["שלום", "नर\u200cक", "👨\u200d👩\u200d👧", "猫, 犬", "<b>"]
    project = create_project(tmp_path / "pets", settings=SETTINGS, classes=names)
    database = project.open_database()
    with database.read() as session:
        classes = list_classes(session, project_id=project.project_id(database))
    database.close()
    assert [entry.name for entry in classes] == names


def test_a_project_is_not_made_over_another(tmp_path: Path) -> None:
    create_project(tmp_path, settings=SETTINGS, classes=["cat", "dog"])
    with pytest.raises(ProjectError, match="already is a LabelLoop project"):
        create_project(tmp_path, settings=SETTINGS, classes=["cat", "dog"])


def test_a_project_is_not_made_among_somebodys_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ProjectError, match=r"holds 'thesis\.tex'"):
        create_project(tmp_path, settings=SETTINGS, classes=["cat", "dog"])
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_interrupted_creation_can_be_repeated_with_the_same_classes_only(tmp_path: Path) -> None:
    create_project(tmp_path, settings=SETTINGS, classes=["cat", "dog"]).settings_path.unlink()
    with pytest.raises(ProjectError, match="already holds a project named 'pets'"):
        create_project(tmp_path, settings=SETTINGS, classes=["dog", "cat"])
    assert create_project(tmp_path, settings=SETTINGS, classes=["cat", "dog"]).settings() == SETTINGS


def test_a_database_that_holds_another_project_says_what_may_have_changed(tmp_path: Path) -> None:
    project = create_project(tmp_path, settings=SETTINGS, classes=["cat", "dog"])
    save_settings(project.settings_path, replace(SETTINGS, name="other"))
    database = project.open_database()
    with pytest.raises(ProjectError, match=r"no project named 'other'.*LABELLOOP_DATABASE_URL.*labelloop restore"):
        project.project_id(database)
    database.close()


def test_what_is_no_project_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"There is no folder .*labelloop init"):
        open_project(tmp_path / "nowhere")
    with pytest.raises(ProjectError, match=r"no settings\.toml"):
        open_project(tmp_path)


def test_a_project_whose_settings_cannot_be_used_does_not_open(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('name = "a"\nquery_size = 0\n')
    with pytest.raises(SettingsError, match="query_size"):
        open_project(tmp_path)


def test_a_renamed_project_says_so(tmp_path: Path) -> None:
    project = create_project(tmp_path, settings=SETTINGS, classes=["cat", "dog"])
    project.settings_path.write_text('name = "others"\n')
    database = project.open_database()
    with pytest.raises(ProjectError, match="no project named 'others'"):
        project.project_id(database)
    database.close()


def test_the_environment_names_another_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = create_project(tmp_path, settings=SETTINGS, classes=["cat", "dog"])
    assert project.database_url == f"sqlite:///{tmp_path}/labelloop.db"
    monkeypatch.setenv("LABELLOOP_DATABASE_URL", "postgresql://team/labels")
    assert project.database_url == "postgresql://team/labels"


def test_on_a_shared_database_a_name_belongs_to_whoever_took_it_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELLOOP_DATABASE_URL", f"sqlite:///{tmp_path}/team.db")
    create_project(tmp_path / "mine", settings=SETTINGS, classes=["cat", "dog"])
    with pytest.raises(ProjectError, match="already holds a project named 'pets'"):
        create_project(tmp_path / "yours", settings=SETTINGS, classes=["cat", "dog"])
    assert not (tmp_path / "yours" / "settings.toml").exists()
