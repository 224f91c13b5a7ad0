from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from app.project.moments import moment_said
from app.project.project import Project, create_project
from app.project.settings import ProjectSettings
from storage.errors import NoMomentError
from storage.labels import record_decision
from storage.projects import get_or_create_annotator
from storage.samples import NewSample, add_samples


@pytest.fixture
def labeled_at_noon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project whose only label was given at noon in UTC, on a machine that is five hours ahead of it."""
    monkeypatch.setenv("TZ", "HERE-5")
    time.tzset()
    monkeypatch.setattr("storage.labels.utc_now", lambda: datetime(2026, 5, 31, 12, tzinfo=timezone.utc))
    project = create_project(tmp_path / "p", settings=ProjectSettings(name="p"), classes=["cat", "dog"])
    database = project.open_database()
    with database.write() as session:
        add_samples(session, project_id=1, samples=[NewSample("a.png", "0" * 64, 8, 8, "pool", None)])
        ada = get_or_create_annotator(session, project_id=1, name="ada")
        record_decision(
            session, project_id=1, sample_id=1, annotator_id=ada, action="label", class_index=0, request_id="1"
        )
    database.close()
    yield project
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("2026-05-31T17:00", "12:00"),  # of here
        ("2026-05-31 17:00:00", "12:00"),
        ("2026-05-31T12:00Z", "12:00"),
        ("2026-05-31T14:00+02:00", "12:00"),
        ("2026-05-31T14:00+02", "12:00"),
        ("2026-05-31", "18:59"),  # the end of that day, here
    ],
)
def test_a_time_is_that_of_this_machine_unless_it_names_a_zone(labeled_at_noon: Project, words: str, said: str) -> None:
    database = labeled_at_noon.open_database()
    found = moment_said(database, 1, words)
    database.close()
    assert found.event_id == 1
    assert found.at.utcoffset() == timedelta(hours=5)
    assert found.at.astimezone(timezone.utc).strftime("%H:%M") == said


@pytest.mark.parametrize("words", ["2026-05-31T16:59", "2026-05-31T11:59Z", "2026-05-30"])
def test_a_minute_before_there_was_no_label(labeled_at_noon: Project, words: str) -> None:
    database = labeled_at_noon.open_database()
    with pytest.raises(NoMomentError, match=r"the first label is of 2026-05-31 17:00:00\+05:00"):
        moment_said(database, 1, words)
    database.close()
