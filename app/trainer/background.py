"""Looks at the samples in the background of the trainer, so that labeling goes on over those it has seen already.

A thread of its own embeds the samples in random order, so that the first few hundred are typical of all. Each time
their number has doubled they are released: the graph of the pool is built first, on this thread, then the trainer takes
a new workbench and asks among all of them. Rows are on disk before they count: a killed trainer goes on where it was.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.trainer.away import ENOUGH, LOOK_S, AwayFiles, mend
from app.trainer.embedding_request import EmbeddingRequest, Progress
from app.trainer.heartbeat import Heartbeat
from app.trainer.map import MOST_SAMPLES, update_map
from app.trainer.sample_source import SampleSource
from loops.embeddings.embedding_choice import LOOKED_AT, choose_by_structure, in_embedding_order, write_embedding_choice
from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.embeddings.learned_graph import learn
from loops.errors import TrainingInterruptedError

STEP_S = 3.0  # the least time between two releases: what is quickly embedded is released at once
GROWTH = 2  # times as many samples at the next release; a release may build a graph
LONGEST_GOODBYE_S = 10.0  # then the process ends with the thread in it; what is on disk is whole
_LOOK_S = 0.1  # between two looks of somebody who waits

Ids = NDArray[np.int64]

logger = logging.getLogger(__name__)


@dataclass
class BackgroundEmbedding:
    """One project's samples on their way into the feature store; the store's one writer.

    The thread is as urgent as the trainer: a less urgent one would hold Python's lock for long while it waits for a
    busy processor, and labels would wait for the lock.

    Args:
        source: Gives samples, takes note of broken ones.
        stop: Set: the trainer should end.
    """

    source: SampleSource
    stop: threading.Event
    progress: Progress = field(default_factory=Progress)
    released: int = 0  # rows of the store that may be used
    grew: bool = False  # something was released that no workbench has taken up
    failure: Exception | None = None
    _wanted: EmbeddingRequest | None = None
    _complete: bool = False
    _is_mended: bool = False
    _compared: Path | None = None  # features of the project whose embeddings were compared
    _broken: set[int] = field(default_factory=set)
    _wake: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        """Nothing is away yet."""
        self._away = AwayFiles(self.source)

    def want(self, wanted: EmbeddingRequest) -> None:
        """Says what is to be embedded; what is embedded already stays released."""
        if wanted.is_as(self._wanted) and self.failure is None:
            return
        if self._wanted is None or self._wanted.folder != wanted.folder:
            self.released, self.grew = 0, False
        self._broken, self._complete, self.failure = set(), False, None
        self._away.ids = set()
        self._wanted = wanted
        self._wake.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="embedding", daemon=True)
            self._thread.start()

    def take(self) -> FeatureStore:
        """What is released, for reading: it stays as it is while the thread goes on.

        Raises:
            Exception: What the thread failed of.
        """
        assert self._wanted is not None
        if self.failure is not None:
            raise self.failure
        self.grew = False
        return FeatureStore(self._wanted.folder, self._wanted.backbone, first=self.released)

    @property
    def is_busy(self) -> bool:
        """Whether more will be released."""
        return self._wanted is not None and not self._complete and self.failure is None

    def wait(self, heartbeat: Heartbeat) -> None:
        """Waits until something is released, or nothing more will be.

        Raises:
            TrainingInterruptedError: If the trainer should end.
        """
        heartbeat.show("embedding")
        while self.is_busy and not self.grew:
            heartbeat.say(self.progress.stall)
            heartbeat.count(self.progress.done, self.progress.total, self.progress.eta_s)
            self.stop.wait(_LOOK_S)

    def __enter__(self) -> BackgroundEmbedding:
        """The thread starts when something is wanted."""
        return self

    def __exit__(self, *error: object) -> None:
        """Waits for the thread, which looks at `stop` after each batch; somebody's own network may take its time."""
        self.stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(LONGEST_GOODBYE_S)

    def _run(self) -> None:
        while not self.stop.is_set():
            self._wake.clear()
            try:
                self._work()
            except TrainingInterruptedError:
                continue
            except Exception as error:  # noqa: BLE001 - kept, and raised by the trainer's own thread, which logs it
                self.failure = error
            self.progress = Progress(self._away.sentence)
            self._rest()

    def _rest(self) -> None:
        """Waits until something is wanted, or files are back that were away."""
        while not self._wake.wait(LOOK_S if self._away.ids else None):
            if self._away.some_came_back():
                self._complete = False
                return

    def _work(self) -> None:
        """Embeds and releases until there is nothing left to do, or something else is wanted."""
        wanted = self._wanted
        assert wanted is not None
        store = FeatureStore(wanted.folder, wanted.backbone)
        if not self._is_mended:  # once: it reads each file that could not be read
            self._is_mended = True
            mend(self.source)
        self.source.fit(store, wanted.pool, lambda: self._check(wanted))
        if not self.released and len(store) >= min(wanted.first, len(wanted.pool)):
            self._take_up(wanted, store)
        while len(todo := self._todo(wanted, store)) or self.released < len(store):
            if len(todo):
                self._embed(wanted, store, todo)
            self._away.check(len(wanted.pool) - len(store.missing(wanted.pool)))
            self._release(wanted, store)
            self._compare_once(wanted, store)
            if len(store) >= MOST_SAMPLES:  # of fewer it would soon be drawn again
                self._attempt("drawing the map", lambda: self._draw(wanted, store))
        self._compare_once(wanted, store)  # where an earlier trainer had embedded all, and ended before it
        self._complete = True
        self._attempt("drawing the map", lambda: self._draw(wanted, store))
        if wanted.graphed:
            self._attempt("learning features", lambda: self._learn(wanted, store))

    def _compare_once(self, wanted: EmbeddingRequest, store: FeatureStore) -> None:
        """Compares embeddings as soon as the samples for it are there: two stores must not write to one folder."""
        if not wanted.rivals or self._compared == wanted.folder.parent:
            return
        pool = in_embedding_order(wanted.pool, wanted.seed)
        if not np.isin(pool[:LOOKED_AT], self._todo(wanted, store)).any():
            self._attempt("comparing embeddings", lambda: self._compare(wanted, pool))

    def _compare(self, wanted: EmbeddingRequest, pool: Ids) -> None:
        """Where another embedding is better than the one that was begun with, the trainer takes it.

        Labels are asked meanwhile.
        """
        backbone = wanted.rivals[0].backbone
        self.progress = Progress(f"Finding out how the {self.source.kind.NOUNS} are told apart best.")
        stores = [FeatureStore(rival.folder, rival.backbone) for rival in wanted.rivals]
        load = self.source.reader(backbone, pool)
        choice = choose_by_structure(stores, pool, load, seed=wanted.seed, check=lambda: self._check(wanted))
        if choice is not None:
            self._compared = wanted.folder.parent
            write_embedding_choice(choice, wanted.folder.parent)
            self.grew |= choice.chosen != wanted.backbone.name

    def _take_up(self, wanted: EmbeddingRequest, store: FeatureStore) -> None:
        """Releases what an earlier trainer left; where its graph is still to be built, first what there is one of."""
        rows = _rows_on_graph(wanted, store) if wanted.graphed else 0
        if rows:
            self.released, self.grew = rows, True
        else:
            self._release(wanted, store)

    def _attempt(self, step: str, work: Callable[[], None]) -> None:
        """Does what nobody waits for; a failure is recorded, and tried again at the next start."""
        try:
            work()
        except TrainingInterruptedError:
            raise
        except Exception as error:  # the border, as of a round
            logger.exception("%s failed", step)
            self.source.note_failure(step, error)

    def _draw(self, wanted: EmbeddingRequest, store: FeatureStore) -> None:
        self.progress = Progress(f"Drawing the map of the {self.source.kind.NOUNS}.")
        update_map(self.source.project, store, wanted.pool, lambda: self._check(wanted))

    def _learn(self, wanted: EmbeddingRequest, store: FeatureStore) -> None:
        """Learns features from the pool; until they are better the computed ones stay in force."""
        started = time.monotonic()

        def progress(done: int, total: int) -> None:
            eta_s = (time.monotonic() - started) / done * (total - done) if done else None
            self.progress = Progress(f"Learning features from the pool: {done} %", done, total, eta_s)

        embedded = np.setdiff1d(wanted.pool, store.missing(wanted.pool))
        self.grew |= learn(store, embedded, seed=wanted.seed, progress=progress, check=lambda: self._check(wanted))

    def _todo(self, wanted: EmbeddingRequest, store: FeatureStore) -> Ids:
        missing = store.missing(wanted.in_order)
        return missing[~np.isin(missing, [*self._broken, *self._away.ids])]

    def _embed(self, wanted: EmbeddingRequest, store: FeatureStore, todo: Ids) -> None:
        enough, started = max(wanted.first, GROWTH * self.released), time.monotonic()
        total, nouns = len(wanted.pool) + len(wanted.test), self.source.kind.NOUNS

        def progress(done: int, _: int) -> None:
            self._check(wanted)
            self._away.check(len(store), fewest=ENOUGH)
            eta_s = (time.monotonic() - started) / done * (len(todo) - done) if done else None
            done_before = total - len(todo)
            sentence = f"Looking at the {nouns}: {done_before + done:,} of {total:,}"
            self.progress = Progress(sentence, done_before + done, total, eta_s, may_hang=True)

        progress(0, 0)
        self.source.embed(
            store,
            todo,
            enough=enough - len(store),
            progress=progress,
            on_broken=self._leave_out,
            should_stop=lambda: len(store) >= enough and time.monotonic() - started >= STEP_S,
        )

    def _release(self, wanted: EmbeddingRequest, store: FeatureStore) -> None:
        """Builds the graph of what is embedded, then lets it be used."""
        rows = len(store)
        if wanted.graphed:
            embedded = np.setdiff1d(wanted.pool, store.missing(wanted.pool))
            graph = GraphOfPool(store, num_classes=wanted.num_classes, seed=wanted.seed)
            graph.hold(embedded, lambda: self._check(wanted))
        self.released, self.grew = rows, True

    def _check(self, wanted: EmbeddingRequest) -> None:
        if self.stop.is_set() or self._wanted is not wanted:
            raise TrainingInterruptedError(steps=0, wanted=0, doing="embedding")

    def _leave_out(self, sample_id: int, reason: str) -> None:
        if not self._away.takes(sample_id):
            self._broken.add(sample_id)
            self.source.leave_out(sample_id, reason)


def _rows_on_graph(wanted: EmbeddingRequest, store: FeatureStore) -> int:
    """The oldest rows whose samples are on the graph that is there, where it has to be built anew for the others."""
    in_pool = np.flatnonzero(np.isin(store.ids, wanted.pool))
    graph = GraphOfPool(store, num_classes=wanted.num_classes, seed=wanted.seed)
    if not graph.is_outgrown_by(store.ids[in_pool]):
        return 0
    return int(in_pool[graph.prefix(store.ids[in_pool])])
