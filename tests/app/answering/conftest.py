"""A project of digits with a model, and an answerer that knows a text by its first letter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.answering import served
from app.answering.answerer import About, Floats
from app.answering.served import Served
from app.answering.server import make_app
from app.project.creation import make_project
from app.project.project import Project
from app.project.settings import ProjectSettings
from app.trainer import workbench
from app.trainer.process import run_trainer
from loops.predictors.network_spec import NetworkSpec, choose_network
from storage.labels import list_events


class FirstLetter:
    """Texts that begin with an a are of class `a`, all others of `b`; an empty one cannot be answered."""

    def __init__(self, kind: str = "text", version: str = "round-3") -> None:
        self.about = About("letters", kind, ("a", "b"), version, 2, None)
        self.asked: list[Any] = []
        self.in_pool = 0  # the id of the sample of the project that it has a row of

    def probs(self, samples: Sequence[Any]) -> tuple[Floats, dict[int, str]]:
        self.asked += samples
        begins = [str(sample).startswith("a") for sample in samples]
        bad = {place: "cannot be embedded: odd" for place, sample in enumerate(samples) if sample == "odd"}
        return np.array([[0.9, 0.1] if is_a else [0.2, 0.8] for is_a in begins], np.float32).reshape(-1, 2), bad

    def probs_of_pool(self, sample_ids: Sequence[int]) -> dict[int, Floats]:
        return {one: np.array([0.6, 0.4], np.float32) for one in sample_ids if one == self.in_pool}


@pytest.fixture
def letters() -> FirstLetter:
    return FirstLetter()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "texts.csv").write_text("text\nant\nbee\napple\n")
    return make_project(
        tmp_path / "project",
        settings=ProjectSettings("letters"),
        classes=["a", "b"],
        data=tmp_path / "texts.csv",
    ).project


@pytest.fixture
def letters_served(letters: FirstLetter, project: Project, monkeypatch: pytest.MonkeyPatch):
    """What a project of texts serves, with an answerer that needs no training."""
    monkeypatch.setattr(served, "open_answerer", lambda _path: (letters, project))

    def make(collect: float = 0.0) -> Served:
        return Served(project.folder, collect=collect)

    return make


@pytest.fixture
def client(letters_served) -> TestClient:
    return TestClient(make_app(letters_served()), raise_server_exceptions=False)


def events_of(project: Project) -> list[tuple[str, int | None, str]]:
    with project.opened_to_read() as database, database.read() as session:
        events = list_events(session, project_id=project.project_id(database))
    return [(event.action, event.class_index, event.annotator) for event in events]


def _soon_fitted(name: str, candidates: Sequence[str]) -> NetworkSpec:
    """The network that the trainer would choose; one of pixels learns for an epoch in place of a minute."""
    spec = choose_network(name, candidates)
    return replace(spec, epochs=1) if spec.name == "cnn" else spec


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Project]:
    """Makes a project of a source that carries labels, and trains one round of it; once per source."""
    made: dict[str, Project] = {}

    def make(name: str, source: str) -> Project:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            made[name] = make_project(
                folder / "project",
                settings=ProjectSettings(
                    name, audit_share=0.0, acquisition="bald"
                ),  # asks no committee: a tenth of the fits
                data=Path(source),
                labeled=True,
            ).project
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(workbench, "choose_network", _soon_fitted)
                run_trainer(made[name], once=True)
        return made[name]

    return make
