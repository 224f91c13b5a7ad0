"""What the benchmarks of the trainer share: a project on given pixels, and its trainer as `labelloop run` starts it."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from app.project.project import Project, create_project
from app.project.settings import ProjectSettings
from app.running.child import Child, end_all
from app.running.supervisor import trainer_child
from loops.embeddings.features import FeatureStore
from storage.engine import Database
from storage.labels import record_decision
from storage.projects import get_or_create_annotator
from storage.queue import ClaimedSample, claim_batch
from storage.samples import NewSample, add_samples, list_samples

BACKBONE = "pixels-28"
PATIENCE_S = 600.0  # until the graph of a pool is there
_RANKING = """SELECT group_concat(sample_id || ':' || score || ':' || rank) FROM queries
    WHERE round_id = (SELECT max(id) FROM rounds WHERE state = 'open')"""


@dataclass
class TrainerProject:
    """A project, its true labels, and the process of its trainer."""

    project: Project
    database: Database
    project_id: int
    annotator_id: int
    class_of: dict[int, int]  # sample id -> class index
    child: Child
    watched: sqlite3.Connection

    @property
    def cpu_s(self) -> float:
        """Processor seconds that the trainer has used."""
        return float(sum(psutil.Process(self.child.pid).cpu_times()[:2]))

    def stop(self) -> None:
        """Ends the trainer, as `labelloop run` does."""
        end_all([self.child], patience=30.0, hurry=lambda: False)

    def claim(self, count: int, on_screen: Sequence[ClaimedSample] = ()) -> list[ClaimedSample]:
        """What the Label page asks for: the samples on screen and decoded next stay, the others are the best by now."""
        keep = [claim.token for claim in on_screen]
        with self.database.write() as session:
            return claim_batch(
                session, project_id=self.project_id, annotator_id=self.annotator_id, count=count, keep=keep
            )

    def decide(self, claim: ClaimedSample) -> None:
        """One decision, as the Label page stores it."""
        with self.database.write() as session:
            record_decision(
                session,
                project_id=self.project_id,
                sample_id=claim.sample.id,
                annotator_id=self.annotator_id,
                action="label",
                class_index=self.class_of[claim.sample.id],
                request_id=claim.token,
            )

    def ranking(self) -> str:
        """The ranking in force as a text to compare; empty before the first."""
        return self.watched.execute(_RANKING).fetchone()[0] or ""

    def wait_for_ranking(self, before: str) -> str:
        """Waits until another ranking is in force: looks once a millisecond whether anybody has written anything."""
        version, end = None, time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            now = self.watched.execute("PRAGMA data_version").fetchone()[0]
            if now != version and (found := self.ranking()) != before:
                return found
            version = now
            time.sleep(0.001)
        raise TimeoutError(f"no new ranking in {PATIENCE_S:.0f} s; see {self.child.log}")


@contextlib.contextmanager
def trainer_project(
    images: NDArray[np.uint8], digits: NDArray[np.uint8], settings: ProjectSettings
) -> Iterator[TrainerProject]:
    """Samples in the database, their rows in the feature store, the trainer started; all of it gone in the end."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        project = create_project(Path(folder) / "project", settings=settings, classes=list("0123456789"))
        database = stack.enter_context(contextlib.closing(project.open_database()))
        class_of = fill(project, database, images, digits)
        yield stack.enter_context(running_trainer(project, database, class_of))


@contextlib.contextmanager
def running_trainer(project: Project, database: Database, class_of: dict[int, int]) -> Iterator[TrainerProject]:
    """The trainer of a project that is there.

    Args:
        project: The project.
        database: Its database, open.
        class_of: The true class index by sample id.
    """
    project_id = project.project_id(database)
    with database.write() as session:
        annotator_id = get_or_create_annotator(session, project_id=project_id, name="bench")
    child = trainer_child(project)
    child.start()
    with contextlib.closing(
        sqlite3.connect(f"file:{project.database_path}?mode=ro", uri=True, isolation_level=None)
    ) as watched:
        running = TrainerProject(project, database, project_id, annotator_id, class_of, child, watched)
        try:
            yield running
        finally:
            running.stop()


def fill(project: Project, database: Database, images: NDArray[np.uint8], digits: NDArray[np.uint8]) -> dict[int, int]:
    """Samples into the database, their pixels into the feature store; returns sample id -> class index."""
    project_id = project.project_id(database)
    new = [NewSample(uri=f"{i}.png", sha256=f"{i:064x}", width=28, height=28, split="pool") for i in range(len(images))]
    for start in range(0, len(new), 5_000):
        with database.write() as session:
            add_samples(session, project_id=project_id, samples=new[start : start + 5_000])
    with database.read() as session:
        samples = list_samples(session, project_id=project_id, split="pool")
    position = {sample.id: int(sample.uri.removesuffix(".png")) for sample in samples}
    store = FeatureStore(project.features_dir / BACKBONE, BACKBONE)
    store.append(list(position), images[list(position.values())][:, None])
    return {sample_id: int(digits[place]) for sample_id, place in position.items()}
