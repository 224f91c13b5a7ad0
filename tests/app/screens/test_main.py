from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

PAGES = ("setup.py", "label.py", "grid.py", "progress.py", "uncertainty.py", "review.py", "help.py", "projects.py")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_without_error_on_a_project_that_has_no_round_yet(page, filled, open_screen):
    screen = open_screen(page)
    assert not screen.error


def test_the_screens_load_neither_torch_nor_the_trainer(filled, repository):
    pages = "; ".join(f"screen.switch_page({page!r}); screen.run()" for page in PAGES)
    code = (
        "import sys; from streamlit.testing.v1 import AppTest; "
        f"screen = AppTest.from_file({str(repository / 'app/screens/main.py')!r}, default_timeout=60); "
        f"screen.query_params['annotator'] = 'tester'; screen.run(); {pages}; "
        "heavy = {'torch', 'pytorch_lightning', 'flash', 'baal', 'sklearn', 'app.trainer'} & set(sys.modules); "
        "assert not screen.exception and not heavy, heavy"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("page", ["setup.py", "label.py"])
def test_without_a_project_only_setup_help_and_other_projects_are_offered(page, tmp_path, monkeypatch, open_screen):
    monkeypatch.setenv("LABELLOOP_PROJECT", str(tmp_path / "new"))
    screen = open_screen(page)
    assert [title.value for title in screen.title] == ["A new project"]
    assert [link.proto.label for link in screen.sidebar.get("page_link")] == ["Setup", "Help", "Projects"]
    assert not screen.sidebar.text_input


def test_a_project_that_is_gone_is_waited_for_and_is_not_a_new_one(filled, open_screen):
    screen = open_screen("label.py")
    folder, away = filled.project.folder, filled.project.folder.with_name("renamed")
    folder.rename(away)
    screen.run()
    assert "is not there: was it renamed, or is its disk away?" in screen.warning[0].value.replace("\\", "")
    assert not screen.title

    away.rename(folder)
    screen.run()
    assert not screen.warning


def test_a_copy_that_is_put_in_the_databases_place_is_the_one_that_is_written(filled, open_screen, tmp_path):
    open_screen("progress.py")
    path = filled.project.database_path
    kept = path.read_bytes()
    before = filled.project.database_file
    path.unlink()
    (tmp_path / "copy").write_bytes(kept)
    (tmp_path / "copy").rename(path)
    assert filled.project.database_file != before


def test_a_damaged_settings_file_is_a_sentence_and_no_traceback(filled, repository):
    Path(filled.project.settings_path).write_text("name = ", encoding="utf-8")
    screen = AppTest.from_file(str(repository / "app/screens/main.py"), default_timeout=60).run()
    assert "is not valid TOML" in screen.error[0].value
    assert not screen.exception


def test_the_annotators_name_stays_on_every_page(filled, open_screen):
    screen = open_screen("label.py")
    screen.text_input(key="annotator_name").set_value("ben").run()
    screen.switch_page("help.py").run()
    assert screen.text_input(key="annotator_name").value == "ben"
    assert screen.query_params["annotator"] in ("ben", ["ben"])
