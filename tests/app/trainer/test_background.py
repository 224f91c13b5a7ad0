from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from app.project.pool_map import map_path, read_map
from app.project.project import Project
from app.project.settings import save_settings
from app.trainer import background as background_module
from app.trainer.background import BackgroundEmbedding
from app.trainer.embedding_request import EmbeddingRequest
from app.trainer.map import update_map
from app.trainer.re_ranking import ReRanker
from app.trainer.rounds import run_rounds
from app.trainer.sample_source import Load, SampleSource
from app.trainer.workbench import Workbench
from loops.embeddings.embedding_choice import EmbeddingChoice, read_embedding_choice
from loops.embeddings.features import FeatureStore
from loops.embeddings.kinds import backbone_of
from loops.errors import TrainingInterruptedError
from storage.engine import Database
from storage.rounds import list_queries, open_round
from storage.sample_columns import read_columns
from storage.trainer import list_errors
from tests.app.trainer.conftest import POOL, TEST, Annotator

pytestmark = pytest.mark.usefixtures("quick_predictor")

FIRST, BATCH = 20, 5


@dataclass
class Gate:
    """Lets so many images through, and more when it is opened."""

    open_for: int = FIRST
    opened: threading.Event = field(default_factory=threading.Event)
    loaded: list[int] = field(default_factory=list)
    broken: Exception | None = None

    def wrap(self, load: Load) -> Load:
        def gated(sample_id: int) -> np.ndarray:
            if len(self.loaded) >= self.open_for:
                assert self.opened.wait(60)
            if self.broken is not None:
                raise self.broken
            self.loaded.append(sample_id)
            return load(sample_id)

        return gated


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, background: BackgroundEmbedding) -> Iterator[Gate]:
    """A trainer that asks among the first 20 samples, and looks at the other 50 when the gate opens."""
    made = Gate()
    reader = SampleSource.reader
    monkeypatch.setattr(SampleSource, "reader", lambda self, *which: made.wrap(reader(self, *which)))
    monkeypatch.setattr(background_module, "STEP_S", 0.0)
    monkeypatch.setattr("app.trainer.workbench.FIRST", FIRST)
    monkeypatch.setattr(Workbench, "enough", 10)
    monkeypatch.setattr("loops.embeddings.embedding.PixelEmbedder.batch_size", BATCH)
    yield made
    made.opened.set()  # before `background` ends: it would wait ten seconds for a thread that waits for the gate


def asked(bench: Workbench) -> set[int]:
    with bench.database.read() as session:
        latest = open_round(session, project_id=bench.project_id)
        assert latest is not None
        return {query.sample_id for query in list_queries(session, round_id=latest.id)}


def wait_until_done(background: BackgroundEmbedding) -> None:
    wait_for(lambda: not background.is_busy)


def wait_for(happened: Callable[[], bool]) -> None:
    for _ in range(1_200):
        if happened():
            return
        threading.Event().wait(0.05)
    raise AssertionError("the thread never came so far")


def test_people_label_what_was_seen_first_and_the_pool_grows_meanwhile(
    gate: Gate, make_bench: Callable[[], Workbench], background: BackgroundEmbedding, annotator: Annotator
) -> None:
    bench = make_bench()
    assert len(bench.store) == FIRST
    run_rounds(bench)
    assert background.is_busy, "the other images wait behind the gate"
    assert asked(bench) <= set(gate.loaded)
    annotator.label(2)

    gate.opened.set()
    wait_until_done(background)
    assert len(bench.store) == FIRST, "a workbench stays as it is"
    assert background.grew
    assert len(make_bench().store) == POOL + TEST
    assert not background.grew


def test_what_is_embedded_and_not_released_yet_is_not_asked_about(
    gate: Gate, make_bench: Callable[[], Workbench]
) -> None:
    gate.open_for = FIRST + BATCH
    bench = make_bench()
    wait_for(lambda: len(FeatureStore(bench.store.folder, "pixels-16")) == FIRST + BATCH)
    assert len(make_bench().store) == FIRST, "its graph is not built"


def test_a_draw_among_what_is_embedded_is_a_draw_from_the_whole_pool(
    gate: Gate, project: Project, make_bench: Callable[[], Workbench]
) -> None:
    save_settings(project.settings_path, replace(project.settings(), cold_start="random", audit_share=0.0))
    bench = make_bench()
    run_rounds(bench)
    with bench.database.read() as session:
        latest = open_round(session, project_id=bench.project_id)
        assert latest is not None
        first, *_ = list_queries(session, round_id=latest.id)
    assert bench.share_embedded == pytest.approx(FIRST / POOL)
    assert first.acquisition_probability == pytest.approx(1 / POOL)


def test_what_was_seen_later_is_asked_for_without_a_new_label(
    gate: Gate, project: Project, make_bench: Callable[[], Workbench], background: BackgroundEmbedding
) -> None:
    save_settings(project.settings_path, replace(project.settings(), acquisition="auto"))
    run_rounds(make_bench())
    gate.opened.set()
    wait_until_done(background)
    bench = make_bench()
    assert ReRanker(bench).look() == 0
    assert ReRanker(bench, anew=True).look() > 0
    assert not asked(bench) <= set(gate.loaded[:FIRST])


def test_a_trainer_that_was_stopped_in_between_goes_on_where_it_was(
    gate: Gate, project: Project, database: Database, project_id: int
) -> None:
    source, wanted, stop = SampleSource(project, database), wanted_of(project, database, project_id), threading.Event()
    with BackgroundEmbedding(source, stop) as first:
        first.want(wanted)
        while not first.grew:
            stop.wait(0.01)
        stop.set()
        gate.opened.set()
    assert FIRST <= len(gate.loaded) <= FIRST + BATCH
    with BackgroundEmbedding(source, threading.Event()) as again:
        again.want(wanted)
        wait_until_done(again)
        assert len(again.take()) == POOL + TEST
    assert len(gate.loaded) == len(set(gate.loaded)) == POOL + TEST, "nothing twice"


def wanted_of(project: Project, database: Database, project_id: int) -> EmbeddingRequest:
    with database.read() as session:
        pool, test = (read_columns(session, project_id=project_id, split=split).ids for split in ("pool", "test"))
    backbone = backbone_of("pixels-16")
    return EmbeddingRequest(
        project.features_dir / "pixels-16", backbone, pool, test, first=FIRST, graphed=False, num_classes=10, seed=0
    )


def test_images_are_looked_at_once_by_a_trainer_that_is_not_stopped(
    gate: Gate, make_bench: Callable[[], Workbench], background: BackgroundEmbedding
) -> None:
    gate.opened.set()
    bench = make_bench()
    wait_until_done(background)
    assert len(gate.loaded) == POOL + TEST
    make_bench()
    wait_until_done(background)
    assert len(gate.loaded) == POOL + TEST
    assert set(gate.loaded[:FIRST]) <= set(bench.pool.ids.tolist()), "the first ones are of the pool"
    assert gate.loaded != sorted(gate.loaded), "in random order"


def test_a_failure_reaches_the_trainer_and_a_retry_starts_again(
    gate: Gate, make_bench: Callable[[], Workbench], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.opened.set()
    with monkeypatch.context() as patched:
        patched.setattr(SampleSource, "reader", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            make_bench()
    assert len(make_bench().store) >= FIRST


def test_an_embedding_that_hangs_is_said_on_the_screens(
    gate: Gate, make_bench: Callable[[], Workbench], background: BackgroundEmbedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bench()
    wait_for(lambda: background.progress.total > 0)
    assert background.progress.stall == ""

    monkeypatch.setattr("app.trainer.embedding_request.STALLED_S", 0.0)
    assert background.progress.stall.startswith("Nothing more has come of it for 0 minutes")
    gate.opened.set()
    wait_until_done(background)
    wait_for(lambda: background.progress.sentence == "")
    assert background.progress.stall == "", "nothing is to be done any more"


def test_broken_images_are_left_out_and_do_not_keep_the_thread_busy(
    gate: Gate, make_bench: Callable[[], Workbench], background: BackgroundEmbedding
) -> None:
    gate.opened.set()
    gate.broken = OSError("gone")
    bench = make_bench()
    wait_until_done(background)
    assert len(bench.store) == 0
    assert len(make_bench().pool) == 0, "they are marked"


def test_the_map_of_what_is_embedded_is_drawn_again_when_there_is_more(
    gate: Gate, project: Project, make_bench: Callable[[], Workbench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_module, "MOST_SAMPLES", FIRST)
    make_bench()
    wait_for(lambda: len(gate.loaded) == FIRST and drawn(project) == FIRST)
    gate.opened.set()
    wait_for(lambda: drawn(project) == POOL)


def drawn(project: Project) -> int:
    placed = read_map(map_path(project.features_dir))
    return 0 if placed is None else len(placed.sample_ids)


def test_a_map_of_many_samples_is_drawn_elsewhere_and_broken_off_at_once(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FeatureStore(project.features_dir / "pixels-16", "pixels-16")
    store.append(np.arange(20), np.arange(20, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 16, 16), np.uint8))
    monkeypatch.setattr("app.trainer.map._FEW_SAMPLES", 10)

    def stop() -> None:
        raise TrainingInterruptedError(steps=0, wanted=0)

    with pytest.raises(TrainingInterruptedError):
        update_map(project, store, np.arange(20), stop)
    assert drawn(project) == 0
    update_map(project, store, np.arange(20), lambda: None)
    assert drawn(project) == 20


def test_the_order_is_random_by_id_and_begins_with_the_pool() -> None:
    wanted = EmbeddingRequest(
        folder=None,  # type: ignore[arg-type]
        backbone=backbone_of("pixels-16"),
        pool=np.arange(100),
        test=np.arange(100, 200),
        first=30,
        graphed=False,
        num_classes=2,
        seed=0,
    )
    order = wanted.in_order.tolist()
    assert sorted(order) == list(range(200))
    assert max(order[:30]) < 100
    assert 0 < sum(sample_id >= 100 for sample_id in order[30:60]) < 30


def test_features_are_learned_when_all_is_released_and_a_failure_leaves_the_trainer_as_it_was(
    gate: Gate,
    project: Project,
    database: Database,
    project_id: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate.opened.set()
    learned_from: list[int] = []
    ended = threading.Event()

    def learn(_store: FeatureStore, sample_ids: np.ndarray, **_: object) -> bool:
        learned_from.append(len(sample_ids))
        if len(learned_from) == 2:
            ended.set()
            raise MemoryError("not enough memory to learn")
        return True

    monkeypatch.setattr(background_module, "learn", learn)
    wanted = replace(wanted_of(project, database, project_id), graphed=True)
    with BackgroundEmbedding(SampleSource(project, database), threading.Event()) as background:
        background.want(wanted)
        wait_until(lambda: len(learned_from) == 1 and background.grew)
        background.take()
        background.want(replace(wanted, pool=wanted.pool[:-1]))
        assert ended.wait(60)
        wait_until(lambda: bool(errors(database, project_id)))
        assert background.failure is None
    assert learned_from == [POOL, POOL - 1], "the test set has no part in it"
    assert errors(database, project_id) == [("learning features", "not enough memory to learn")]


def wait_until(happened: Callable[[], bool]) -> None:
    for _ in range(1200):
        if happened():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it never happened")


def errors(database: Database, project_id: int) -> list[tuple[str, str]]:
    with database.read() as session:
        return [(error.step, error.message) for error in list_errors(session, project_id=project_id)]


def test_embeddings_are_compared_once_their_samples_are_there_also_by_the_trainer_after_one_that_ended_before(
    gate: Gate, project: Project, database: Database, project_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the 30 that are compared 20 are there at the first release: comparing would write beside the embedder."""
    compared: list[int] = []

    def choose(stores: Sequence[FeatureStore], pool: np.ndarray, *_: object, **__: object) -> EmbeddingChoice:
        compared.append(len(stores[0].missing(pool[:30])))
        return EmbeddingChoice("pixels-16", {})

    monkeypatch.setattr(background_module, "LOOKED_AT", 30)
    monkeypatch.setattr(background_module, "choose_by_structure", choose)
    plain = wanted_of(project, database, project_id)
    wanted = replace(plain, rivals=(FeatureStore(plain.folder, "pixels-16"),))
    with BackgroundEmbedding(SampleSource(project, database), threading.Event()) as background:
        background.want(wanted)
        wait_until(lambda: background.grew)
        assert compared == []
        gate.opened.set()
        wait_until(lambda: bool(compared))
    assert compared == [0]
    read = read_embedding_choice(project.features_dir)
    assert read is not None
    assert read.chosen == "pixels-16"

    with BackgroundEmbedding(SampleSource(project, database), threading.Event()) as background:
        background.want(wanted)  # all is embedded already
        wait_until(lambda: len(compared) == 2)
