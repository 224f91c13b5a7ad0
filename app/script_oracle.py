"""A person as the oracle of a script: the script's rounds publish their questions in a project, the browser answers.

    data = ActiveLearningDataModule(dataset, oracle=LabelLoop("cats", classes=["cat", "no cat"]), query_size=20)
    trainer.fit_loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=20)
    trainer.fit(module, data)  # waits for people between the rounds

The script takes the place of the project's trainer. The database is the record of labels, so that a script that was
ended and started again goes on, with or without a checkpoint; with one, both are compared.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from app.errors import ProjectError
from app.formats.source import Entry, Source
from app.project.importing import run_import
from app.project.lock import trainer_lock
from app.project.project import Project, create_project, open_project
from app.project.settings import ProjectSettings
from app.running.supervisor import held, screens_child
from app.running.web_server import choose_port, url_of
from app.trainer.heartbeat import Heartbeat
from app.trainer.map import update_map
from app.trainer.oracle import DatabaseOracle
from app.trainer.workbench import Workbench, as_names
from loops.acquisition import catalog
from loops.data import ActiveLearningDataModule
from loops.embeddings.backbone import Backbone
from loops.embeddings.features import FeatureStore
from loops.oracle import Answers, Oracle, PoolScores, Query
from loops.predictors.network_spec import choose_network
from loops.predictors.predictor import Predictor
from storage.engine import Database
from storage.projects import list_classes
from storage.sample_columns import read_columns
from storage.samples import list_samples
from storage.trainer import start_generation

POLL_S = 0.5  # between two looks whether people have finished the round
WRITTEN_AT_ONCE = 1_000  # samples whose rows are held in memory on their way to the map

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelLoop:
    """A project whose people are asked; give it as `oracle=` of an `ActiveLearningDataModule`.

    Args:
        folder: Of the project. A new one is made, with the script's samples in it, in their order.
        classes: Names in the order of their indices; of a new project. One that exists has its own.
        shown: What people see of each sample, in the order of the dataset, of a new project: its text, or the values of
            its row by name. Left out, the samples are images.
        serve: Whether to start the screens, and say where they are; otherwise somebody else does.
    """

    folder: Path | str
    classes: Sequence[str] = ()
    shown: Sequence[str | Mapping[str, object]] = ()
    serve: bool = True

    def for_data(self, data: ActiveLearningDataModule) -> Oracle:
        """Opens the project, or makes it of the data's samples.

        Raises:
            ProjectError: If it is of other samples, or a new one is given no classes, or nothing that can be shown.
        """
        folder = Path(self.folder)
        if not (folder / "settings.toml").is_file():
            self._make(folder, data)
        return ScriptOracle(open_project(folder), data, serve=self.serve)

    def _make(self, folder: Path, data: ActiveLearningDataModule) -> None:
        if not self.classes:
            raise ProjectError(f"{folder} is a new project: LabelLoop({str(self.folder)!r}, classes=[...]) names them.")
        acquisition = data.acquisition
        settings = ProjectSettings(
            folder.name,
            acquisition=catalog.MARGIN if acquisition.own else acquisition.name,
            query_size=data.query_size,
            audit_share=0.0,
            seed=data.seed,
        )
        count = len(data.samples)
        if self.shown and len(self.shown) != count:
            raise ProjectError(f"The script has {count} samples, and what is shown is of {len(self.shown)}.")
        names = [f"{i:0{len(str(count))}}" for i in range(count)]
        written = _as_written(folder, names, self.shown) if self.shown else None
        project = create_project(
            folder, settings=settings, classes=self.classes, kind=written.kind if written else "image"
        )
        source = written or _as_images(project.uploads_dir / "script", names, data)
        with closing(project.open_database()) as database:
            run_import(database, project_id=project.project_id(database), source=source)


@dataclass
class ScriptOracle:
    """Publishes a script's queries in a project and waits for their answers; see `loops.oracle.Opened`."""

    project: Project
    data: ActiveLearningDataModule
    serve: bool
    _opened: ExitStack = field(default_factory=ExitStack)
    _inner: DatabaseOracle | None = None
    _known: Mapping[int, int] = field(default_factory=dict)  # labels that a checkpoint knows
    _place_of: dict[int, int] = field(default_factory=dict)  # in the script's dataset, by the project's sample id
    _id_at: dict[int, int] = field(default_factory=dict)  # the other way round

    def open(self, predictor: Predictor) -> None:
        """Takes the trainer's place, notes the samples' rows for the map, and starts the screens.

        Raises:
            AlreadyRunningError: If the project is running.
        """
        with ExitStack() as stack:
            stack.enter_context(held(self.project))
            stack.enter_context(trainer_lock(self.project.lock_path))
            database = stack.enter_context(closing(self.project.open_database()))
            bench = self._bench(database, predictor)
            stack.enter_context(bench.heartbeat)
            if self.serve:
                stack.enter_context(_screens(self.project))
            self._inner, self._opened = DatabaseOracle(bench), stack.pop_all()
        self._compare()

    def close(self) -> None:
        """Gives the project back."""
        self._inner = None
        self._opened.close()

    def answer(self, query: Query | None) -> Answers | None:
        """Publishes the query, and waits until its labeling round is finished; see `Oracle`."""
        assert self._inner is not None, "open() comes first"
        answers = self._inner.answer(None if query is None else self._published(query))
        if query is not None and query.last:
            return None
        heartbeat = self._inner.bench.heartbeat
        while answers is None:
            heartbeat.show("idle", "A script waits for the labels of this round.")
            self.rest(heartbeat.stop)
            if heartbeat.failure is not None:
                raise heartbeat.failure
            answers = self._inner.answer(None)
        return self._in_places(answers)

    def rest(self, stop: threading.Event) -> None:
        """Between two looks whether people have finished the round; Ctrl+C ends it."""
        stop.wait(POLL_S)

    def state_dict(self) -> dict[str, Any]:
        """The labels that a checkpoint was trained on, for a comparison: the database is their record."""
        return {"labels": list(self.data.labels.items())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Keeps what the checkpoint knows until the database is open."""
        self._known = dict(state["labels"])

    def _compare(self) -> None:
        """Says where checkpoint and database disagree."""
        answers = None if self._inner is None or not self._known else self._inner.answer(None)
        if answers is None:
            return
        labels = self._in_places(answers).labels
        others = sum(labels.get(place) != label for place, label in self._known.items())
        if others:
            _log.warning(
                "%d of the checkpoint's %d labels are others in %s by now; those of the project count",
                others,
                len(self._known),
                self.project.folder,
            )

    def _bench(self, database: Database, predictor: Predictor) -> Workbench:
        project_id = self.project.project_id(database)
        with database.write() as session:
            generation = start_generation(session, project_id=project_id, pid=os.getpid())
        with database.read() as session:
            pool, test = (read_columns(session, project_id=project_id, split=split) for split in ("pool", "test"))
            samples = list_samples(session, project_id=project_id, split="pool")
            classes = as_names(list_classes(session, project_id=project_id))
        self._place_of = {sample.id: int(Path(sample.uri).stem) for sample in samples if _is_number(sample.uri)}
        self._id_at = {place: sample_id for sample_id, place in self._place_of.items()}
        if not self._id_at or max(self._id_at) >= len(self.data.samples):
            count = len(self.data.samples)
            raise ProjectError(f"{self.project.folder} was not made of the {count} samples of this script.")
        name = predictor.describe().name
        heartbeat = Heartbeat(database, project_id, generation, _device(), threading.Event())
        settings = replace(self.project.settings(), query_size=self.data.query_size, audit_share=0.0, embedding="")
        store = self._embedded(predictor, name)
        spec = replace(choose_network("features", [store.backbone.name]), name=name)
        bench = Workbench(
            self.project, database, project_id, generation, heartbeat, settings, pool, test, classes, spec, store
        )
        update_map(self.project, store, pool.ids, lambda: None)
        return bench

    def _embedded(self, predictor: Predictor, name: str) -> FeatureStore:
        """What the script's module makes of the samples before any label, in the project's store."""
        backbone = Backbone(f"script-{name}", 0, (), "of a script")
        store = FeatureStore(self.project.features_dir / backbone.name, backbone)
        missing = store.missing(sorted(self._place_of))
        for start in range(0, len(missing), WRITTEN_AT_ONCE):
            some = missing[start : start + WRITTEN_AT_ONCE]
            store.append(some, predictor.embedding([self._place_of[i] for i in some.tolist()]))
        return store

    def _published(self, query: Query) -> Query:
        """The query by the project's ids."""
        known = (ranked for ranked in query.ranking if ranked.sample_id in self._id_at)
        ranking = tuple(replace(ranked, sample_id=self._id_at[ranked.sample_id]) for ranked in known)
        scores = query.pool_scores
        return replace(query, ranking=ranking, pool_scores=None if scores is None else self._of_project(scores))

    def _of_project(self, scores: PoolScores) -> PoolScores:
        known = np.array([i in self._id_at for i in scores.sample_ids.tolist()], np.bool_)
        return PoolScores(
            np.array([self._id_at[i] for i in scores.sample_ids[known].tolist()], np.int64),
            {name: scores_N[known] for name, scores_N in scores.scores.items()},
            scores.probs_N_C[known],
            None if scores.draws_N_C_K is None else scores.draws_N_C_K[known],
            {name: scores_N[known] for name, scores_N in scores.of_answer.items()},
        )

    def _in_places(self, answers: Answers) -> Answers:
        """The answers by the places in the script's dataset."""
        return replace(
            answers,
            labels={self._place_of[i]: label for i, label in answers.labels.items()},
            pool=self._places(answers.pool),
            audit_pool=self._places(answers.audit_pool),
            audit={self._place_of[i]: label for i, label in answers.audit.items()},
            test=self.data.test_labels,
            suspects={self._place_of[i]: suspicion for i, suspicion in answers.suspects.items()},
        )

    def _places(self, sample_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.array(sorted(self._place_of[i] for i in sample_ids.tolist()), np.int64)


@contextmanager
def _screens(project: Project) -> Iterator[None]:
    """The Streamlit server, as long as the script runs."""
    port = choose_port(None)
    child = screens_child(project, port)
    child.start()
    _log.warning("LabelLoop is at %s", url_of(port))  # a warning, since a script shows nothing less by default
    try:
        yield
    finally:
        child.kill()


def _as_image(sample: Any) -> Image.Image:  # noqa: ANN401
    """A sample as people see it: a picture, or pixels with channels first or last, 0..255, 0..1 or of any range.

    Raises:
        ProjectError: If it is no image.
    """
    if isinstance(sample, Image.Image):
        return sample
    pixels = np.asarray(sample)
    if pixels.ndim == 3 and pixels.shape[0] in (1, 3):
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[-1] not in (1, 3)):
        raise ProjectError(f"People are shown images; the script's samples are arrays of shape {list(pixels.shape)}.")
    if pixels.dtype != np.uint8:
        low, high = min(0.0, float(pixels.min())), max(1.0, float(pixels.max()))
        pixels = np.rint(255 * (pixels - low) / (high - low)).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels)


def _as_images(root: Path, names: Sequence[str], data: ActiveLearningDataModule) -> Source:
    """The samples as files in a folder of their own."""
    root.mkdir(parents=True)
    for sample_id, name in zip(data.sample_ids.tolist(), names, strict=True):
        _as_image(data.input_of(sample_id)).save(root / f"{name}.png")
    return Source(root, tuple(Entry(root, f"{name}.png") for name in names))


def _as_written(root: Path, names: Sequence[str], shown: Sequence[str | Mapping[str, object]]) -> Source:
    """Texts, or rows of a table."""
    is_text = [isinstance(one, str) for one in shown]
    if any(is_text) != all(is_text):
        raise ProjectError("What is shown is all texts or all rows, and not some of each.")
    written = [
        one if isinstance(one, str) else json.dumps({k: str(v) for k, v in one.items()}, ensure_ascii=False)
        for one in shown
    ]
    entries = tuple(Entry(root, name, text=one) for name, one in zip(names, written, strict=True))
    return Source(root, entries, kind="text" if all(is_text) else "table")


def _is_number(uri: str) -> bool:
    return Path(uri).stem.isdecimal()


def _device() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
