"""A project in which everything has a name that a test chooses, and whose screens all have something to show.

Nobody trains: two rounds, their scores, features and map are written as the trainer would.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from app.project.creation import make_project
from app.project.measured import measured_path, write_measured
from app.project.pool_map import map_path, write_map
from app.project.project import Project
from app.project.scores import scores_path, write_scores
from app.project.settings import ProjectSettings
from app.running.web_server import is_healthy, url_of
from loops.acquisition.catalog import MEASURES
from loops.evaluation.estimates import evaluate
from loops.oracle import PoolScores
from storage.engine import Database
from storage.labels import last_event_id, record_decision
from storage.metrics import NewConfusion, NewMetric
from storage.projects import get_or_create_annotator
from storage.refusals import mark_broken
from storage.rounds import NewQuery, begin_round, mark_scoring, publish_round
from storage.samples import list_samples
from storage.trainer import start_generation
from tests.end_to_end.conftest import (
    end_with_all_descendants,
    free_port,
    look_until,
    plain_environment,
    serve_screens,
)
from tests.forks import Forked

if TYPE_CHECKING:
    from playwright.sync_api import Page

LABELED = 5  # samples that all annotators label, each as another class


def project_of_names(folder: Path, names: Sequence[str], *, project_name: str, files: Sequence[str] = ()) -> Project:
    """Make a project with a class and an annotator of each name, and a good and a bad file.

    Args:
        folder: of the project and its images.
        names: of classes and annotators, at least 8.
        project_name: of the project.
        files: without their ends, as many as names; none: the names.
    """
    for number, name in enumerate(files or names):
        good, bad = folder / "images" / f"{name}x.png", folder / "images" / f"bad {name}x.png"
        for path in (good, bad):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 5 * number % 256).save(good)
        bad.write_bytes(b"no image")
    settings = ProjectSettings(name=project_name, query_size=4, mc_iterations=2, overlap=2, overlap_share=0.5)
    created = make_project(folder / "project", settings=settings, classes=names, data=folder / "images")
    assert (created.pool.added, len(created.pool.refused)) == (len(names), len(names))
    database = created.project.open_database()
    try:
        _fill(created.project, database, names)
    finally:
        database.close()
    return created.project


def _fill(project: Project, database: Database, names: Sequence[str]) -> None:
    """Two rounds with scores, labels of people who disagree, a broken sample, measures of every class."""
    project_id = project.project_id(database)
    with database.write() as session:
        samples = [sample.id for sample in list_samples(session, project_id=project_id, split="pool")]
        mark_broken(session, sample_id=samples[-1], reason=names[0])
        for number, name in enumerate(names):
            person = get_or_create_annotator(session, project_id=project_id, name=name)
            record_decision(
                session,
                project_id=project_id,
                sample_id=samples[number % LABELED],
                annotator_id=person,
                action="label",
                class_index=number,
                request_id=f"request-{number}",
            )
        start_generation(session, project_id=project_id, pid=1)
    for number in range(3):
        _publish(database, project_id, samples[LABELED:-1], names)
        if number:
            _score_pool(project, samples, len(names), number)
            _measure(project, samples, len(names), number)
    _write_features(project, samples)


def _publish(database: Database, project_id: int, sample_ids: list[int], names: Sequence[str]) -> None:
    count = len(names)
    with database.write() as session:
        info = begin_round(
            session,
            project_id=project_id,
            generation=1,
            trigger=names[1],
            labels=LABELED,
            predictor="cnn",
            acquisition="bald",
            snapshot_event_id=last_event_id(session, project_id=project_id),
        )
        step = {"round_id": info.id, "generation": 1}
        mark_scoring(session, **step, checkpoint=None, sha256=None, size=None)
        publish_round(
            session,
            **step,
            queries=[
                NewQuery(sample, rank, "train", 0.5, 1.0, rank % count, 0.9) for rank, sample in enumerate(sample_ids)
            ],
            metrics=[
                NewMetric("accuracy_audit", 0.5, 0.2, 0.8, n=5),
                NewMetric("mean_bald", 0.3, n=45),
                *(NewMetric(f"{kind}_audit", 0.5, class_index=i) for kind in ("recall", "precision") for i in (0, 1)),
            ],
            confusion=[NewConfusion("audit", index, (index + 1) % count, 1) for index in range(count)],
            fit_seconds=1.0,
            score_seconds=1.0,
        )


def _measure(project: Project, sample_ids: list[int], classes: int, round_number: int) -> None:
    """Sample i has class i and is taken for the next one, as the confusion matrix says."""
    probs = np.roll(np.eye(classes), 1, axis=1)
    evaluation = evaluate("audit", probs, range(classes), [sample_ids[i % len(sample_ids)] for i in range(classes)])
    write_measured(measured_path(project.rounds_dir, round_number), [evaluation])


def _score_pool(project: Project, sample_ids: list[int], classes: int, round_number: int) -> None:
    """Samples are predicted five of the classes, enough of each to fill a grid; another one in each round."""
    count, first = len(sample_ids), min(10, classes - 5)
    probs = np.full((count, classes), 0.245 / (classes - 1))
    probs[np.arange(count), first + (np.arange(count) + round_number) % 5] = 0.755
    draws = np.repeat(probs[:, :, None], 2, axis=2)
    draws[:, 0, 0] += 0.001
    measures = dict.fromkeys(MEASURES, np.linspace(0.1, 0.5, count, dtype=np.float32))
    scores = PoolScores(np.array(sample_ids, np.int64), measures, probs.astype(np.float32), draws.astype(np.float16))
    write_scores(scores_path(project.rounds_dir, round_number), scores, acquisition="bald")


def _write_features(project: Project, sample_ids: list[int]) -> None:
    """Features, so that samples have neighbors, and the map."""
    folder = project.features_dir / "pixels-2"
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text('{"backbone": "pixels-2", "row_shape": [1, 2, 2]}')
    np.array(sample_ids, np.int64).tofile(folder / "ids.bin")
    np.tile(np.array([[9, 0, 9, 0]], np.uint8), (len(sample_ids), 1)).tofile(folder / "rows-1.bin")
    places = np.arange(len(sample_ids), dtype=np.float32)
    ids_N, points_N_2 = np.array(sample_ids, np.int64), np.stack([places, places], axis=1)
    write_map(map_path(project.features_dir), ids_N, points_N_2, backbone="pixels-2")


@contextlib.contextmanager
def screens_of(project: Project) -> Iterator[str]:
    """The real screens, as the supervisor starts them; a trainer would publish rounds of its own."""
    port = free_port()
    process = serve(project, port)
    try:
        yield url_of(port)
    finally:
        end_with_all_descendants(process)


def serve(project: Project, port: int) -> Forked:
    """Start the screens and wait until they answer."""
    process = serve_screens(project, port, plain_environment(), Path(os.devnull))
    look_until(lambda: is_healthy(port), "the screens")
    return process


def settle(page: Page) -> None:
    """Wait until the script of the screen has ended and what it drew has had the time to misbehave."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(500)
