"""A watched source: new samples come in once they stand still; what moved, changed or is gone is named."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import ProjectError
from app.formats.errors import LostConnectionError
from app.project.creation import make_project, open_for
from app.project.project import Project
from app.project.settings import ProjectSettings
from app.project.watched import outcome_of, unwatch, watch, watched_as, watched_sources
from app.project.watching import SourceWatch, seen_now
from storage.current import current_labels
from storage.refusals import list_broken
from storage.samples import count_samples, list_samples
from tests.app.conftest import Painter

Start = Callable[..., SourceWatch]


@pytest.fixture
def photos(tmp_path: Path, painter: Painter) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.png").write_bytes(painter.encoded())
    return folder


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Makes a project of a source and watches it."""

    def begin(source: Path, **how: object) -> SourceWatch:
        settings = ProjectSettings("photos")
        project = make_project(tmp_path / "project", settings=settings, classes=["cat", "dog"], data=source).project
        watched = watched_as(source, **how)
        watch(project, watched, seen_now(open_for(project, source), watched))
        return SourceWatch(project, watched)

    return begin


def places(project: Project) -> list[str]:
    with project.opened_to_read() as database, database.read() as session:
        samples = list_samples(session, project_id=project.project_id(database), split="pool")
    return [Path(sample.uri).name for sample in samples]


def broken(project: Project) -> int:
    with project.opened_to_read() as database, database.read() as session:
        return len(list_broken(session, project_id=project.project_id(database)))


def said(watching: SourceWatch) -> str:
    return outcome_of(watching.project, watching.watched).said


def test_new_files_come_in_and_what_is_there_is_not_looked_at_again(
    photos: Path, start: Start, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = start(photos)
    assert (watching.look(), watching.look()) == (False, False)
    (photos / "new.png").write_bytes(painter.encoded())
    (photos / "same.png").write_bytes((photos / "a.png").read_bytes())
    (photos / "bad.png").write_bytes(b"no image")
    assert not watching.look(), "they may be half written"
    assert watching.look()
    assert places(watching.project) == ["a.png", "b.png", "c.png", "new.png"]
    assert said(watching) == "1 new sample came in; 1 refused."
    monkeypatch.setattr("app.project.watching.add_to_pool", lambda *_given, **_named: pytest.fail("looked at again"))
    again = SourceWatch(watching.project, watching.watched)  # after a restart
    assert (again.look(), again.look()) == (False, False)


def test_a_file_that_grows_waits(photos: Path, start: Start, painter: Painter) -> None:
    watching, whole = start(photos), painter.encoded()
    for end in (10, 40, 70, len(whole)):
        (photos / "large.png").write_bytes(whole[:end])
        assert not watching.look()
    assert watching.look()
    assert "large.png" in places(watching.project)
    assert broken(watching.project) == 0


def test_a_moved_file_is_found_a_changed_one_is_another_sample_and_a_gone_one_is_named(
    photos: Path, start: Start, painter: Painter
) -> None:
    watching = start(photos)
    (photos / "deep").mkdir()
    (photos / "a.png").rename(photos / "deep" / "moved.png")
    watching.look()
    assert watching.look()
    assert said(watching).startswith("1 found at another place, such as")
    assert places(watching.project) == ["moved.png", "b.png", "c.png"]

    (photos / "b.png").write_bytes(painter.encoded())
    watching.look()
    watching.look()
    assert said(watching) == "1 new sample came in; 1 other picture under a known name."

    (photos / "c.png").unlink()
    assert watching.look()
    assert said(watching) == "1 gone, such as c.png."
    assert not watching.look(), "that is said once"
    assert broken(watching.project) == 1, "the replaced one; what is gone may come back"


@pytest.mark.parametrize("is_mount_point_left", [False, True])
def test_a_disk_that_is_away_marks_nothing(photos: Path, start: Start, *, is_mount_point_left: bool) -> None:
    watching = start(photos)
    kept = photos.with_name("kept")
    photos.rename(kept)
    if is_mount_point_left:
        photos.mkdir()
    assert watching.look()
    assert "is not there just now" in outcome_of(watching.project, watching.watched).trouble
    assert not watching.look()
    shutil.rmtree(photos, ignore_errors=True)
    kept.rename(photos)
    assert not watching.look()
    assert outcome_of(watching.project, watching.watched).trouble == ""
    assert (len(places(watching.project)), broken(watching.project)) == (3, 0)


def test_rows_of_a_list_come_in_with_their_labels(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "texts.csv"
    path.write_text("text,label\nfine,\nawful,\n")
    watching = start(path, labeled=True)
    path.write_text("text,label\nfine,\nawful,\nlovely,cat\n")
    os.utime(path, ns=(1, 1))
    watching.look()
    assert watching.look()
    assert said(watching) == "1 new sample came in; 1 label taken over."
    with watching.project.opened_to_read() as database, database.read() as session:
        project_id = watching.project.project_id(database)
        assert [one.sample_id for one in current_labels(session, project_id=project_id)] == [3]
        assert count_samples(session, project_id=project_id).pool == 2


def test_a_list_of_files_waits_for_the_files(tmp_path: Path, photos: Path, start: Start, painter: Painter) -> None:
    path = photos / "list.csv"
    path.write_text("path,label\na.png,\n")
    watching = start(path)
    (photos / "late.png").write_bytes(painter.encoded())
    path.write_text("path,label\na.png,\nlate.png,\n")
    for _ in range(3):
        watching.look()
    assert places(watching.project) == ["a.png", "late.png"]


def test_what_lies_elsewhere_comes_in_at_once_and_a_lost_connection_marks_nothing(
    photos: Path, start: Start, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = start(photos)
    project, address = watching.project, "s3://bucket/photos"
    reopened = lambda *_given, **_named: open_for(project, photos)  # noqa: E731 - a copy that was fetched
    monkeypatch.setattr("app.project.watching.open_for", reopened)
    watched = watched_as(address)
    watch(project, watched, seen_now(open_for(project, photos), watched))
    watching = SourceWatch(project, watched)
    (photos / "new.png").write_bytes(painter.encoded())
    assert watching.look(), "an object there is whole or not there"
    assert said(watching) == "1 new sample came in."

    def lost(*_given: object, **_named: object) -> None:
        raise LostConnectionError("bucket cannot be reached.")

    monkeypatch.setattr("app.project.watching.open_for", lost)
    assert watching.look()
    assert outcome_of(project, watched).trouble == "bucket cannot be reached."
    assert (len(places(project)), broken(project)) == (4, 0)


def test_what_is_watched_is_listed_and_can_be_let_go(photos: Path, start: Start, tmp_path: Path) -> None:
    watching = start(photos)
    assert [one.source for one in watched_sources(watching.project)] == [str(photos)]
    with pytest.raises(ProjectError, match="is not watched"):
        unwatch(watching.project, str(tmp_path))
    unwatch(watching.project, str(photos))
    assert watched_sources(watching.project) == []
    with pytest.raises(ProjectError, match="is an archive"):
        watched_as(tmp_path / "photos.zip")
    with pytest.raises(ProjectError, match="a password or a key"):
        watched_as("https://me:secret@example.org/photos")
