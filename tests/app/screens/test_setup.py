from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.project.project import open_project
from app.screens.setup_page.import_job import _jobs
from storage.projects import list_classes
from storage.samples import count_samples


def finish_import(screen, folder):
    """Wait for the import that runs beside the screens, then draw the page anew."""
    assert _jobs()[str(folder)].finished.wait(60)
    return screen.run()


def write_image(path, gray):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), gray).save(path)


def texts(elements):
    return " ".join(element.value for element in elements)


@pytest.fixture
def images(tmp_path):
    """Two good images of two classes, a copy of the first and a torn one."""
    write_image(tmp_path / "images/cat/1.png", 10)
    write_image(tmp_path / "images/dog/2.png", 20)
    write_image(tmp_path / "images/dog/copy.png", 10)
    (tmp_path / "images/cat/torn.png").write_bytes(b"no image")
    return tmp_path / "images"


@pytest.fixture
def new_screen(tmp_path, monkeypatch, repository):
    monkeypatch.setenv("LABELLOOP_PROJECT", str(tmp_path / "new"))
    monkeypatch.delenv("LABELLOOP_DATABASE_URL", raising=False)
    return AppTest.from_file(str(repository / "app/screens/main.py"), default_timeout=60).run()


def create(screen):
    [button] = [button for button in screen.button if button.label == "Create the project"]
    return button.click().run()


def test_a_new_project_takes_its_classes_from_the_folders_and_lists_what_it_refused(new_screen, images, tmp_path):
    new_screen.text_input(key="new_folder").set_value(str(images)).run()
    new_screen.number_input(key="new_query_size").set_value(5)
    screen = finish_import(create(new_screen), tmp_path / "new")
    project = open_project(tmp_path / "new")
    database = project.open_database()
    with database.read() as session:
        identity = project.project_id(database)
        assert [entry.name for entry in list_classes(session, project_id=identity)] == ["cat", "dog"]
        assert count_samples(session, project_id=identity).pool == 2
    database.close()
    assert project.settings().query_size == 5
    assert "2 added, 1 duplicate, 1 refused" in texts(screen.markdown)
    assert list(screen.dataframe[0].value["File"]) == ["cat/torn.png"]
    assert not screen.exception


def test_a_wrong_folder_is_refused_with_a_sentence_and_makes_no_project(new_screen, tmp_path):
    new_screen.text_input(key="new_folder").set_value(str(tmp_path / "nowhere")).run()
    screen = finish_import(create(new_screen), tmp_path / "new")
    assert "there is no such file or folder" in texts(screen.error)
    assert not (tmp_path / "new" / "settings.toml").exists()


def test_features_of_ones_own_are_rows_by_the_names_of_the_images_and_a_function_is_refused(
    new_screen, images, tmp_path
):
    new_screen.text_input(key="new_folder").set_value(str(images)).run()
    new_screen.text_input(key="new_embedding").set_value("os:system")
    refused = create(new_screen)
    assert "is given on the command line" in texts(refused.error)
    np.save(tmp_path / "rows.npy", np.zeros((1, 2)))
    new_screen.text_input(key="new_embedding").set_value(str(tmp_path / "rows.npy"))
    screen = finish_import(create(new_screen), tmp_path / "new")
    assert "it has 1 rows, but there are" in texts(screen.error)
    assert not (tmp_path / "new" / "settings.toml").exists()


def test_without_images_the_form_says_what_is_missing(new_screen):
    assert "Say first where the samples are" in texts(create(new_screen).error)


def test_samples_are_added_later(filled, open_screen, images):
    screen = open_screen("setup.py")
    screen.text_input(key="add_folder").set_value(str(images)).run()
    screen.button(key="add_samples").click().run()
    screen = finish_import(screen, filled.project.folder)
    assert screen.metric[0].value == "8"
    screen.button(key="import_report_close").click().run()
    assert "added" not in texts(screen.markdown)


def test_saved_settings_are_in_the_file(filled, open_screen):
    screen = open_screen("setup.py")
    screen.number_input(key="settings_query_size").set_value(7)
    screen.selectbox(key="settings_acquisition").set_value("margin")
    [save] = [button for button in screen.button if button.label == "Save settings"]
    save.click().run()
    settings = filled.project.settings()
    assert (settings.query_size, settings.acquisition, settings.name) == (7, "margin", "animals")


def test_a_class_given_twice_is_refused_with_a_sentence(filled, open_screen):
    screen = open_screen("setup.py")
    screen.text_area(key="new_classes").set_value("fox, cat")
    [add] = [button for button in screen.button if button.label == "Add classes"]
    assert len(add.click().run().error) == 1
    with filled.database.read() as session:
        assert len(list_classes(session, project_id=filled.project_id)) == 3


def test_new_classes_come_after_the_others(filled, open_screen):
    screen = open_screen("setup.py")
    screen.text_area(key="new_classes").set_value("fox\ngnu")
    [add] = [button for button in screen.button if button.label == "Add classes"]
    add.click().run()
    with filled.database.read() as session:
        names = [entry.name for entry in list_classes(session, project_id=filled.project_id)]
    assert names == ["cat", "dog", "emu", "fox", "gnu"]


def test_labels_that_come_with_a_folder_are_looked_at_taken_and_taken_back(new_screen, open_screen, images, tmp_path):
    new_screen.text_input(key="new_folder").set_value(str(images)).run()
    screen = new_screen.button(key="new_preview").click().run()
    assert "4 files, 4 with a label." in texts(screen.markdown)
    screen.checkbox(key="new_labeled").check().run()
    screen = finish_import(create(screen), tmp_path / "new")
    assert "1 labels." in texts(screen.caption)
    assert [(metric.label, metric.value) for metric in screen.metric][1:3] == [
        ("Labeled", "1"),
        ("of them imported", "1"),
    ]
    assert "cat as cat/1.png and dog as dog/copy.png" in str(screen.dataframe[2].value)
    screen = screen.button(key="undo_import_1").click().run()
    assert [(metric.label, metric.value) for metric in screen.metric][1] == ("Labeled", "0")


def test_nothing_typed_is_lost_when_a_new_project_is_refused(new_screen, tmp_path):
    new_screen.text_input(key="new_folder").set_value(str(tmp_path / "nowhere")).run()
    new_screen.text_area(key="new_classes_text").set_value("cat, dog")
    new_screen.text_input(key="new_test_csv").set_value("/somewhere/test.csv")
    screen = finish_import(create(new_screen), tmp_path / "new")
    assert screen.text_input(key="new_folder").value == str(tmp_path / "nowhere")
    assert screen.text_area(key="new_classes_text").value == "cat, dog"
    assert screen.text_input(key="new_test_csv").value == "/somewhere/test.csv"


def test_classes_that_are_refused_stay_to_be_mended_and_taken_ones_make_room(filled, open_screen):
    screen = open_screen("setup.py")
    screen.text_area(key="new_classes").set_value("fox, cat")
    [button] = [button for button in screen.button if button.label == "Add classes"]
    screen = button.click().run()
    assert screen.text_area(key="new_classes").value == "fox, cat"
    screen.text_area(key="new_classes").set_value("fox")
    [button] = [button for button in screen.button if button.label == "Add classes"]
    assert button.click().run().text_area(key="new_classes").value == ""


def test_after_an_import_one_link_leads_to_labeling(new_screen, images, tmp_path):
    new_screen.text_input(key="new_folder").set_value(str(images)).run()
    screen = finish_import(create(new_screen), tmp_path / "new")
    assert "Start labeling" in [link.proto.label for link in screen.get("page_link")]
