"""Two blobs of features and a real graph of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_choice import GraphChoice, write_choice
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.embeddings.images import EFFICIENTNET
from loops.embeddings.stored_graph import path_of_graph
from loops.errors import NotFittedError
from loops.evaluation.label_errors import audit_labels
from loops.predictors.graph import GraphPredictor

CLASS_OF = {i: i % 2 for i in range(80)}
TEST = {1000 + i: i % 2 for i in range(20)}


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """Even samples lie around one direction, odd ones around another."""
    made = FeatureStore(tmp_path / "features", EFFICIENTNET)
    known = {**CLASS_OF, **TEST}
    rows = np.random.default_rng(0).normal(0, 0.02, (len(known), 2560)).astype(np.float32)
    rows[np.arange(len(known)), list(known.values())] += 1.0
    made.append(list(known), rows)
    return made


@pytest.fixture
def predictor(store: FeatureStore) -> GraphPredictor:
    made = GraphPredictor(store, num_classes=2, seed=0, mc_iterations=4)
    made.review({}, pool=np.array(list(CLASS_OF)), begins=True)  # as round 0 leaves it
    return made


def asked(predictor: GraphPredictor, pool: Iterable[int], size: int, *, coverage: bool = False) -> list[int]:
    questions = predictor.questions(np.array(sorted(pool), np.int64), size, coverage=coverage)
    assert questions is not None
    ids: list[int] = questions.sample_ids.tolist()
    return ids


def test_what_is_asked_first_needs_no_label_and_is_one_of_each_blob(predictor: GraphPredictor) -> None:
    first = asked(predictor, CLASS_OF, 10)
    assert len(set(first)) == 10
    assert {sample_id % 2 for sample_id in first[:2]} == {0, 1}
    assert predictor.asks_itself


def test_two_labels_tell_two_blobs_apart(predictor: GraphPredictor) -> None:
    predictor.fit({0: 0, 1: 1}, round_number=1)
    assert (predictor.predict(list(CLASS_OF)).argmax(1) == list(CLASS_OF.values())).all()


def test_the_scores_of_questions_fall(predictor: GraphPredictor) -> None:
    questions = predictor.questions(np.arange(80), 20, coverage=True)
    assert questions is not None
    assert (np.diff(questions.scores) <= 0).all()


def test_of_an_empty_pool_nothing_is_asked_and_nothing_built(store: FeatureStore) -> None:
    predictor, nobody = GraphPredictor(store, num_classes=2, seed=0), np.empty(0, np.int64)
    assert predictor.questions(nobody, 5, coverage=False) is None
    predictor.review({}, pool=nobody, begins=True)
    predictor.fit({}, round_number=0)
    with pytest.raises(NotFittedError):
        predictor.predict([0])
    assert not list(store.folder.glob("graph-*.npz"))


def test_labels_alone_are_a_graph_when_the_pool_is_empty(store: FeatureStore) -> None:
    predictor = GraphPredictor(store, num_classes=2, seed=0)
    predictor.fit({i: CLASS_OF[i] for i in range(10)}, round_number=1)
    assert (predictor.predict(list(TEST)).argmax(1) == list(TEST.values())).all()


def test_between_rounds_every_label_is_taken_and_undone_beside_what_the_round_knows(predictor: GraphPredictor) -> None:
    predictor.fit({0: 0, 1: 1}, round_number=1)
    instant = predictor.instant(list(CLASS_OF), round_number=1)
    before = instant.predict([7])
    instant.refit({0: 1, 1: 0, 5: 0})
    assert instant.predict([7]).argmax() == 0
    assert predictor.predict([7]).argmax() == 1, "the round's answer stands"
    instant.refit({1: 1, 0: 0})
    assert (instant.predict([7]) == before).all()
    assert instant.graph() is predictor.graph(), "a large one is not held twice"


def test_a_label_of_a_class_that_was_added_since_is_left_to_the_next_round(predictor: GraphPredictor) -> None:
    predictor.fit({0: 0, 1: 1}, round_number=1)
    before = predictor.predict([7])
    predictor.refit({0: 0, 1: 1, 3: 2})
    assert predictor.predict([7]) == pytest.approx(before)


def test_a_restored_predictor_answers_as_the_one_that_was_saved(
    predictor: GraphPredictor, store: FeatureStore, tmp_path: Path
) -> None:
    predictor.fit({0: 0, 1: 1}, round_number=1)
    saved = predictor.save(tmp_path / "model.ckpt", {"progress": 1})
    again = GraphPredictor(store, num_classes=2, seed=0, mc_iterations=4)
    assert again.load(saved.path, sha256=saved.sha256, size=saved.size) == {"progress": 1}
    assert (again.predict(list(TEST)) == predictor.predict(list(TEST))).all()


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


def test_test_samples_are_predicted_and_never_on_the_graph(predictor: GraphPredictor) -> None:
    asked(predictor, CLASS_OF, 10)
    predictor.fit({0: 0, 1: 1}, round_number=1)
    assert (predictor.predict(list(TEST)).argmax(1) == list(TEST.values())).all()
    with np.load(next(predictor.store.folder.glob("graph-*.npz"))) as saved:
        assert not set(saved["ids"].tolist()) & TEST.keys()


def test_shares_of_the_pool_add_up(store: FeatureStore) -> None:
    graph = GraphOfPool(store, num_classes=2)
    graph.hold(CLASS_OF)
    assert graph.shares([0, 1], [0, 1]).tolist() == pytest.approx([0.5, 0.5])


def test_a_label_that_its_neighbors_contradict_is_seen_out_of_fold(predictor: GraphPredictor) -> None:
    labels = {i: CLASS_OF[i] for i in range(20)} | {7: 0}
    result = predictor.cross_validate(labels, num_folds=5)
    assert result.sample_ids[result.probs_N_C.argmax(1) != result.labels_N].tolist() == [7]
    assert [audited.sample_id for audited in audit_labels(result) if audited.likely_wrong] == [7]
    assert len(set(result.folds_N.tolist())) == 5


def test_the_first_labels_are_reviewed_once_in_the_middle_of_a_round(
    predictor: GraphPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewed: list[int] = []

    def note(_store: FeatureStore, labels: dict[int, int], **_: int) -> GraphChoice:
        reviewed.append(len(labels))
        return GraphChoice()

    monkeypatch.setattr("loops.predictors.graph.review_choice", note)
    pool = np.array(list(CLASS_OF))
    for given in range(8, 13):
        predictor.review({i: CLASS_OF[i] for i in range(given)}, pool=pool, begins=False)
    assert reviewed == [10]
    predictor.review({i: CLASS_OF[i] for i in range(12)}, pool=pool, begins=True)
    assert reviewed == [10, 12]


def test_samples_that_came_since_are_on_the_graph_after_a_look(predictor: GraphPredictor, store: FeatureStore) -> None:
    store.append([90], store.rows([0]))
    predictor.review({}, pool=np.array([*CLASS_OF, 90]), begins=False)
    assert 90 in predictor.graph().stored.ids


def test_another_choice_of_graphs_is_taken_up_at_the_next_review(predictor: GraphPredictor) -> None:
    store, pool = predictor.store, np.array(list(CLASS_OF))
    stored = predictor.graph().stored
    replace(stored, coordinates=stored.coordinates[::-1]).write(path_of_graph(store.folder, 0, learned=True))
    write_choice(GraphChoice(learned=True, computed_doubt=0.4, learned_doubt=0.3), store.folder, 0)
    assert not predictor.graph().choice.learned
    predictor.review({}, pool=pool, begins=True)
    assert predictor.graph().choice.learned
    assert "learned features" in predictor.describe().details
