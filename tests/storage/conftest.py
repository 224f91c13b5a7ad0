"""A small project over a real database file, and the verbs the tests need."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from storage.engine import Database
from storage.labels import LabelEventInfo, last_event_id, record_decision, undo
from storage.metrics import NewMetric
from storage.models import Base
from storage.opening import create_database, open_database
from storage.projects import create_project, get_or_create_annotator
from storage.queue import ClaimedSample, claim_batch, put_on_screen
from storage.rounds import NewQuery, RoundInfo, begin_round, latest_round, mark_scoring, publish_round
from storage.samples import NewSample, add_samples
from tests.forks import forks_of
from tests.storage.postgresql import find_binaries, running_server

PATIENCE_S = 120.0  # for processes that label at once


def new_sample(name: object, split: str = "pool", class_index: int | None = None) -> NewSample:
    digest = hashlib.sha256(str(name).encode()).hexdigest()
    return NewSample(f"/images/{name}.png", digest, 8, 8, split, class_index)


@dataclass
class World:
    """A project with the classes cat and dog, the annotators ada and bob, and pool samples 1 to 10."""

    database: Database
    project_id: int
    ada: int
    bob: int
    requests: int = field(default=0)

    def label(self, sample_id: int, class_index: int | None = 0, **more) -> LabelEventInfo:
        self.requests += 1
        given = {"annotator_id": self.ada, "action": "label", "request_id": f"request-{self.requests}"} | more
        with self.database.write() as session:
            return record_decision(
                session, project_id=self.project_id, sample_id=sample_id, class_index=class_index, **given
            )

    def skip(self, sample_id: int, **more) -> LabelEventInfo:
        return self.label(sample_id, None, action="skip", **more)

    def flag(self, sample_id: int, **more) -> LabelEventInfo:
        return self.label(sample_id, None, action="flag", **more)

    def undo(self, event_id: int, annotator_id: int | None = None) -> LabelEventInfo:
        with self.database.write() as session:
            return undo(session, project_id=self.project_id, event_id=event_id, annotator_id=annotator_id or self.ada)

    def claim(self, annotator_id: int | None = None, **more) -> ClaimedSample | None:
        """Ask for one sample and put it on screen."""
        batch = self.batch(annotator_id, 1, **more)
        return self.batch(annotator_id, 1, keep=[batch[0].token], **more)[0] if batch else None

    def look_at(self, sample_id: int, annotator_id: int | None = None, **more) -> bool:
        return self.tell(put_on_screen, annotator_id=annotator_id or self.ada, sample_id=sample_id, **more)

    def batch(self, annotator_id: int | None = None, count: int = 3, **more) -> list[ClaimedSample]:
        with self.database.write() as session:
            return claim_batch(
                session, project_id=self.project_id, annotator_id=annotator_id or self.ada, count=count, **more
            )

    def begin(self, generation: int = 1) -> RoundInfo:
        with self.database.write() as session:
            return begin_round(
                session,
                project_id=self.project_id,
                generation=generation,
                trigger="test",
                labels=0,
                predictor="cnn",
                acquisition="bald",
                snapshot_event_id=last_event_id(session, project_id=self.project_id),
            )

    def publish(
        self,
        *sample_ids: int,
        audit: tuple[int, ...] = (),
        recheck: tuple[int, ...] = (),
        annotators: int = 1,
        generation: int = 1,
        metrics: Sequence[NewMetric] = (),
    ) -> RoundInfo:
        """Begin and publish a round that knows all events so far and asks for these samples, best first."""
        begun = self.begin(generation)
        purposes = dict.fromkeys(audit, "audit") | dict.fromkeys(recheck, "recheck")
        queries = [
            NewQuery(sample_id, rank, purposes.get(sample_id, "train"), 0.5, 0.25, annotators=annotators)
            for rank, sample_id in enumerate(sample_ids)
        ]
        with self.database.write() as session:
            mark_scoring(session, round_id=begun.id, generation=generation, checkpoint=None, sha256=None, size=None)
            publish_round(
                session,
                round_id=begun.id,
                generation=generation,
                queries=queries,
                metrics=metrics,
                fit_seconds=0.0,
                score_seconds=0.0,
            )
            published = latest_round(session, project_id=self.project_id)
        assert published is not None
        return published

    def ask(self, function, **more):
        """Call a reading function of storage with this project."""
        with self.database.read() as session:
            return function(session, project_id=self.project_id, **more)

    def tell(self, function, **more):
        """Call a writing function of storage with this project, in a transaction of its own."""
        with self.database.write() as session:
            return function(session, project_id=self.project_id, **more)


ON_BOTH = {
    "test_class_labels", "test_changes", "test_concurrency", "test_grid", "test_labels", "test_queue", "test_batch",
    "test_replace_tail", "test_rerank", "test_rounds", "test_sample_columns", "test_samples",
    "test_several_annotators", "test_trainer", "test_undo_request", "test_votes", "test_accounts", "test_late",
    "test_pages", "test_remainder",
}  # fmt: skip


def pytest_generate_tests(metafunc):
    """What storage promises to several people at once, it promises on both databases."""
    if "database" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in ON_BOTH:
        metafunc.parametrize("backend", ["sqlite", "postgresql"], indirect=True)


def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if not (item.get_closest_marker("sqlite") and "[postgresql" in item.name)]


@pytest.fixture
def backend(request) -> str:
    return getattr(request, "param", "sqlite")


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Path:
    """A migrated, closed database: copying it is faster than migrating anew."""
    path = tmp_path_factory.mktemp("template") / "labelloop.db"
    create_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def postgresql():
    """The URL of a migrated database on a PostgreSQL server."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    with running_server(binaries) as url:
        yield url


@pytest.fixture
def database(backend, request, tmp_path):
    if backend == "postgresql":
        database = create_database(request.getfixturevalue("postgresql"))
        empty(database)
    else:
        shutil.copy(request.getfixturevalue("template"), tmp_path / "labelloop.db")
        database = open_database(f"sqlite:///{tmp_path / 'labelloop.db'}")
    yield database
    database.close()


def empty(database) -> None:
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with database.connect_to_write() as connection:
        connection.exec_driver_sql(
            "SET LOCAL session_replication_role = replica"
        )  # without the triggers that protect events
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        connection.commit()


@pytest.fixture
def world(database) -> World:
    with database.write() as session:
        project_id = create_project(session, name="pets", classes=["cat", "dog"], seed=0)
        ada = get_or_create_annotator(session, project_id=project_id, name="ada")
        bob = get_or_create_annotator(session, project_id=project_id, name="bob")
        add_samples(session, project_id=project_id, samples=[new_sample(number) for number in range(1, 11)])
    return World(database, project_id, ada, bob)


@pytest.fixture
def samples_like():
    return new_sample


LOADED = (
    "storage.engine", "storage.labels", "storage.queue", "storage.rerank", "storage.rounds", "storage.schema",
    "storage.opening", "storage.projects",
)  # fmt: skip
AT_ONCE = """
import sys
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def run_processes(tmp_path):
    """Run a script in several real processes, begun at one moment, and return what each printed."""

    def run(script: str, count: int, *arguments: object) -> list[str]:
        begin, held = os.pipe()
        outs, errs = ([tmp_path / f"{name}-{number}" for number in range(count)] for name in ("out", "err"))
        processes = []
        for number in range(count):
            with outs[number].open("wb") as out, errs[number].open("wb") as err:
                command = ["-c", AT_ONCE + script, *map(str, arguments), str(number)]
                processes.append(forks_of(*LOADED).start(command, files=[begin, out.fileno(), err.fileno()]))
        os.close(begin)
        while not all(out.stat().st_size for out in outs):
            assert not any(process.poll() for process in processes), [err.read_text() for err in errs]
            time.sleep(0.01)
        os.close(held)  # all read at one moment that nothing more comes
        codes = [process.wait(PATIENCE_S) for process in processes]
        assert codes == [0] * count, [err.read_text() for err in errs]
        said = [out.read_text().partition("\n") for out in outs]
        assert [ready for ready, _, _ in said] == ["ready"] * count
        return [rest for _, _, rest in said]

    return run
