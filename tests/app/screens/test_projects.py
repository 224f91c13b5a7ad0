from __future__ import annotations

import pytest

from app.project.library import archive_project, known_projects, note_project
from app.project.project import create_project
from app.project.settings import ProjectSettings


@pytest.fixture
def birds(tmp_path, monkeypatch, filled):
    """A second project beside the one that is open."""
    monkeypatch.setenv("LABELLOOP_HOME", str(tmp_path / "home"))
    note_project(filled.project.folder)
    made = create_project(tmp_path / "birds", settings=ProjectSettings("birds"), classes=["jay", "owl"])
    note_project(made.folder)
    return made.folder


def texts(elements):
    return " ".join(element.value.replace("\\", "") for element in elements)


def test_projects_are_listed_and_one_that_cannot_be_opened_from_here_has_its_command(birds, open_screen):
    screen = open_screen("projects.py")
    assert "**birds** 0 samples (image) · 0 labels" in texts(screen.markdown)
    assert "**animals** 6 samples (image)" in texts(screen.markdown)
    assert [code.value for code in screen.code] == [f"labelloop run {birds}"]
    assert "open here" in texts(screen.caption)


def test_a_project_is_deleted_and_brought_back(birds, open_screen):
    screen = open_screen("projects.py")
    screen = screen.button(key=f"Delete_{birds}").click().run()
    assert "was moved to the trash" in texts(screen.success)
    [gone] = [entry for entry in known_projects() if entry.deleted_from]
    assert not birds.exists()
    screen = screen.button(key=f"Bring back_{gone.folder}").click().run()
    assert f"{birds} is back." in texts(screen.success)
    assert (birds / "settings.toml").is_file()


def test_a_copy_into_a_folder_that_is_taken_is_refused_beside_it(birds, open_screen, filled):
    screen = open_screen("projects.py")
    screen.text_input(key=f"copy_to_{birds}").set_value(str(filled.project.folder)).run()
    screen = screen.button(key=f"copy_{birds}").click().run()
    assert "already is a LabelLoop project" in texts(screen.error)
    assert screen.text_input(key=f"copy_to_{birds}").value == str(filled.project.folder)
    screen.text_input(key=f"copy_to_{birds}").set_value(f"{birds}-copy").run()
    assert "is a copy" in texts(screen.button(key=f"copy_{birds}").click().run().success)


def test_an_archived_project_is_listed_apart(birds, open_screen):
    archive_project(birds)
    screen = open_screen("projects.py")
    assert [button.key for button in screen.button if str(birds) in button.key] == [f"Bring back_{birds}"]
    screen.button(key=f"Bring back_{birds}").click().run()
    assert f"Delete_{birds}" in [button.key for button in screen.button]


def test_a_new_project_is_named_by_a_new_folder(birds, open_screen, tmp_path):
    screen = open_screen("projects.py")
    screen = screen.button(key="make_project").click().run()
    assert "Say first which folder" in texts(screen.error)
    screen.text_input(key="new_project_folder").set_value(str(tmp_path / "fish")).run()
    screen = screen.button(key="make_project").click().run()
    assert f"labelloop run {tmp_path / 'fish'}" in texts(screen.success)
