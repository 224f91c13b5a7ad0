"""Two blobs of features, a network that is a stub, and a graph that is real."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from loops.active_learning import ActiveLearningLoop, LoopSettings
from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_choice import GraphChoice, write_choice
from loops.embeddings.graph_of_pool import GraphOfPool, path_of_graph
from loops.embeddings.images import EFFICIENTNET
from loops.evaluation.label_errors import audit_labels
from loops.oracle import Answers, KnownLabels
from loops.predictors.committee import predictor_for
from loops.predictors.graph_learner import GraphLearner
from loops.predictors.in_force import InForce
from loops.predictors.network import Network
from loops.predictors.network_spec import NetworkSpec

QUICK = NetworkSpec("features", EFFICIENTNET, "margin", 2, 8, 2e-3, 0.01, 2, 2)
CLASS_OF = {i: i % 2 for i in range(80)}
TEST = {1000 + i: i % 2 for i in range(20)}


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """Even samples lie around one direction, odd ones around another."""
    made = FeatureStore(tmp_path / "features", EFFICIENTNET)
    known = {**CLASS_OF, **TEST}
    rows = np.random.default_rng(0).normal(0, 0.02, (len(known), 1280)).astype(np.float32)
    rows[np.arange(len(known)), list(known.values())] += 1.0
    made.append(list(known), rows)
    return made


@pytest.fixture
def predictor(store: FeatureStore) -> GraphLearner:
    made = predictor_for("auto", lambda _fold: Network(QUICK, store, num_classes=2, seed=0, accelerator="cpu"), seed=0)
    assert isinstance(made, GraphLearner)
    made.graph({}, pool=list(CLASS_OF))  # as round 0 leaves it
    return made


def answers(labels: dict[int, int]) -> Answers:
    pool = np.array(sorted(CLASS_OF.keys() - labels.keys()))
    return Answers(round_number=0, labels=labels, pool=pool)


def test_two_labels_from_none_tell_two_blobs_apart(predictor: GraphLearner) -> None:
    oracle = KnownLabels(CLASS_OF, query_size=2, test=TEST)
    ActiveLearningLoop(
        predictor=predictor, oracle=oracle, settings=LoopSettings("auto", query_size=2, labeling_budget=2)
    ).run()
    first, second = oracle.queries
    assert {ranked.sample_id % 2 for ranked in first.ranking[:2]} == {0, 1}, "one of each blob"
    assert second.evaluations[0].accuracy == 1.0
    assert second.acquisition == "auto"


def test_what_is_asked_first_needs_no_label(predictor: GraphLearner) -> None:
    ranking = predictor.ranking(answers({}), 10)
    assert ranking is not None
    assert len({ranked.sample_id for ranked in ranking}) == 10


def test_the_graphs_predictions_and_scores_are_published_with_the_networks_draws(predictor: GraphLearner) -> None:
    predictor.fit({0: 0, 1: 1}, round_number=1)
    scores = predictor.score([2, 3, 4], round_number=1)
    assert scores.probs_N_C.argmax(1).tolist() == [0, 1, 0]
    assert {"auto", "bald", "margin"} <= scores.scores.keys()
    assert scores.draws_N_C_K is not None


def test_a_restored_learner_answers_as_the_one_that_was_saved(
    predictor: GraphLearner, store: FeatureStore, tmp_path: Path
) -> None:
    predictor.fit({0: 0, 1: 1}, round_number=1)
    predictor.in_force = InForce(compared_at=30, network_right=0.5, graph_right=0.9)
    saved = predictor.save(tmp_path / "model.ckpt", {"progress": 1})
    again = GraphLearner(
        lambda _fold: Network(QUICK, store, num_classes=2, seed=0, accelerator="cpu"), acquisition="auto", seed=0
    )
    assert again.load(saved.path, sha256=saved.sha256, size=saved.size) == {"progress": 1}
    assert again.in_force == predictor.in_force
    assert (again.predict(list(TEST)) == predictor.predict(list(TEST))).all()


def test_the_network_in_force_answers_and_asks_itself(predictor: GraphLearner) -> None:
    predictor.fit({0: 0, 1: 1}, round_number=1)
    predictor.in_force = InForce(network=True, compared_at=30)
    assert predictor.ranking(answers({0: 0, 1: 1}), 10) is None
    assert (predictor.predict([5]) == predictor.predictor.predict([5])).all()
    scores = predictor.score([2, 3], round_number=1)
    assert (scores.scores["auto"] == scores.scores["margin"]).all()


def test_both_are_compared_on_labels_held_out_once_there_are_enough(predictor: GraphLearner) -> None:
    predictor.fit({i: CLASS_OF[i] for i in range(29)}, round_number=1)
    assert predictor.in_force.compared_at == 0
    predictor.fit({i: CLASS_OF[i] for i in range(30)}, round_number=2)
    assert predictor.in_force.compared_at == 30
    assert predictor.in_force.graph_right == pytest.approx(1.0)
    assert not predictor.in_force.network, "nobody is measurably better than one who is always right"


@pytest.mark.parametrize(("small", "takes_over"), [(30 / 80, True), (31 / 80, False)])
def test_once_much_of_a_small_pool_is_labeled_any_lead_of_the_network_counts(
    predictor: GraphLearner, monkeypatch: pytest.MonkeyPatch, small: float, takes_over: bool
) -> None:
    labels = {i: CLASS_OF[i] for i in range(30)} | {29: 0}  # one that all its neighbors contradict
    monkeypatch.setattr("loops.predictors.graph_learner._SMALL_SHARE", small)
    monkeypatch.setattr(predictor, "_network_out_of_fold", lambda *_: np.array(list(labels.values())))
    predictor.fit(labels, round_number=1)
    assert predictor.in_force.network_right == pytest.approx(1.0)
    assert predictor.in_force.network is takes_over


@pytest.mark.parametrize(("small", "at", "folds"), [(0.1, [30, 36, 44, 53], 5), (1.1, [30, 45, 68], 3)])
def test_in_a_small_pool_they_are_compared_sooner_by_more_parts_of_the_labels(
    predictor: GraphLearner, monkeypatch: pytest.MonkeyPatch, small: float, at: list[int], folds: int
) -> None:
    compared: dict[int, int] = {}

    def note(labels: dict[int, int], fold_of: dict[int, int], _round_number: int) -> NDArray[np.int64]:
        compared[len(labels)] = len(set(fold_of.values()))
        return np.array([labels[i] for i in sorted(labels)])

    monkeypatch.setattr("loops.predictors.graph_learner._SMALL_SHARE", small)
    monkeypatch.setattr(predictor, "_network_out_of_fold", note)
    monkeypatch.setattr(predictor.predictor, "fit", lambda *_, **__: None)
    for count in range(28, at[-1] + 1):
        predictor.fit({i: CLASS_OF[i] for i in range(count)}, round_number=count)
    assert compared == dict.fromkeys(at, folds)


def test_the_graph_is_kept_on_disk_and_new_samples_are_hung_on_it(store: FeatureStore) -> None:
    graph = GraphOfPool(store, num_classes=2)
    graph.hold(range(60))
    again = GraphOfPool(store, num_classes=2)
    again.hold(range(61))  # one more
    again.refit({0: 0, 1: 1})
    assert again.probs(np.array([60])).argmax() == 0
    assert GraphOfPool(store, num_classes=2).rank(np.arange(61), 5)[0].shape == (5,)


def test_a_damaged_graph_is_built_anew(store: FeatureStore) -> None:
    GraphOfPool(store, num_classes=2).hold(CLASS_OF)
    (path,) = store.folder.glob("graph-*.npz")
    path.write_bytes(path.read_bytes()[:100])
    graph = GraphOfPool(store, num_classes=2)
    graph.hold(CLASS_OF)
    graph.refit({0: 0, 1: 1})
    assert (graph.probs(np.array(list(CLASS_OF))).argmax(1) == list(CLASS_OF.values())).all()


def test_test_samples_are_predicted_and_never_on_the_graph(predictor: GraphLearner) -> None:
    predictor.ranking(answers({}), 10)
    predictor.fit({0: 0, 1: 1}, round_number=1)
    assert (predictor.predict(list(TEST)).argmax(1) == list(TEST.values())).all()
    with np.load(next(predictor.predictor.store.folder.glob("graph-*.npz"))) as saved:
        assert not set(saved["ids"].tolist()) & TEST.keys()


def test_shares_of_the_pool_add_up(store: FeatureStore) -> None:
    graph = GraphOfPool(store, num_classes=2)
    graph.hold(CLASS_OF)
    assert graph.shares([0, 1], [0, 1]).tolist() == pytest.approx([0.5, 0.5])


def test_a_label_that_its_neighbors_contradict_is_seen_out_of_fold(predictor: GraphLearner) -> None:
    labels = {i: CLASS_OF[i] for i in range(20)} | {7: 0}
    result = predictor.cross_validate(labels, num_folds=5)
    assert result.sample_ids[result.probs_N_C.argmax(1) != result.labels_N].tolist() == [7]
    assert [audited.sample_id for audited in audit_labels(result) if audited.likely_wrong] == [7]
    assert len(set(result.folds_N.tolist())) == 5


def test_the_first_labels_are_reviewed_once_in_the_middle_of_a_round(predictor: GraphLearner) -> None:
    assert not predictor.review_first({i: CLASS_OF[i] for i in range(9)})
    assert predictor.review_first({i: CLASS_OF[i] for i in range(10)})
    assert not predictor.review_first({i: CLASS_OF[i] for i in range(11)})


def test_another_choice_of_graphs_is_taken_up_at_the_next_review(predictor: GraphLearner) -> None:
    store = predictor.predictor.store
    stored = predictor.graph({}).stored
    replace(stored, coordinates=stored.coordinates[::-1]).write(path_of_graph(store.folder, 0, learned=True))
    write_choice(GraphChoice(learned=True, computed_doubt=0.4, learned_doubt=0.3), store.folder, 0)
    assert not predictor.graph({}).choice.learned
    predictor.review({})
    assert predictor.graph({}).choice.learned
