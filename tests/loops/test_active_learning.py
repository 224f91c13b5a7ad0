from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from loops.acquisition.catalog import CATALOG, find
from loops.acquisition.choosing import choose
from loops.acquisition.functions import bald
from loops.active_learning import ActiveLearningLoop
from loops.embeddings.features import FeatureStore
from loops.oracle import Answers, AskedBy, KnownLabels, PoolScores, Query
from loops.predictors.making import predictor_for
from loops.predictors.network import Network, SavedCheckpoint
from loops.predictors.network_spec import NetworkSpec
from loops.predictors.predictor import Description
from loops.settings import LoopSettings
from tests.loops.acquisition.entry_points import install

LABELS = {sample_id: sample_id % 2 for sample_id in range(100, 140)}


class RecordingPredictor:
    """Learns nothing and scores a sample by its id, so that every choice can be computed in the head."""

    answers_without_labels = False

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.trained_on: list[set[int]] = []

    def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None:
        self.calls.append(f"fit {round_number}")
        self.trained_on.append(set(labels))

    def predict(self, sample_ids: list[int]) -> NDArray[np.float32]:
        return np.tile(np.array([0.9, 0.1], np.float32), (len(sample_ids), 1))

    def score(self, sample_ids: list[int], *, round_number: int) -> PoolScores:
        self.calls.append(f"score {round_number}")
        ids = np.array(sample_ids)
        return PoolScores(ids, {"bald": ids.astype(np.float32)}, self.predict(sample_ids))

    def review(self, labels: Mapping[int, int], *, pool: NDArray[np.int64], begins: bool) -> None:
        assert not set(labels) & set(pool.tolist())

    def describe(self) -> Description:
        return Description("recording", "It records.")

    def embedding(self, sample_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.eye(200, dtype=np.float32)[np.asarray(sample_ids)]  # no two look the same

    def save(self, path: Path, loop_state: dict[str, Any]) -> SavedCheckpoint:
        path.write_text("saved")
        self.saved_state = loop_state
        return SavedCheckpoint(path, "sha", 5)


class SilentPeople:
    """An oracle over people who never answer what they are asked."""

    def __init__(self) -> None:
        self.asked: list[Query] = []

    def answer(self, query: Query | None) -> Answers | None:
        if query is not None:
            self.asked.append(query)
        return None if self.asked else Answers(0, {}, np.array(sorted(LABELS)))


def a_loop(predictor: Any, oracle: Any, budget: int = 0, **settings: Any) -> ActiveLearningLoop:
    return ActiveLearningLoop(
        predictor=predictor,
        oracle=oracle,
        settings=LoopSettings(
            **{"acquisition": "bald", "query_size": 4, "labeling_budget": budget, "cold_start": "random"} | settings
        ),
    )


def test_each_round_trains_on_all_labels_so_far_and_the_budget_ends_the_run() -> None:
    predictor, oracle = RecordingPredictor(), KnownLabels(LABELS, query_size=4)
    loop = a_loop(predictor, oracle, budget=12)
    loop.run()
    assert [query.labels for query in oracle.queries] == [0, 4, 8, 12]
    assert [len(labels) for labels in predictor.trained_on] == [4, 8, 12]
    assert predictor.calls == ["fit 1", "score 1", "fit 2", "score 2", "fit 3", "score 3"]
    assert loop.stop_reason == "the labeling budget of 12 labels is used up"
    assert oracle.queries[-1].last


def test_the_highest_scores_of_the_pool_are_asked_first_by_id() -> None:
    oracle = KnownLabels(LABELS, query_size=4)
    a_loop(RecordingPredictor(), oracle, budget=8).run()
    cold_start = {ranked.sample_id for ranked in oracle.queries[0].ranking[:4]}
    brute_force = sorted(set(LABELS) - cold_start, reverse=True)
    assert [ranked.sample_id for ranked in oracle.queries[1].ranking] == brute_force


def test_each_query_says_who_asked_and_which_labels_it_had_seen() -> None:
    oracle = KnownLabels(LABELS, query_size=4)
    a_loop(RecordingPredictor(), oracle, budget=8).run()
    assert [query.asked_by for query in oracle.queries] == [
        None,
        AskedBy("recording", "round 1", 4),
        AskedBy("recording", "round 2", 8),
    ]


OWN = "tests.loops.acquisition.own_functions"


@pytest.mark.parametrize("name", [f"{OWN}:{name}" for name in ("bald_object", "entropy_class", "batch_of_three")])
def test_a_heuristic_of_baals_asks_a_round(tmp_path: Path, name: str) -> None:
    oracle = KnownLabels(LABELS, query_size=4)
    settings = LoopSettings(name, query_size=4, labeling_budget=8)
    ActiveLearningLoop(predictor=a_tiny_network(tmp_path), oracle=oracle, settings=settings).run()
    query = oracle.queries[1]
    assert query.acquisition == name
    assert len(query.ranking) == 36
    assert query.ranking[0].score == max(ranked.score for ranked in query.ranking)


def test_baals_bald_asks_what_ours_would_of_the_same_draws(tmp_path: Path) -> None:
    predictor, pool = a_tiny_network(tmp_path), np.array(list(LABELS))
    predictor.fit({100: 0, 101: 1}, round_number=1)
    draws = predictor.draws(pool, count=20, round_number=1)
    scores_N = bald(torch.from_numpy(draws)).numpy()
    pool_scores = predictor.score(pool, round_number=1)
    asked = choose(Answers(1, {}, pool), pool_scores, 1, find(f"{OWN}:bald_object"), 0, predictor)
    assert asked[0].sample_id == pool[scores_N.argmax()]


def test_a_function_of_an_installed_package_asks_a_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch)
    oracle, predictor = KnownLabels(LABELS, query_size=4), a_tiny_network(tmp_path / "features")
    settings = LoopSettings("least_first_class", query_size=4, labeling_budget=4)
    ActiveLearningLoop(predictor=predictor, oracle=oracle, settings=settings).run()
    query = oracle.queries[1]
    pool = np.array(sorted({ranked.sample_id for ranked in query.ranking}))
    least = 1.0 - predictor.draws(pool, count=20, round_number=1)[:, 0].mean(-1)
    assert query.acquisition == "least_first_class"
    assert least[pool == query.ranking[0].sample_id] == pytest.approx(least.max(), abs=1e-6)
    assert query.ranking[0].score == pytest.approx(least.max(), abs=1e-6)


def test_it_returns_instead_of_waiting_for_people() -> None:
    oracle = SilentPeople()
    loop = a_loop(RecordingPredictor(), oracle)
    loop.run()
    assert len(oracle.asked) == 1
    assert loop.done
    assert loop.stop_reason is None


def test_labels_of_a_single_class_keep_the_cold_start_going() -> None:
    predictor, oracle = RecordingPredictor(), KnownLabels(dict.fromkeys(LABELS, 1), query_size=4)
    a_loop(predictor, oracle, budget=8).run()
    assert predictor.calls == []
    assert [query.acquisition for query in oracle.queries] == ["cold_start_random"] * 3


def test_the_whole_pool_is_labeled_and_then_the_run_ends() -> None:
    predictor, oracle = RecordingPredictor(), KnownLabels(LABELS, query_size=15)
    loop = a_loop(predictor, oracle)
    loop.run()
    assert [query.labels for query in oracle.queries] == [0, 15, 30, 40]
    assert oracle.queries[-1].ranking == ()
    assert loop.stop_reason == "every sample of the pool is labeled or skipped"


def test_test_labels_are_evaluated_on_and_never_trained_on() -> None:
    predictor = RecordingPredictor()
    oracle = KnownLabels(LABELS, query_size=4, test={900: 0, 901: 0, 902: 1})
    a_loop(predictor, oracle, budget=8).run()
    assert not {900, 901, 902} & set().union(*predictor.trained_on)
    evaluation = oracle.queries[1].evaluation("test")
    assert evaluation is not None
    assert evaluation.accuracy == pytest.approx(2 / 3)


def test_fault_of_the_ancestor_a_typo_in_done_raises() -> None:
    class WithTypo(ActiveLearningLoop):
        @property
        def done(self) -> bool:
            return self.answrs is None  # type: ignore[attr-defined]

    loop = WithTypo(
        predictor=RecordingPredictor(),  # type: ignore[arg-type]
        oracle=KnownLabels(LABELS, query_size=4),
        settings=LoopSettings("bald"),
    )
    with pytest.raises(AttributeError, match="answrs"):
        loop.run()


def test_fault_of_the_ancestor_a_stray_stop_iteration_does_not_end_the_run_silently() -> None:
    class EmptyHanded(RecordingPredictor):
        def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None:
            next(iter(()))

    with pytest.raises(RuntimeError, match="StopIteration"):
        a_loop(EmptyHanded(), KnownLabels(LABELS, query_size=4)).run()


def test_a_loop_restored_after_the_fit_asks_the_same_without_fitting_again(tmp_path: Path) -> None:
    class KilledWhileScoring(RecordingPredictor):
        def score(self, sample_ids: list[int], *, round_number: int) -> PoolScores:
            if round_number == 2:
                raise KeyboardInterrupt
            return super().score(sample_ids, round_number=round_number)

    uninterrupted = KnownLabels(LABELS, query_size=4)
    a_loop(RecordingPredictor(), uninterrupted, budget=12).run()

    oracle, killed = KnownLabels(LABELS, query_size=4), KilledWhileScoring()
    loop = a_loop(killed, oracle, budget=12)
    loop._rounds_folder = tmp_path
    with pytest.raises(KeyboardInterrupt):
        loop.run()

    predictor = RecordingPredictor()
    restored = a_loop(predictor, oracle, budget=12)
    restored.load_state_dict(killed.saved_state)
    restored.run()
    assert predictor.calls == ["score 2", "fit 3", "score 3"]
    assert [q.ranking for q in oracle.queries] == [q.ranking for q in uninterrupted.queries]


def test_a_loop_restored_from_an_older_checkpoint_fits_the_round_again() -> None:
    oracle = KnownLabels(LABELS, query_size=4)
    a_loop(RecordingPredictor(), oracle, budget=8).run()
    predictor = RecordingPredictor()
    loop = a_loop(predictor, oracle, budget=12)
    loop.load_state_dict({"state_dict": {}, "progress": {"current": progress(1, 0), "total": progress(1, 0)}})
    loop.run()
    assert predictor.calls == ["fit 3", "score 3"]
    assert loop.progress.current.completed == 4


def progress(processed: int, completed: int) -> dict[str, int]:
    return {"ready": processed, "started": processed, "processed": processed, "completed": completed}


def a_tiny_network(folder: Path, seed: int = 0) -> Network:
    """Blobs of two classes in eight dimensions, and a head that is fitted in a blink."""
    spec = NetworkSpec("features", "efficientnet_lite", "bald", 2, 8, 1e-2, 0.0, 3, 3)
    store = FeatureStore(folder, "efficientnet_lite")
    if not len(store):
        generator = np.random.default_rng(0)
        rows = generator.normal(size=(40, 2560)).astype(np.float32) + np.arange(40)[:, None] % 2
        store.append(list(LABELS), rows)
    return Network(spec, store, num_classes=2, seed=seed, mc_iterations=3, accelerator="cpu")


def run_with_checkpoints(folder: Path, features: Path, oracle: KnownLabels, seed: int, die_at: int | None) -> Any:
    """Runs to 12 labels; dies right after the checkpoint of round `die_at`."""
    saved: dict[int, SavedCheckpoint] = {}

    def on_checkpoint(round_number: int, checkpoint: SavedCheckpoint) -> None:
        saved[round_number] = checkpoint
        if round_number == die_at:
            raise KeyboardInterrupt

    loop = ActiveLearningLoop(
        predictor=a_tiny_network(features, seed),
        oracle=oracle,
        settings=LoopSettings("bald", query_size=4, labeling_budget=12, seed=seed),
        rounds_folder=folder,
        on_checkpoint=on_checkpoint,
    )
    if die_at is not None:
        with pytest.raises(KeyboardInterrupt):
            loop.run()
    else:
        loop.run()
    return saved


def test_same_seed_same_labels_same_ranking_and_another_seed_another(tmp_path: Path) -> None:
    rankings = []
    for run, seed in enumerate((0, 0, 1)):
        oracle = KnownLabels(LABELS, query_size=4)
        run_with_checkpoints(tmp_path / str(run), tmp_path / "features", oracle, seed, None)
        rankings.append([query.ranking for query in oracle.queries])
    assert rankings[0] == rankings[1]
    assert rankings[0] != rankings[2]


@pytest.mark.parametrize("die_at", [1, 2, 3])
def test_fault_of_the_ancestor_a_checkpoint_in_the_middle_of_a_run_keeps_everything(
    tmp_path: Path, die_at: int
) -> None:
    uninterrupted, oracle = KnownLabels(LABELS, query_size=4), KnownLabels(LABELS, query_size=4)
    run_with_checkpoints(tmp_path / "whole", tmp_path / "features", uninterrupted, 0, None)
    saved = run_with_checkpoints(tmp_path / "killed", tmp_path / "features", oracle, 0, die_at)

    predictor = a_tiny_network(tmp_path / "features")
    checkpoint = saved[die_at]
    loop = ActiveLearningLoop(
        predictor=predictor, oracle=oracle, settings=LoopSettings("bald", query_size=4, labeling_budget=12)
    )
    loop.load_state_dict(predictor.load(checkpoint.path, sha256=checkpoint.sha256, size=checkpoint.size))
    loop.run()
    assert [query.ranking for query in oracle.queries] == [query.ranking for query in uninterrupted.queries]
    assert loop.progress.current.completed == 4


class UsedUpPool:
    """People who have labeled all but one audit sample, and two of whose labels are suspected."""

    def __init__(self, labels: dict[int, int], *, reserve: list[int]) -> None:
        nothing, suspects = np.empty(0, np.int64), dict.fromkeys(list(labels)[:2], 0.9)
        self._answers: list[Answers] = [Answers(1, labels, nothing, np.array(reserve, np.int64), suspects=suspects)]
        self.asked: list[Query] = []

    def answer(self, query: Query | None) -> Answers | None:
        if query is not None:
            self.asked.append(query)
        return self._answers.pop() if self._answers else None


@pytest.mark.parametrize(("acquisition", "reserve"), [*((name, [30]) for name in CATALOG), ("bald", [])])
def test_a_round_goes_on_when_only_second_looks_and_audit_samples_are_left(
    store: FeatureStore, quick_cnn: NetworkSpec, acquisition: str, reserve: list[int]
) -> None:
    network = Network(quick_cnn, store, num_classes=3, seed=0, accelerator="cpu", mc_iterations=4)
    people = UsedUpPool({i: i % 3 for i in range(30)}, reserve=reserve)
    a_loop(predictor_for(CATALOG[acquisition], network, store), people, acquisition=acquisition).run()
    asked = {ranked.sample_id: ranked.purpose for ranked in people.asked[0].ranking}
    assert asked == dict.fromkeys(reserve, "audit") | dict.fromkeys([0], "recheck")
    scores = people.asked[0].pool_scores
    assert scores is not None
    assert acquisition in scores.scores


@pytest.mark.parametrize("cold_start", ["diverse", "random", "vaal"])
def test_a_cold_start_goes_on_when_only_audit_samples_are_left(
    store: FeatureStore, quick_cnn: NetworkSpec, cold_start: str
) -> None:
    people = UsedUpPool({0: 0}, reserve=[30])
    predictor = Network(quick_cnn, store, num_classes=3, seed=0, accelerator="cpu")
    a_loop(predictor, people, acquisition="bald", cold_start=cold_start).run()
    assert people.asked[0].ranking[0].sample_id == 30
