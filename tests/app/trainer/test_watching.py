"""The thread that looks at watched sources."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from app.formats.errors import SourceError
from app.project.project import create_project
from app.project.settings import ProjectSettings
from app.project.watched import outcome_of, watch, watched_as
from app.project.watching import SourceWatch
from app.trainer import watching
from app.trainer.watching import WatchedSources


def test_each_source_is_looked_at_in_its_time_and_one_that_fails_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = create_project(tmp_path / "project", settings=ProjectSettings("photos"), classes=["cat", "dog"])
    sources = [watched_as(tmp_path / "one"), watched_as(tmp_path / "two"), watched_as("s3://bucket/three")]
    for source in sources:
        watch(project, source, {})
    looked: list[str] = []

    def look(self: SourceWatch) -> bool:
        looked.append(self.watched.source)
        if self.watched == sources[0]:
            raise SourceError("one cannot be read.")
        return False

    monkeypatch.setattr(SourceWatch, "look", look)
    monkeypatch.setattr(watching, "LOOK_S", 0.0)
    monkeypatch.setattr(watching, "SHARE", 1e9)
    beside = WatchedSources(project, threading.Event())
    beside.look()
    beside.look()
    local = [source.source for source in sources[:2]]
    assert looked == [*local, "s3://bucket/three", *local], "an address is listed once in five minutes"
    assert [outcome_of(project, one).trouble for one in sources] == ["one cannot be read.", "", ""]


def test_it_ends_with_the_trainer(tmp_path: Path) -> None:
    project = create_project(tmp_path / "project", settings=ProjectSettings("photos"), classes=["cat", "dog"])
    with WatchedSources(project, threading.Event()) as beside:
        assert beside._thread.is_alive()
    assert not beside._thread.is_alive()
