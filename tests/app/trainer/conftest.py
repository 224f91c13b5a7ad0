"""A project of 60 digits, a predictor that is fitted in a blink, and an annotator who knows every digit."""

from __future__ import annotations

import csv
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.project.creation import make_project
from app.project.project import Project
from app.project.settings import ProjectSettings
from app.trainer import workbench
from app.trainer.background import BackgroundEmbedding
from app.trainer.heartbeat import Heartbeat
from app.trainer.sample_source import SampleSource
from app.trainer.workbench import Workbench, set_up
from loops.predictors.network_spec import NetworkSpec
from storage.engine import Database
from storage.labels import LabelEventInfo, record_decision
from storage.projects import get_or_create_annotator
from storage.queue import claim_batch
from storage.trainer import start_generation

POOL, TEST, QUERY_SIZE = 60, 10, 4


@dataclass
class Annotator:
    """Labels what the queue gives, rightly."""

    database: Database
    project_id: int
    class_of: dict[str, int]  # by file name

    def decide(self, action: str = "label") -> LabelEventInfo | None:
        with self.database.write() as session:
            annotator_id = get_or_create_annotator(session, project_id=self.project_id, name="me")
            claim = next(
                iter(claim_batch(session, project_id=self.project_id, annotator_id=annotator_id, count=1)), None
            )
            if claim is None:
                return None
            return record_decision(
                session,
                project_id=self.project_id,
                sample_id=claim.sample.id,
                annotator_id=annotator_id,
                action=action,
                class_index=self.class_of[Path(claim.sample.uri).name] if action == "label" else None,
                request_id=claim.token,
            )

    def label(self, count: int) -> list[LabelEventInfo]:
        """Labels until `count` of the labels are to be trained on."""
        events: list[LabelEventInfo] = []
        while sum(event.purpose == "train" for event in events) < count:
            event = self.decide()
            assert event is not None, "the queue ran out"
            events.append(event)
        return events


@pytest.fixture
def project(digits: Path, tmp_path: Path) -> Project:
    for split, count in (("pool", POOL), ("test", TEST)):
        (tmp_path / split).mkdir()
        for path in sorted((digits / split).iterdir())[:count]:
            shutil.copy(path, tmp_path / split)
    with (digits / "test.csv").open() as file:
        rows = [f"{row['path']},{row['label']}" for row in csv.DictReader(file) if (tmp_path / row["path"]).exists()]
    (tmp_path / "test.csv").write_text("\n".join(["path,label", *rows]))
    named = {"acquisition": "bald", "predictor": "cnn"}  # the network alone: one fit of four steps
    settings = ProjectSettings("digits", query_size=QUERY_SIZE, mc_iterations=3, audit_share=0.2, **named)
    return make_project(
        tmp_path / "project",
        settings=settings,
        classes=[str(digit) for digit in range(10)],
        data=tmp_path / "pool",
        test=tmp_path / "test.csv",
    ).project


@pytest.fixture
def database(project: Project) -> Iterator[Database]:
    opened = project.open_database()
    yield opened
    opened.close()


@pytest.fixture
def project_id(project: Project, database: Database) -> int:
    return project.project_id(database)


@pytest.fixture
def annotator(digits: Path, database: Database, project_id: int) -> Annotator:
    with (digits / "labels.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith("pool/")]
    return Annotator(database, project_id, {Path(row["path"]).name: int(row["label"]) for row in rows})


@pytest.fixture
def generation(database: Database, project_id: int) -> int:
    with database.write() as session:
        return start_generation(session, project_id=project_id, pid=os.getpid())


@pytest.fixture
def heartbeat(database: Database, project_id: int, generation: int) -> Iterator[Heartbeat]:
    with Heartbeat(database, project_id, generation, "CPU", threading.Event()) as beating:
        yield beating


@pytest.fixture
def background(project: Project, database: Database) -> Iterator[BackgroundEmbedding]:
    with BackgroundEmbedding(SampleSource(project, database), threading.Event()) as embedding:
        yield embedding


@pytest.fixture
def make_bench(
    project: Project,
    database: Database,
    project_id: int,
    generation: int,
    heartbeat: Heartbeat,
    background: BackgroundEmbedding,
) -> Callable[[], Workbench]:
    """Sets the workbench up as the trainer process does."""
    return lambda: set_up(project, database, project_id, generation, heartbeat, background)


@pytest.fixture
def quick_predictor(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = NetworkSpec("cnn", "pixels-16", "bald", 2, 8, 2e-3, 0.01, 2, 2)
    monkeypatch.setattr(workbench, "choose_network", lambda _name, _sizes: spec)
