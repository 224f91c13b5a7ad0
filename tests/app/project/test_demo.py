from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.errors import DemoError
from app.project import demo
from app.project.demo import demo_folder, open_demo, sample_data
from app.project.project import Project
from storage.labels import list_events
from storage.projects import list_classes
from storage.samples import SampleCounts, count_samples, list_samples


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABELLOOP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _counts(project: Project) -> SampleCounts:
    database = project.open_database()
    with database.read() as session:
        counts = count_samples(session, project_id=project.project_id(database))
    database.close()
    return counts


def test_the_demo_has_the_digits_the_test_labels_and_no_label_of_the_pool(home: Path) -> None:
    project = open_demo()
    database = project.open_database()
    project_id = project.project_id(database)
    with database.read() as session:
        pool = list_samples(session, project_id=project_id, split="pool")
        test = list_samples(session, project_id=project_id, split="test")
        classes = [entry.name for entry in list_classes(session, project_id=project_id)]
        events = list_events(session, project_id=project_id)
    database.close()
    assert (project.folder, project.settings().name) == (home / "demo", "Digits demo")
    assert classes == list("0123456789")
    assert (len(pool), len(test), events) == (1397, 400, [])
    assert all(sample.class_index is None for sample in pool)
    assert all(sample.class_index is not None for sample in test)
    assert not list(project.folder.rglob("labels.csv"))


def test_the_demo_stands_on_its_own_images_so_that_its_checkout_may_go(tmp_path: Path) -> None:
    project = open_demo()
    database = project.open_database()
    with database.read() as session:
        uris = [s.uri for s in list_samples(session, project_id=project.project_id(database), split="pool")]
    database.close()
    assert all(Path(uri).is_relative_to(project.folder) for uri in uris)


def test_the_demo_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    open_demo()
    monkeypatch.setattr(demo, "sample_data", lambda: pytest.fail("the sample data was read again"))
    assert _counts(open_demo()).pool == 1397


def test_a_demo_interrupted_half_way_is_made_whole_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(done: int, _total: int) -> None:
        if done >= 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_demo(progress=interrupt)
    counts = _counts(open_demo())
    assert (counts.pool, counts.test) == (1397, 400)


def test_the_sample_data_is_found_in_the_working_folder_too(
    tmp_path: Path, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "__file__", str(tmp_path / "site-packages" / "app" / "project" / "demo.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DemoError, match="labelloop init"):
        sample_data()
    shutil.copytree(digits, tmp_path / "sample_data" / "digits")
    assert sample_data() == tmp_path / "sample_data" / "digits"


def test_without_a_home_the_demo_lies_in_the_accounts_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABELLOOP_HOME")
    monkeypatch.setattr("platformdirs.user_data_path", lambda name, appauthor: Path("/data") / name)
    assert demo_folder() == Path("/data/labelloop/demo")
