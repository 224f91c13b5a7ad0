"""From a confirmed label to a re-ranked pool of 60,000, another process busy: the trainer's own code, every label.

    python benchmarks/bench_every_label.py --mnist mnist.npz --labels 100

A project in a temporary folder, its samples in the database and their rows in the feature store; round 0 is published
by the loop. Then one label after the other is confirmed as the Label page does it, and the trainer's look for new
labels is timed: reading labels, spreading them over the graph, ranking the pool, and the transaction that puts the new
ranking in place. Beside it a process at nice 10 computes without end. The trainer looks every `LABELS_POLL_S` seconds
when it has nothing else to do; that wait comes on top.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from app.project import Project, create_project
from app.settings import ProjectSettings
from app.trainer.heartbeat import Heartbeat
from app.trainer.oracle import DatabaseOracle
from app.trainer.process import LABELS_POLL_S
from app.trainer.re_ranking import ReRanker
from app.trainer.workbench import Workbench, set_up
from loops.active_learning import ActiveLearningLoop
from loops.committee import learner_for
from loops.features import FeatureStore
from storage.engine import Database
from storage.labels import record_decision
from storage.projects import get_or_create_annotator
from storage.queue import claim_batch
from storage.samples import NewSample, add_samples, list_samples
from storage.trainer import start_generation

BUSY = "import os\nos.nice(10)\nwhile True: sum(range(10**6))"


def main() -> None:
    """Makes the project, publishes round 0 and times the labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--labels", type=int, default=100)
    options = parser.parse_args()
    with np.load(options.mnist) as data:
        images, digits = data["x_train"][: options.samples], data["y_train"][: options.samples]
    with tempfile.TemporaryDirectory() as folder:
        settings = ProjectSettings("mnist", audit_share=0.0, query_size=options.labels + 1)
        project = create_project(Path(folder) / "project", settings=settings, classes=list("0123456789"))
        with closing(project.open_database()) as database:
            class_of = fill(project, database, images, digits)
            measure(project, database, class_of, options.labels)


def fill(project: Project, database: Database, images: np.ndarray, digits: np.ndarray) -> dict[int, int]:
    """Samples into the database, their pixels into the feature store; returns sample id -> class index."""
    project_id = project.project_id(database)
    new = [NewSample(uri=f"{i}.png", sha256=f"{i:064x}", width=28, height=28, split="pool") for i in range(len(images))]
    for start in range(0, len(new), 5_000):
        with database.write() as session:
            add_samples(session, project_id=project_id, samples=new[start : start + 5_000])
    with database.read() as session:
        samples = list_samples(session, project_id=project_id, split="pool")
    position = {sample.id: int(sample.uri.removesuffix(".png")) for sample in samples}
    store = FeatureStore(project.features_dir / "pixels-28", "pixels-28")
    store.append(list(position), images[list(position.values())][:, None])
    return {sample_id: int(digits[place]) for sample_id, place in position.items()}


def measure(project: Project, database: Database, class_of: dict[int, int], labels: int) -> None:
    """Times the trainer's look after each label."""
    project_id = project.project_id(database)
    with database.write() as session:
        generation = start_generation(session, project_id=project_id, pid=os.getpid())
    with Heartbeat(database, project_id, generation, "CPU", threading.Event()) as heartbeat:
        bench = set_up(project, database, project_id, generation, heartbeat)
        started = time.perf_counter()
        publish_round_0(bench)
        print(f"graph of {len(class_of):,} samples and round 0: {time.perf_counter() - started:.0f} s", flush=True)
        with subprocess.Popen([sys.executable, "-c", BUSY]) as busy:
            seconds, cpu_seconds = time_labels(bench, class_of, labels)
            busy.kill()
    median, p95, worst = np.percentile(1000 * np.array(seconds), [50, 95, 100])
    cpu = 1000 * float(np.median(cpu_seconds))
    print(f"{labels} labels: median {median:.0f} ms, p95 {p95:.0f} ms, worst {worst:.0f} ms; {cpu:.0f} CPU-ms each")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; up to {LABELS_POLL_S * 1000:.0f} ms wait")


def publish_round_0(bench: Workbench) -> None:
    """As the trainer does it, but for the map of the samples."""
    learner = learner_for(bench.acquisition, lambda fold: bench.learner(fold=fold), seed=bench.settings.seed)
    ActiveLearningLoop(learner=learner, oracle=DatabaseOracle(bench), settings=bench.loop_settings).run()


def time_labels(bench: Workbench, class_of: dict[int, int], labels: int) -> tuple[list[float], list[float]]:
    """Wall and processor seconds from a confirmed label to the new ranking."""
    re_ranker = ReRanker(bench)
    re_ranker.look()
    seconds, cpu_seconds = [], []
    for _ in range(labels):
        confirm_one(bench, class_of)
        began, cpu_began = time.perf_counter(), time.process_time()
        re_ranker.look()
        seconds.append(time.perf_counter() - began)
        cpu_seconds.append(time.process_time() - cpu_began)
    return seconds, cpu_seconds


def confirm_one(bench: Workbench, class_of: dict[int, int]) -> None:
    """One decision, as the Label page stores it."""
    with bench.database.write() as session:
        annotator_id = get_or_create_annotator(session, project_id=bench.project_id, name="bench")
        claim = claim_batch(session, project_id=bench.project_id, annotator_id=annotator_id, count=1)[0]
        record_decision(
            session,
            project_id=bench.project_id,
            sample_id=claim.sample.id,
            annotator_id=annotator_id,
            action="label",
            class_index=class_of[claim.sample.id],
            request_id=claim.token,
        )


if __name__ == "__main__":
    main()
