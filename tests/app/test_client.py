from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

import labelloop
from app.client import Project
from app.errors import ExportError, ProjectError
from app.project.creation import make_project
from app.project.settings import ProjectSettings
from app.trainer.process import run_trainer
from storage.errors import NoMomentError, RequestIdReusedError, UnknownSampleError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = "\n".join(f"{word} {k}" for k in range(20) for word in ("fine", "awful"))
    (tmp_path / "texts.csv").write_text(f"text\n{rows}\n")
    make_project(
        tmp_path / "project",
        settings=ProjectSettings("words", audit_share=0.0, query_size=4),
        classes=["good", "bad"],
        data=tmp_path / "texts.csv",
    )
    return tmp_path / "project"


def test_a_script_labels_what_is_asked_next_and_the_trainer_follows(folder: Path, tmp_path: Path) -> None:
    with Project(folder, annotator="ada") as project:
        assert len(project.samples()) == 40
        run_trainer(project._project, once=True)
        for question in project.next(4):
            project.label(question.sample_id, "Good" if "fine" in (question.content or "") else "bad")
        run_trainer(project._project, once=True)
        assert [info.labels for info in project.rounds()] == [0, 4]
        assert project.status()["labels"] == 4
        assert project.export("csv", tmp_path / "out").labels == 4
        assert {label.annotator for label in project.labels()} == {"ada"}


def test_a_request_is_stored_once_and_can_be_taken_back(folder: Path) -> None:
    with Project(folder) as project:
        first = project.label(1, "good", request_id="r1")
        assert project.label(1, "good", request_id="r1").id == first.id
        with pytest.raises(RequestIdReusedError):
            project.label(2, "good", request_id="r1")
        project.undo("r1")
        project.skip(2)
        assert [(one.sample_id, one.action) for one in project.labels()] == [(2, "skip")]
        with pytest.raises(ProjectError, match="no class 'ugly'; the classes are good, bad"):
            project.label(1, "ugly")


def test_samples_and_classes_are_named_by_numbers_of_arrays_too(tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text("text\nfine\nawful\n")
    settings = ProjectSettings("words", audit_share=0.0)
    make_project(tmp_path / "project", settings=settings, classes=["0", "1"], data=tmp_path / "texts.csv")
    with Project(tmp_path / "project") as project:
        event = project.label(np.int64(2), np.int64(1))  # as a data frame has them
        assert (type(event.sample_id), event.sample_id, event.class_index) == (int, 2, 1)
        assert project.content(np.int64(2)) == b"awful"
        with pytest.raises(ProjectError, match="no class '2'; the classes are 0, 1"):
            project.label(1, 2)
        for wrong in ("1", 1.0, None, True):
            with pytest.raises(ProjectError, match="A sample has a whole number"):
                project.label(wrong, "0")
        for wrong in (2**70, 0, -1):
            with pytest.raises(UnknownSampleError, match="There is no sample"):
                project.skip(wrong)
        for wrong in (0, -1, 1.5, "a", True):
            with pytest.raises(ProjectError, match="How many samples is a whole number from 1; found"):
                project.next(wrong)
        assert len(project.labels()) == 1


def test_labels_are_exported_as_they_stood(folder: Path, tmp_path: Path) -> None:
    with Project(folder) as project:
        first = project.label(1, "good")
        project.label(2, "bad")
        assert project.export("csv", tmp_path / "by-event", at=f"#{first.id}").labels == 1
        assert project.export("csv", tmp_path / "by-time", at=first.created_at).labels == 1
        assert project.export("csv", tmp_path / "now").labels == 2
        with pytest.raises(NoMomentError, match="Nothing was labeled by"):
            project.export("csv", tmp_path / "before", at=first.created_at - timedelta(days=1))
        with pytest.raises(ExportError, match="exclude each other"):
            project.export("csv", tmp_path / "both", at="2026-01-01", with_predictions=True)


def test_the_facade_has_the_public_names() -> None:
    assert labelloop.Project is Project
    for name in labelloop.__all__:
        assert getattr(labelloop, name).__name__ == name
    with pytest.raises(AttributeError, match="no name 'Nothing'"):
        labelloop.Nothing  # noqa: B018
