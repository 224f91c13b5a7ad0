"""A small project with images, labels and published rounds, and the screens opened on it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.project.pool_map import map_path, write_map
from app.project.project import Project, create_project
from app.project.scores import scores_path, write_scores
from app.project.settings import ProjectSettings
from loops.acquisition.catalog import MEASURES
from loops.oracle import PoolScores
from storage.engine import Database
from storage.labels import last_event_id, record_decision
from storage.metrics import NewConfusion, NewMetric
from storage.projects import get_or_create_annotator
from storage.rounds import NewQuery, begin_round, mark_scoring, publish_round
from storage.samples import NewSample, add_samples
from storage.trainer import start_generation

CLASSES = ("cat", "dog", "emu")
POOL = 6


@dataclass
class Filled:
    """A project under test and the verbs that fill it; samples are 1 to 6, classes cat, dog, emu."""

    project: Project
    database: Database
    project_id: int
    generation: int
    annotator_id: int

    def label(self, sample_id: int, class_index: int | None) -> int:
        """One label, or a skip for None; returns the event's id."""
        with self.database.write() as session:
            event = record_decision(
                session,
                project_id=self.project_id,
                sample_id=sample_id,
                annotator_id=self.annotator_id,
                action="skip" if class_index is None else "label",
                class_index=class_index,
                request_id=f"request-{sample_id}",
            )
        return event.id

    def publish(
        self,
        *,
        labels: int,
        queries: Sequence[NewQuery] = (),
        metrics: Sequence[NewMetric] = (),
        confusion: Sequence[NewConfusion] = (),
    ) -> int:
        """The next round, opened; returns its number."""
        with self.database.write() as session:
            info = begin_round(
                session,
                project_id=self.project_id,
                generation=self.generation,
                trigger="round finished",
                labels=labels,
                predictor="cnn",
                acquisition="bald",
                snapshot_event_id=last_event_id(session, project_id=self.project_id),
            )
            step = {"round_id": info.id, "generation": self.generation}
            mark_scoring(session, **step, checkpoint=None, sha256=None, size=None)
            publish_round(
                session,
                **step,
                queries=queries,
                metrics=metrics,
                confusion=confusion,
                fit_seconds=1.0,
                score_seconds=1.0,
            )
        return info.number

    def write_scores(self, round_number: int, *, sample_ids: Sequence[int], torn: Sequence[int] = (1,)) -> Path:
        """Two draws per sample: torn ones are sure of cat, then sure of dog (BALD ln 2); the others say cat twice."""
        sure = np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
        split = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        draws_N_C_K = np.array([split if sample_id in torn else sure for sample_id in sample_ids], np.float16)
        doubt_N = np.array([log(2) if sample_id in torn else 0.0 for sample_id in sample_ids], np.float32)
        measures = dict.fromkeys(MEASURES, doubt_N) | {"expected_entropy": np.zeros_like(doubt_N)}
        probs_N_C = draws_N_C_K.astype(np.float32).mean(axis=2)
        path = scores_path(self.project.rounds_dir, round_number)
        ids_N = np.array(sample_ids, np.int64)
        write_scores(path, PoolScores(ids_N, measures, probs_N_C, draws_N_C_K), acquisition="bald")
        return path

    def write_map(self, sample_ids: Sequence[int]) -> None:
        """Places on the map of the embedding: sample n at (n, n)."""
        places = np.array(sample_ids, np.float32)
        path = map_path(self.project.features_dir)
        write_map(path, np.array(sample_ids, np.int64), np.stack([places, places], axis=1), backbone="pixels-2")


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Filled]:
    folder = tmp_path / "project"
    project = create_project(folder, settings=ProjectSettings(name="animals", query_size=4), classes=CLASSES)
    monkeypatch.setenv("LABELLOOP_PROJECT", str(folder))
    monkeypatch.delenv("LABELLOOP_DATABASE_URL", raising=False)
    database = project.open_database()
    project_id = project.project_id(database)
    with database.write() as session:
        add_samples(session, project_id=project_id, samples=[_image(tmp_path, n) for n in range(1, POOL + 1)])
        generation = start_generation(session, project_id=project_id, pid=1)
        annotator_id = get_or_create_annotator(session, project_id=project_id, name="anna")
    yield Filled(project, database, project_id, generation, annotator_id)
    database.close()
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def open_screen(repository: Path) -> Callable[[str], AppTest]:
    """Open a page of the application from its entry script, and fail on anything but sentences."""

    def opened(page: str) -> AppTest:
        entry = repository / "app" / "screens" / "main.py"
        screen = AppTest.from_file(str(entry), default_timeout=60)
        screen.query_params["annotator"] = "tester"
        screen.run()
        screen.switch_page(page)
        screen.run()
        assert not screen.exception
        return screen

    return opened


def _image(folder: Path, number: int) -> NewSample:
    path = folder / f"{number}.png"
    Image.new("L", (8, 8), 40 * number).save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return NewSample(uri=str(path), sha256=digest, width=8, height=8, split="pool", class_index=None)
