"""Many runs side by side, each in a process of its own; what is finished is not run again."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from app.errors import SimulationError
from app.project.settings import write_atomically
from app.simulation.bar import Bar
from app.simulation.config import SimulationConfig, StudyConfig
from app.simulation.data import LabeledSamples, embed_all, load_data
from app.simulation.pool_features import build_graphs, folder_of_run
from app.simulation.run import MeasuredRound, Simulation, simulate
from app.simulation.summary import (
    draw_curves,
    honest_text,
    labels_to_rows,
    saved_rows,
    saved_text,
    table_rows,
    table_text,
    write_table,
)
from loops.acquisition import catalog
from loops.embeddings.embedding_choice import choose_by_structure, in_embedding_order
from loops.embeddings.features import FeatureStore
from loops.embeddings.kinds import rivals_of
from loops.oracle import Query
from loops.predictors.making import champion_answers
from loops.predictors.network_spec import base_name, choose_network

LOOK_S = 0.2  # between two looks at what the processes report
Reports = multiprocessing.Queue  # of (run, labels so far)
OnRound = Callable[[Query, MeasuredRound | None], None]


def simulate_once(config: SimulationConfig, on_round: OnRound | None = None) -> dict[str, Any]:
    """One run, in this process, told round by round on stderr, or to a function.

    Raises:
        SettingsError: If the data cannot be used.
    """
    images = load_data(config)
    with tempfile.TemporaryDirectory() as folder, prepared(config, images, Path(folder)) as simulation:
        if champion_answers(catalog.find(config.acquisition), config.predictor):
            _build_graphs(simulation, config.seed, _teller())
        return simulate(config, simulation, on_round or _tell)


def run_study(study: StudyConfig) -> dict[str, Any]:
    """All runs of a study, as many at a time as there are processes.

    Each run's folder holds its curve and `result.json`; a run whose result is there, of the same settings and data, is
    not repeated. The study's folder gets `table.csv`, `table.md`, `curves.png` and `study.json`.

    Returns:
        The JSON of the command: runs, table, labels_to, labels_saved.

    Raises:
        SettingsError: If the data cannot be used.
        SimulationError: If a run failed; the others were finished first.
    """
    runs = study.runs()
    waiting = [run for run in runs if read_result(run) is None]
    if waiting:
        images = load_data(study.base)
        with tempfile.TemporaryDirectory() as folder, prepared(study.base, images, Path(folder)) as simulation:
            _run_all(study, simulation, runs, waiting)
    results = [result for run in runs if (result := read_result(run)) is not None]
    summary = {
        "runs": results,
        "table": table_rows(results, study.base.budget),
        "labels_to": labels_to_rows(results),
        "labels_saved": saved_rows(results),
    }
    _write(study, results, summary)
    return summary


def read_result(config: SimulationConfig) -> dict[str, Any] | None:
    """The result of a finished run; None if it is not there, or is of other settings or data."""
    path = config.out / "result.json"
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError:
        return None
    result: dict[str, Any] | None = found["result"] if found.get("fingerprint") == fingerprint(config) else None
    return result


def fingerprint(config: SimulationConfig) -> str:
    """A hash of everything that a result depends on."""
    described = {name: str(value) for name, value in asdict(config).items() if name != "out"}
    files = [path for path in (config.npz, config.labels, config.test) if path is not None]
    described["files"] = str([(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in files])
    described["version"] = version("labelloop")
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


@contextmanager
def prepared(config: SimulationConfig, images: LabeledSamples, folder: Path) -> Iterator[Simulation]:
    """Features are computed once, whatever the number of runs."""
    spec = choose_network(base_name(config.predictor), _in_order(config, images, folder))
    store = FeatureStore(folder / spec.backbone, spec.backbone)
    embed_all(store, images)
    decided = base_name(config.predictor) != "auto"
    rivals = [name for name in images.candidates if name != spec.backbone and not decided]
    yield Simulation(images, store, spec, (store, *(FeatureStore(folder / name, name) for name in rivals)))


def _in_order(config: SimulationConfig, images: LabeledSamples, folder: Path) -> Sequence[str]:
    """Candidate embeddings, the one in which the pool falls into the clearest groups first; see `choose_by_structure`.

    The first seed's samples decide for all runs of a study, as one project has one embedding.
    """
    rivals = rivals_of(images.kind, images.candidates) if base_name(config.predictor) == "auto" else ()
    stores = [FeatureStore(folder / name, name) for name in rivals]
    pool = in_embedding_order(np.array(sorted(images.pool), np.int64), config.seed)
    choice = choose_by_structure(stores, pool, images.load, seed=config.seed) if stores else None
    if choice is None:
        return images.candidates
    sys.stderr.write(f"{choice.sentence}\n")
    return choice.in_order(images.candidates)


def _run_all(
    study: StudyConfig, simulation: Simulation, runs: list[SimulationConfig], waiting: list[SimulationConfig]
) -> None:
    processes = min(len(waiting), study.processes or len(os.sched_getaffinity(0)))
    context = multiprocessing.get_context("spawn")  # a forked child inherits torch's locked thread pools
    reports: Reports[tuple[str, int]] = context.Queue()
    # Runs of a study stay in the embedding they begin in: what else would have to be embedded, they cannot load.
    sent = replace(simulation, images=replace(simulation.images, load=_embedded_before), rivals=())
    bar = Bar(runs=len(runs), finished=len(runs) - len(waiting), budget=study.base.budget)
    with ProcessPoolExecutor(processes, context, _start_worker, (sent, reports)) as pool:
        graphed = sorted(
            {run.seed for run in waiting if champion_answers(catalog.find(run.acquisition), run.predictor)}
        )
        _watch_preparing([pool.submit(_prepare, seed) for seed in graphed], reports, bar)
        failures = _watch({pool.submit(_work, run): run for run in waiting}, reports, bar)
    bar.end()
    if failures:
        run, error = failures[0]
        raise SimulationError(
            f"{len(failures)} of {len(runs)} runs failed, the first {run.out.name}: {error}. The others are finished; "
            "the same command goes on with what is missing."
        )


def _watch_preparing(futures: list[Future[None]], reports: Reports[tuple[str, int]], bar: Bar) -> None:
    """Shows how far preparing is, until every seed has its graphs; runs of a seed share them.

    Raises:
        Exception: Whatever a process failed with.
    """
    pending = set(futures)
    while pending:
        _, pending = wait(pending, LOOK_S, FIRST_COMPLETED)
        while not reports.empty():
            bar.prepared(*reports.get())
        bar.show()
    for future in futures:
        future.result()
    bar.begin_runs()


def _watch(
    futures: dict[Future[None], SimulationConfig], reports: Reports[tuple[str, int]], bar: Bar
) -> list[tuple[SimulationConfig, BaseException]]:
    failures = []
    pending = set(futures)
    while pending:
        done, pending = wait(pending, LOOK_S, FIRST_COMPLETED)
        while not reports.empty():
            bar.progress(*reports.get())
        for future in done:
            error = future.exception()
            if error is not None:
                failures.append((futures[future], error))
            bar.finished_run(futures[future].out.name, failed=error is not None)
        bar.show()
    return failures


_worker: dict[str, Any] = {}  # of this process: what `_start_worker` was given


def _start_worker(simulation: Simulation, reports: Reports[tuple[str, int]]) -> None:
    torch.set_num_threads(1)  # as many processes as cores: more threads would only wait for one another
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker.update(simulation=simulation, reports=reports, limits=threadpool_limits(1))


def _end_with_parent() -> None:
    """A killed study would leave its workers behind: they wait at a queue of which they hold both ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _prepare(seed: int) -> None:
    _build_graphs(_worker["simulation"], seed, lambda percent: _worker["reports"].put((f"seed {seed}", percent)))


def _build_graphs(simulation: Simulation, seed: int, progress: Callable[[int], None]) -> None:
    classes = len(simulation.images.classes)
    build_graphs(simulation.store, simulation.images.pool, num_classes=classes, seed=seed, progress=progress)


def _work(config: SimulationConfig) -> None:
    def report(query: Query, noted: MeasuredRound | None) -> None:
        _worker["reports"].put((config.out.name, noted.labels if noted else query.labels))

    shared: Simulation = _worker["simulation"]
    with folder_of_run(shared.store) as store:
        result = {"asked_for": config.acquisition, **simulate(config, replace(shared, store=store), report)}
    content = json.dumps({"fingerprint": fingerprint(config), "result": result})
    write_atomically(config.out / "result.json", content.encode())


def _embedded_before(sample_id: int) -> NDArray[np.uint8]:
    raise AssertionError(f"sample {sample_id} was embedded before the runs began")


def _write(study: StudyConfig, results: list[dict[str, Any]], summary: dict[str, Any]) -> None:
    out = study.base.out
    out.mkdir(parents=True, exist_ok=True)
    write_table(out / "table.csv", summary["table"])
    texts = [table_text(results, study.base.budget), honest_text(results), saved_text(summary["labels_saved"])]
    (out / "table.md").write_text("\n\n".join(filter(None, texts)) + "\n", encoding="utf-8")
    draw_curves(out / "curves.png", results)
    write_atomically(out / "study.json", json.dumps(summary).encode())


def _teller() -> Callable[[int], None]:
    """Tells how much is learned: in place where a person watches, a line per quarter elsewhere."""
    quarters = -1

    def tell(percent: int) -> None:
        nonlocal quarters
        if sys.stderr.isatty():
            sys.stderr.write(f"\rlearning features from the pool: {percent} %")
            sys.stderr.write("\n" if percent == 100 else "")
        elif percent // 25 > quarters:
            quarters = percent // 25
            sys.stderr.write(f"learning features from the pool: {percent} %\n")

    return tell


def _tell(query: Query, noted: MeasuredRound | None) -> None:
    labels = noted.labels if noted else query.labels
    accuracy = f", accuracy {100 * noted.test.accuracy:.1f} %" if noted else ""
    took = f", fit {query.fit_seconds:.1f} s, score {query.score_seconds:.1f} s"
    sys.stderr.write(f"round {query.round_number}: {labels} labels{accuracy}{took}\n")
