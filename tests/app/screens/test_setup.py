from __future__ import annotations

from contextlib import closing

import fsspec
import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.project.project import open_project
from app.project.watched import seen_of, watched_sources
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
    return screen.button(key="create").click().run()


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
    under_field, at_button = [error.value for error in create(new_screen).error]
    assert under_field.replace("\\", "").endswith("/nowhere: there is no such file or folder.")
    assert at_button.startswith("Nothing was made yet.")
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


def test_a_source_is_watched_from_its_import_on_and_can_be_let_go(filled, open_screen, images):
    screen = open_screen("setup.py")
    screen.text_input(key="add_folder").set_value(str(images)).run()
    screen.checkbox(key="add_watch").check().run()
    screen.button(key="add_samples").click().run()
    screen = finish_import(screen, filled.project.folder)
    [watched] = watched_sources(filled.project)
    assert (watched.source, len(seen_of(filled.project, watched))) == (str(images), len(list(images.rglob("*.*"))))
    screen.toggle(key="watched_0").set_value(False).run()
    assert watched_sources(filled.project) == []


def test_samples_that_cannot_be_added_are_refused_under_their_field_and_stay_typed(filled, open_screen, tmp_path):
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn/1.zip").write_bytes(b"no archive")
    screen = open_screen("setup.py")
    screen.segmented_control(key="add_kind").set_value("File").run()
    screen.text_input(key="add_csv").set_value(str(tmp_path / "torn/1.zip")).run()
    screen.button(key="add_samples").click().run()
    screen = finish_import(screen, filled.project.folder)
    assert len(screen.error) == 1
    assert screen.text_input(key="add_csv").value == str(tmp_path / "torn/1.zip")
    screen.text_input(key="add_csv").set_value("/nowhere.csv").run()
    screen = screen.button(key="add_samples").click().run()
    assert "Nothing was added yet. /nowhere.csv" in texts(screen.error).replace("\\", "")


def test_saved_settings_are_in_the_file(filled, open_screen):
    screen = open_screen("setup.py")
    screen.number_input(key="settings_query_size").set_value(7)
    screen.selectbox(key="settings_acquisition").set_value("margin")
    screen.selectbox(key="settings_stop").set_value("loops.stopping:SettledAccuracy")
    screen.button(key="save_settings").click().run()
    settings = filled.project.settings()
    assert (settings.query_size, settings.acquisition, settings.name) == (7, "margin", "animals")
    assert settings.stop == "loops.stopping:SettledAccuracy"


def test_a_class_given_twice_is_refused_with_a_sentence(filled, open_screen):
    screen = open_screen("setup.py")
    screen.text_area(key="new_classes").set_value("fox, cat")
    assert len(screen.button(key="class_do").click().run().error) == 1
    with filled.database.read() as session:
        assert len(list_classes(session, project_id=filled.project_id)) == 3


def test_new_classes_come_after_the_others(filled, open_screen):
    screen = open_screen("setup.py")
    screen.text_area(key="new_classes").set_value("fox\ngnu")
    screen.button(key="class_do").click().run()
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
    create(new_screen)
    new_screen.switch_page("help.py").run()
    screen = new_screen.switch_page("setup.py").run()
    assert screen.text_input(key="new_folder").value == str(tmp_path / "nowhere")
    assert screen.text_area(key="new_classes_text").value == "cat, dog"
    assert screen.text_input(key="new_test_csv").value == "/somewhere/test.csv"


def test_nothing_typed_is_lost_when_an_import_fails(new_screen, tmp_path):
    write_image(tmp_path / "torn/cat/1.png", 10)
    (tmp_path / "torn/cat/1.png").write_bytes(b"no image")
    new_screen.text_input(key="new_folder").set_value(str(tmp_path / "torn")).run()
    new_screen.text_area(key="new_classes_text").set_value("cat, dog")
    new_screen.number_input(key="new_query_size").set_value(7)
    screen = finish_import(create(new_screen), tmp_path / "new")
    assert "cannot be imported" in texts(screen.error)
    assert screen.text_input(key="new_folder").value == str(tmp_path / "torn")
    assert screen.text_area(key="new_classes_text").value == "cat, dog"
    assert screen.number_input(key="new_query_size").value == 7
    assert not (tmp_path / "new" / "settings.toml").exists()


def test_a_number_out_of_range_is_refused_beside_its_field_and_stays(new_screen, images, tmp_path):
    new_screen.text_input(key="new_folder").set_value(str(images)).run()
    new_screen.number_input(key="new_query_size").set_value(0).run()
    assert texts(new_screen.error) == "From 1 to 100,000; 0 was typed."
    screen = create(new_screen)
    assert screen.error[0].value == r"Round size\: From 1 to 100,000; 0 was typed."
    assert screen.number_input(key="new_query_size").value == 0
    assert not _jobs().get(str(tmp_path / "new"))


def test_settings_out_of_range_are_not_saved_and_stay_typed(filled, open_screen):
    screen = open_screen("setup.py")
    screen.number_input(key="settings_target_accuracy").set_value(90.0)
    screen = screen.button(key="save_settings").click().run()
    assert [error.value for error in screen.error] == [
        "From 0 to 1; 90 was typed.",
        r"Target accuracy\: From 0 to 1; 90 was typed.",
    ]
    assert filled.project.settings().target_accuracy == 0
    screen.switch_page("help.py").run()
    assert screen.switch_page("setup.py").run().number_input(key="settings_target_accuracy").value == 90


def test_a_folder_is_chosen_by_looking(new_screen, images, tmp_path):
    new_screen.text_input(key="new_folder").set_value(str(tmp_path)).run()
    screen = new_screen.button(key="new_folder_browse").click().run()
    assert "Here: 1 folder." in texts(screen.caption)
    [entry] = [button for button in screen.button if button.label == "images"]
    screen = entry.click().run()
    assert "Here: 2 folders" in texts(screen.caption)
    screen = screen.button(key="new_folder_use").click().run()
    assert screen.text_input(key="new_folder").value == str(images)
    assert not screen.warning
    assert "2 added" in texts(finish_import(create(screen), tmp_path / "new").markdown)


def test_classes_that_are_refused_stay_to_be_mended_and_taken_ones_make_room(filled, open_screen):
    screen = open_screen("setup.py")
    screen.text_area(key="new_classes").set_value("fox, cat")
    screen = screen.button(key="class_do").click().run()
    assert screen.text_area(key="new_classes").value == "fox, cat"
    screen.text_area(key="new_classes").set_value("fox")
    assert screen.button(key="class_do").click().run().text_area(key="new_classes").value == ""


def names_and_retired(filled):
    with filled.database.read() as session:
        return [(entry.name, entry.retired) for entry in list_classes(session, project_id=filled.project_id)]


def choose(screen, action, **values):
    """Choose what to do to a class and fill its fields."""
    screen.segmented_control(key="class_action").set_value(action).run()
    for key, value in values.items():
        [field] = [
            one for kind in ("selectbox", "text_input", "text_area") for one in screen.get(kind) if one.key == key
        ]
        field.set_value(value).run()
    return screen


def test_a_class_is_merged_after_it_was_said_what_that_does_and_taken_back(filled, open_screen):
    for sample_id, class_index in ((1, 0), (2, 1), (3, 1)):
        filled.label(sample_id, class_index)
    screen = choose(open_screen("setup.py"), "Merge", class_to_merge="dog", class_merged_into="emu")
    assert '2 labels of "dog" become "emu"' in texts(screen.caption)
    screen = screen.button(key="class_do").click().run()
    assert "2 labels of dog are labels of emu now" in texts(screen.success)
    assert list(screen.dataframe[0].value["Labels"]) == [1, 0, 2]
    assert "dog merged into emu, by tester" in texts(screen.markdown)
    screen = screen.button(key="undo_class_change_1").click().run()
    assert list(screen.dataframe[0].value["Labels"]) == [1, 2, 0]
    assert names_and_retired(filled) == [("cat", False), ("dog", False), ("emu", False)]
    assert "taken back" in texts(screen.caption)


def test_a_name_that_is_taken_is_refused_under_the_field_and_stays_typed(filled, open_screen):
    screen = choose(open_screen("setup.py"), "Rename", class_to_rename="cat", class_new_name="DOG")
    screen = screen.button(key="class_do").click().run()
    assert "to make one of two classes, merge them" in texts(screen.error)
    assert screen.text_input(key="class_new_name").value == "DOG"
    screen.text_input(key="class_new_name").set_value("kitten").run()
    screen = screen.button(key="class_do").click().run()
    assert not screen.error
    assert names_and_retired(filled)[0] == ("kitten", False)
    screen = screen.button(key="undo_class_change_1").click().run()
    assert names_and_retired(filled)[0] == ("cat", False)
    assert len([button for button in screen.button if button.label == "Undo"]) == 0, "one line, and it is taken back"


def test_a_class_is_retired_and_brought_back_and_the_last_two_stay(filled, open_screen):
    screen = choose(open_screen("setup.py"), "Retire", class_to_retire="dog").button(key="class_do").click().run()
    assert list(screen.dataframe[0].value["Class"]) == ["cat", "dog (retired)", "emu"]
    screen = choose(screen, "Retire", class_to_retire="cat").button(key="class_do").click().run()
    assert "A project needs two classes" in texts(screen.error)
    choose(screen, "Bring back").button(key="class_do").click().run()
    assert names_and_retired(filled)[1] == ("dog", False)


def test_a_class_is_described(filled, open_screen):
    screen = choose(open_screen("setup.py"), "Describe", class_to_describe="emu")
    [field] = [area for area in screen.text_area if area.label == "What belongs to it"]
    field.set_value("A bird that runs.").run()
    screen = screen.button(key="class_do").click().run()
    assert list(screen.dataframe[0].value["What belongs to it"]) == ["", "", "A bird that runs."]


def test_after_an_import_one_link_leads_to_labeling(new_screen, images, tmp_path):
    new_screen.text_input(key="new_folder").set_value(str(images)).run()
    screen = finish_import(create(new_screen), tmp_path / "new")
    assert "Start labeling" in [link.proto.label for link in screen.get("page_link")]


def test_an_address_is_taken_as_the_command_line_takes_it(new_screen, images, tmp_path):
    fsspec.filesystem("memory").put(str(images), "bucket/setup-pets", recursive=True)
    new_screen.text_input(key="new_folder").set_value("memory://bucket/setup-pets").run()
    assert not [button for button in new_screen.button if button.label == "Look at it first"]
    screen = finish_import(create(new_screen), tmp_path / "new")
    assert "2 added" in texts(screen.markdown)
    project = open_project(tmp_path / "new")
    with closing(project.open_database()) as database, database.read() as session:
        names = [entry.name for entry in list_classes(session, project_id=project.project_id(database))]
    assert names == ["cat", "dog"]
