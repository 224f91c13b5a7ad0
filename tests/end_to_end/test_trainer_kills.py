"""`kill -9` of the trainer at random moments: the rounds must be those of a run that nobody disturbed."""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from app.project.project import Project
from app.project.settings import save_settings
from storage.engine import Database
from storage.labels import record_decision
from storage.projects import get_or_create_annotator
from storage.queue import claim_batch
from storage.rounds import RoundInfo, latest_round, list_queries, list_rounds
from storage.samples import get_samples
from storage.trainer import get_heartbeat
from tests.end_to_end.forked_trainers import start_trainer

KILLS = 10
LEAST_IN_A_ROUND = 5  # kills that must have hit a round in training or scoring, or the test tested nothing
QUERY_SIZE = 5
PATIENCE_S = 120

Ranking = list[tuple[str, str, float | None]]


class Run:
    """A trainer process on one project, and an annotator who answers each round as soon as it is open."""

    def __init__(self, project: Project, class_of: dict[str, int]) -> None:
        # What the trainer does between rounds depends on when the labels come, and so would the queue.
        settings = replace(project.settings(), re_rank=False, cross_validate=False)
        save_settings(project.settings_path, settings)
        self.project, self._class_of = project, class_of
        self.database = project.open_database()
        self.project_id = project.project_id(self.database)
        self._answered: set[int] = set()
        self._trainer: ForkServerProcess | None = None

    def start(self) -> None:
        generation = self._generation()
        self._trainer = start_trainer(self.project)
        self._until(lambda: self._generation() > generation)

    def kill(self) -> bool:
        """Kills the trainer; whether it was in the middle of a round."""
        assert self._trainer is not None
        self._trainer.kill()
        self._trainer.join()
        latest = self.latest()
        return latest is None or latest.state in ("training", "scoring")

    def label_until_open(self, last: int) -> None:
        self._until(lambda: self.answer(last - 1) >= last)

    def rankings(self) -> list[Ranking]:
        with self.database.read() as session:
            rounds = [r for r in list_rounds(session, project_id=self.project_id) if r.state in ("open", "closed")]
            queries = [list_queries(session, round_id=round_info.id) for round_info in rounds]
            uris = get_samples(session, sample_ids=sorted({q.sample_id for ranking in queries for q in ranking}))
        return [[(Path(uris[q.sample_id].uri).name, q.purpose, q.score) for q in ranking] for ranking in queries]

    def numbers_and_labels(self) -> list[tuple[int, int]]:
        with self.database.read() as session:
            return [(r.number, r.labels) for r in list_rounds(session, project_id=self.project_id)]

    def latest(self) -> RoundInfo | None:
        with self.database.read() as session:
            return latest_round(session, project_id=self.project_id)

    def close(self) -> None:
        if self._trainer is not None:
            self._trainer.kill()
            self._trainer.join()
        self.database.close()

    def answer(self, last: int | None = None) -> int:
        """Labels one round's worth once it is open, of rounds up to the last; returns the number of the open round."""
        latest = self.latest()
        if latest is None or latest.state != "open":
            return -1
        if latest.number not in self._answered and (last is None or latest.number <= last):
            trained = 0
            while trained < QUERY_SIZE:
                trained += label_next(self.database, self.project_id, self._class_of) == "train"
            self._answered.add(latest.number)
        return latest.number

    def _generation(self) -> int:
        with self.database.read() as session:
            heartbeat = get_heartbeat(session, project_id=self.project_id)
        return heartbeat.generation if heartbeat else 0

    def _until(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < deadline, "waited in vain for the trainer"
            assert self._trainer is None or self._trainer.is_alive(), "the trainer ended by itself"
            time.sleep(0.05)


def label_for(seconds: float, killed: Run, undisturbed: Run) -> None:
    """Answers both trainers for a while; the undisturbed one gets no farther ahead than it will have to be."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        undisturbed.answer(killed.answer())
        time.sleep(0.02)


def label_next(database: Database, project_id: int, class_of: dict[str, int]) -> str:
    """Labels the next sample rightly; returns its purpose."""
    with database.write() as session:
        annotator_id = get_or_create_annotator(session, project_id=project_id, name="me")
        claim = next(iter(claim_batch(session, project_id=project_id, annotator_id=annotator_id, count=1)), None)
        assert claim is not None, "the queue ran out"
        event = record_decision(
            session,
            project_id=project_id,
            sample_id=claim.sample.id,
            annotator_id=annotator_id,
            action="label",
            class_index=class_of[Path(claim.sample.uri).name],
            request_id=claim.token,
        )
    return event.purpose


@pytest.mark.timeout(900)
def test_killed_at_ten_random_moments_the_rounds_are_those_of_an_undisturbed_run(
    make_small_project: Callable[[Path], Project], digits: Path, tmp_path: Path
) -> None:
    with (digits / "labels.csv").open() as file:
        class_of = {Path(row["path"]).name: int(row["label"]) for row in csv.DictReader(file) if "pool/" in row["path"]}
    generator = random.Random(0)
    with (
        closing(Run(make_small_project(tmp_path / "killed"), class_of)) as killed,
        closing(Run(make_small_project(tmp_path / "undisturbed"), class_of)) as undisturbed,
    ):
        undisturbed.start()
        in_a_round = 0
        for _ in range(KILLS):
            killed.start()
            label_for(generator.uniform(0.0, 2.5), killed, undisturbed)
            in_a_round += killed.kill()
        assert in_a_round >= LEAST_IN_A_ROUND
        latest = killed.latest()
        last = (latest.number if latest else 0) + 1
        killed.start()
        killed.label_until_open(last)
        undisturbed.label_until_open(last)
        numbers_and_labels, rankings = killed.numbers_and_labels(), killed.rankings()
        assert numbers_and_labels[: last + 1] == undisturbed.numbers_and_labels()[: last + 1]
        assert [number for number, _ in numbers_and_labels][: last + 1] == list(range(last + 1))
        assert rankings[: last + 1] == undisturbed.rankings()[: last + 1]
