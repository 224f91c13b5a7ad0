"""The steps of `bench_scale.py`, each run in a process of its own; what it needs is imported there."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from app.project.project import Project
    from app.trainer.workbench import Workbench
    from storage.engine import Database

SIDE, CLASSES = 28, 10
TILE = 5_000  # samples made at once
IMPORTED = 100_000  # files; a million of them would fill 4 GB of the disk with blocks


Figures = dict[str, float]  # what a step measured, by name and unit


def fill(folder: Path, n: int, _labels: int) -> Figures:
    """Makes the project."""
    from app.project.project import create_project
    from app.project.settings import ProjectSettings
    from loops.embeddings.features import FeatureStore
    from storage.samples import NewSample, add_samples

    project = create_project(
        folder, settings=ProjectSettings("scale", predictor="cnn"), classes=[str(index) for index in range(CLASSES)]
    )
    store = FeatureStore(project.features_dir / f"pixels-{SIDE}", f"pixels-{SIDE}")
    with closing(project.open_database()) as database:
        project_id = project.project_id(database)
        for start in range(0, n, TILE):
            places = range(start, min(n, start + TILE))
            new = [NewSample(f"/images/{i:07d}.png", f"{i:064x}", SIDE, SIDE, "pool") for i in places]
            with database.write() as session:
                add_samples(session, project_id=project_id, samples=new)
            store.append(np.array(places) + 1, images(np.array(places)))
    return {"database MB": project.database_path.stat().st_size / 1e6}


def class_of(sample_id: int) -> int:
    """The class of a synthetic sample."""
    return (sample_id - 1) % CLASSES


def images(places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Ten smooth patterns, shifted, weighted and noisy: `[N, 1, 28, 28]`."""
    from scipy.ndimage import gaussian_filter

    patterns = gaussian_filter(np.random.default_rng(0).random((CLASSES, SIDE, SIDE)), (0, 3, 3))
    patterns = (patterns - patterns.min()) / (patterns.max() - patterns.min())
    generator = np.random.default_rng(int(places[0]))
    shifts = generator.integers(-2, 3, (len(places), 2))
    moved = [np.roll(patterns[i % CLASSES], tuple(s), (0, 1)) for i, s in zip(places.tolist(), shifts, strict=True)]
    noisy = np.stack(moved) * generator.uniform(150, 250, (len(places), 1, 1)) + generator.normal(0, 15, (SIDE, SIDE))
    return (noisy + generator.normal(0, 10, noisy.shape)).clip(0, 255).astype(np.uint8)[:, None]


def import_(folder: Path, n: int, _labels: int) -> Figures:
    """As many files as the project has samples, 100,000 at most, into a project of their own."""
    from PIL import Image

    from app.formats.folders import read_folder
    from app.project.importing import run_import
    from app.project.project import create_project
    from app.project.settings import ProjectSettings

    files, imported = (folder.with_name(f"{folder.name}-{name}") for name in ("files", "imported"))
    for left in (files, imported):  # by a run that was ended
        rmtree(left, ignore_errors=True)
    for start in range(0, min(n, IMPORTED), TILE):
        into = files / f"{start:07d}"
        into.mkdir(parents=True)
        for place, image in enumerate(images(start + np.arange(min(TILE, n - start)))):
            Image.fromarray(image[0]).save(into / f"{place}.png")
    project = create_project(imported, settings=ProjectSettings("import"), classes=["0", "1"])
    began, cpu_began = time.perf_counter(), time.process_time()
    with closing(project.open_database()) as database:
        report = run_import(database, project_id=project.project_id(database), source=read_folder(files))
    assert report.added == min(n, IMPORTED)
    took = {"import s": time.perf_counter() - began, "import CPU-s": time.process_time() - cpu_began}
    return {"files": report.added, **took}


@contextmanager
def bench_of(folder: Path) -> Iterator[Workbench]:
    """The trainer's workbench."""
    from app.project.project import open_project
    from app.trainer.background import BackgroundEmbedding
    from app.trainer.heartbeat import Heartbeat
    from app.trainer.sample_source import SampleSource
    from app.trainer.workbench import set_up
    from storage.trainer import start_generation

    project = open_project(folder)
    with closing(project.open_database()) as database:
        project_id = project.project_id(database)
        with database.write() as session:
            generation = start_generation(session, project_id=project_id, pid=os.getpid())
        stop = threading.Event()
        with (
            Heartbeat(database, project_id, generation, "CPU", stop) as heartbeat,
            BackgroundEmbedding(SampleSource(project, database), stop) as background,
        ):
            yield set_up(project, database, project_id, generation, heartbeat, background)


def open_(folder: Path, n: int, _labels: int) -> Figures:
    """The workbench alone: the first time with the graph of the pool."""
    began, cpu_began = time.perf_counter(), time.process_time()
    with bench_of(folder) as bench:
        assert len(bench.embedded_pool) == n
        return {"ready s": time.perf_counter() - began, "ready CPU-s": time.process_time() - cpu_began}


def round_0(folder: Path, _n: int, _labels: int) -> Figures:
    """The first ranking."""
    with bench_of(folder) as bench:
        return of_round(bench)


def of_round(bench: Workbench) -> Figures:
    """A whole round, as the trainer runs it; CPU of its own thread, for features may be learned beside it."""
    from storage.rounds import latest_round

    began, cpu_began = time.perf_counter(), time.thread_time()
    run_loop(bench)
    took = {"round s": time.perf_counter() - began, "round CPU-s": time.thread_time() - cpu_began}
    with bench.database.read() as session:
        info = latest_round(session, project_id=bench.project_id)
    assert info is not None
    assert info.state == "open"
    return {**took, "fit s": info.fit_seconds or 0.0, "score s": info.score_seconds or 0.0}


def run_loop(bench: Workbench) -> None:
    """As the trainer does it, but for the map of the samples."""
    from app.trainer.oracle import DatabaseOracle
    from app.trainer.rounds import list_checkpoint
    from loops.active_learning import ActiveLearningLoop

    ActiveLearningLoop(
        predictor=bench.predictor(),
        oracle=DatabaseOracle(bench),
        settings=bench.loop_settings,
        rounds_folder=bench.project.rounds_dir,
        on_checkpoint=list_checkpoint(bench),
    ).run()


def label(folder: Path, _n: int, labels: int) -> Figures:
    """Decisions, each followed by the trainer's look."""
    from app.trainer.re_ranking import ReRanker

    with bench_of(folder) as bench:
        re_ranker, page = ReRanker(bench), Page(bench.project, bench.database)
        re_ranker.look()
        return timed("re-ranked", re_ranker.look, labels, before=page.decide)


class Page:
    """The Label page's part of one annotator."""

    def __init__(self, project: Project, database: Database) -> None:
        from storage.projects import get_or_create_annotator

        self.database, self.project_id = database, project.project_id(database)
        with database.write() as session:
            self.annotator_id = get_or_create_annotator(session, project_id=self.project_id, name="bench")
        self.keep: list[str] = []

    def decide(self) -> None:
        """One decision, and the queue filled up in the same transaction, as the page does it."""
        from storage.labels import record_decision
        from storage.queue import claim_batch

        who = {"project_id": self.project_id, "annotator_id": self.annotator_id}
        with self.database.write() as session:
            claims = claim_batch(session, **who, count=10, keep=self.keep)
            first = claims[0]
            record_decision(
                session,
                **who,
                sample_id=first.sample.id,
                action="label",
                class_index=class_of(first.sample.id),
                request_id=first.token,
            )
        self.keep = [claim.token for claim in claims[1:3]]

    def ask(self) -> None:
        """The query for the next samples alone."""
        from storage.queue import claim_batch

        with self.database.write() as session:
            claim_batch(session, project_id=self.project_id, annotator_id=self.annotator_id, count=10, keep=self.keep)


def next_(folder: Path, _n: int, labels: int) -> Figures:
    """The Label page's transactions, while the trainer rests."""
    from app.project.project import open_project

    project = open_project(folder)
    with closing(project.open_database()) as database:
        page = Page(project, database)
        page.ask()  # statements are compiled once
        decided = timed("decided and next", page.decide, min(labels, 20))
        return {**timed("next", page.ask, 10 * labels), **decided}


def screens(folder: Path, n: int, _labels: int) -> Figures:
    """What pages read again and again."""
    from app.project.project import open_project
    from app.project.scores import scores_path
    from app.screens.shared.round_scores import read_round_scores
    from storage.samples import count_samples, list_samples

    project = open_project(folder)
    with closing(project.open_database()) as database, database.read() as session:
        project_id = project.project_id(database)
        first = timed("first count", lambda: count_samples(session, project_id=project_id), 1)
        counted = timed("counts", lambda: count_samples(session, project_id=project_id), 20)
        last = {"project_id": project_id, "split": "pool", "after_id": n - 100, "limit": 50}
        listed = timed("a page of 50", lambda: list_samples(session, **last), 20)
    path = scores_path(project.rounds_dir, 1)
    scores = timed("scores", lambda: read_round_scores(path), 1) if path.exists() else {}
    return {**first, **counted, **listed, **scores}


def round_1(folder: Path, _n: int, _labels: int) -> Figures:
    """Fit, score, rank and publish, as "Train now" asks for it."""
    from storage.trainer import request_training

    with bench_of(folder) as bench:
        with bench.database.write() as session:
            request_training(session, project_id=bench.project_id, kind="train")
        return of_round(bench)


def timed(name: str, work: Callable[[], Any], times: int, *, before: Callable[[], Any] = lambda: None) -> Figures:
    """Median and 95th percentile, of wall time and of this thread's processor time; `before` each is not counted."""
    wall, cpu = [], []
    for _ in range(times):
        before()
        began, cpu_began = time.perf_counter(), time.thread_time()
        work()
        wall.append(time.perf_counter() - began)
        cpu.append(time.thread_time() - cpu_began)
    return {
        f"{name} {kind}{at} ms": float(np.percentile(1000 * np.array(measured), q))
        for kind, measured in (("", wall), ("CPU ", cpu))
        for at, q in (("median", 50), ("p95", 95))
    }


ALL: dict[str, Callable[[Path, int, int], Figures]] = {
    "import": import_,
    "fill": fill,
    "graph": open_,
    "open": open_,
    "round 0": round_0,
    "label": label,
    "next": next_,
    "round 1": round_1,
    "screens": screens,
}
