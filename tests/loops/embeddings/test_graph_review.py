"""Two blobs on one graph, and the same samples in disorder on another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_choice import GraphChoice, read_choice, write_choice
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.embeddings.graph_review import review_choice
from loops.embeddings.images import EFFICIENTNET
from loops.embeddings.stored_graph import path_of_graph

CLASS_OF = {i: i % 2 for i in range(80)}
LABELS = {i: CLASS_OF[i] for i in range(30)}


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """The graph of the rows is right; what is said to be learned knows no blobs."""
    made = FeatureStore(tmp_path / "features", EFFICIENTNET)
    rows = np.random.default_rng(0).normal(0, 0.02, (len(CLASS_OF), 2560)).astype(np.float32)
    rows[np.arange(len(CLASS_OF)), list(CLASS_OF.values())] += 1.0
    made.append(list(CLASS_OF), rows)
    graph = GraphOfPool(made, num_classes=2)
    graph.hold(CLASS_OF)
    disorder = np.random.default_rng(0).permutation(len(CLASS_OF))
    wrong = replace(graph.stored, coordinates=graph.stored.coordinates[disorder])
    wrong.write(path_of_graph(made.folder, 0, learned=True))
    return made


def review(store: FeatureStore, labels: dict[int, int]) -> GraphChoice:
    return review_choice(store, labels, num_classes=2, seed=0)


def test_labels_held_out_take_a_wrong_graph_out_of_force(store: FeatureStore) -> None:
    write_choice(GraphChoice(learned=True, computed_doubt=0.4, learned_doubt=0.3), store.folder, 0)
    assert review(store, dict(list(LABELS.items())[:29])).learned, "too few labels to judge"
    reviewed = review(store, LABELS)
    assert (reviewed.learned, reviewed.compared_at, reviewed.computed_right) == (False, 30, pytest.approx(1.0))
    assert reviewed.learned_right < 0.8
    assert read_choice(store.folder, 0) == reviewed
    graph = GraphOfPool(store, num_classes=2)
    graph.refit({0: 0, 1: 1})
    assert (graph.probs(np.array(list(CLASS_OF))).argmax(1) == list(CLASS_OF.values())).all()


def test_a_graph_that_is_right_stays_in_force_until_there_are_half_as_many_labels_again(store: FeatureStore) -> None:
    write_choice(GraphChoice(computed_doubt=0.4, learned_doubt=0.5), store.folder, 0)
    assert not review(store, LABELS).learned
    assert review(store, {i: CLASS_OF[i] for i in range(44)}).compared_at == 30
    assert review(store, {i: CLASS_OF[i] for i in range(45)}).compared_at == 45


def test_what_structure_said_counts_from_the_tenth_label_on(store: FeatureStore) -> None:
    write_choice(GraphChoice(clearer=True, computed_doubt=0.4, learned_doubt=0.3), store.folder, 0)
    assert not review(store, dict(list(LABELS.items())[:9])).learned
    assert review(store, dict(list(LABELS.items())[:10])).learned
    assert read_choice(store.folder, 0).learned, "for the next start too"


def test_what_labels_held_out_have_refuted_structure_does_not_bring_back(store: FeatureStore) -> None:
    write_choice(GraphChoice(clearer=True, computed_doubt=0.4, learned_doubt=0.3), store.folder, 0)
    reviewed = review(store, LABELS)
    assert (reviewed.learned, reviewed.compared_at) == (False, 30)
    assert review(store, LABELS) == reviewed


def test_without_a_learned_graph_there_is_nothing_to_judge(store: FeatureStore) -> None:
    assert review(store, LABELS) == GraphChoice()
