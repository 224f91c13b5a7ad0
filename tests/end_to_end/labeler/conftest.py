"""The screens of one project without a trainer: a test publishes the ranking, and nothing else ever changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from app.project.creation import make_project
from app.project.project import Project
from app.project.settings import ProjectSettings
from app.running.web_server import is_healthy
from storage.engine import Database
from storage.labels import last_event_id
from storage.rounds import NewQuery, begin_round, mark_scoring, publish_round
from storage.trainer import start_generation
from tests.end_to_end.conftest import serve_screens
from tests.forks import Forked

POOL = 250  # digits
SUGGESTED = 7
DIGITS = tuple("0123456789")

Given = list[tuple[int, int]]


@dataclass
class Screens:
    """The server of the screens alone."""

    project: Project
    database: Database
    port: int
    environment: dict[str, str]
    process: Forked

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rows(self, query: str, **values: object) -> list[tuple[object, ...]]:
        with self.database.read() as session:
            return [tuple(row) for row in session.execute(text(query), values)]

    def stored(self) -> list[tuple[object, ...]]:
        """Every label in the order of the events: sample and class."""
        return self.rows("SELECT sample_id, class_index FROM label_events WHERE action = 'label' ORDER BY id")

    def standing(self) -> dict[object, object]:
        """The class in force of each labeled sample."""
        joined = "current_decisions AS now JOIN label_events AS event ON event.id = now.event_id"
        return dict(self.rows(f"SELECT now.sample_id, event.class_index FROM {joined}"))

    def start(self, wait_for: Callable[..., object]) -> None:
        self.process = serve(self.project, self.port, self.environment)
        wait_for(lambda: is_healthy(self.port), "the screens")

    def publish(self, sample_ids: Sequence[int]) -> None:
        """The next round, opened, which asks about these samples in this order and suggests one class for all."""
        identity = self.project.project_id(self.database)
        queries = [
            NewQuery(sample_id, rank, "train", 1.0, None, suggestion=SUGGESTED, suggestion_probability=0.5)
            for rank, sample_id in enumerate(sample_ids)
        ]
        with self.database.write() as session:
            generation = start_generation(session, project_id=identity, pid=1)
            info = begin_round(
                session,
                project_id=identity,
                generation=generation,
                trigger="round finished",
                labels=0,
                predictor="cnn",
                acquisition="bald",
                snapshot_event_id=last_event_id(session, project_id=identity),
            )
            step = {"round_id": info.id, "generation": generation}
            mark_scoring(session, **step, checkpoint=None, sha256=None, size=None)
            publish_round(session, **step, queries=queries, metrics=[], fit_seconds=1.0, score_seconds=1.0)

    def pool(self) -> list[int]:
        return [int(str(number)) for (number,) in self.rows("SELECT id FROM samples WHERE split = 'pool' ORDER BY id")]


def serve(project: Project, port: int, environment: dict[str, str]) -> Forked:
    project.logs_dir.mkdir(exist_ok=True)
    return serve_screens(project, port, environment, project.logs_dir / "screens.log")


@pytest.fixture
def start(digits, tmp_path, wait_for, own_port, own_environment) -> Iterator[Callable[..., Screens]]:
    """Serve a project of digits whose whole pool is asked in the order of the ids."""
    started: list[Screens] = []

    def start_one(classes: Sequence[str] = DIGITS, **variables: str) -> Screens:
        environment = {**own_environment, **variables}
        images = tmp_path / "images"
        images.mkdir()
        for path in sorted((digits / "pool").iterdir())[:POOL]:
            (images / path.name).write_bytes(path.read_bytes())
        settings = ProjectSettings(name="labeler", query_size=POOL)
        project = make_project(tmp_path / "project", settings=settings, classes=classes, data=images).project
        process = serve(project, own_port, environment)
        screens = Screens(project, project.open_database(), own_port, environment, process)
        started.append(screens)
        screens.publish(screens.pool())
        wait_for(lambda: is_healthy(own_port), "the screens")
        return screens

    yield start_one
    for screens in started:
        screens.process.kill()
        screens.process.wait()
        screens.database.close()


@pytest.fixture
def press() -> Callable[..., None]:
    """Label what is on screen with some class, remember it, and wait for the next sample."""

    def press_one(person, number: int, given: Given) -> None:
        token, sample = person.wait_for_sample(), person.sample_id()
        person.page.keyboard.press(str(number % 10))
        given.append((sample, number % 10))
        person.wait_for_sample(other_than=token)

    return press_one
