"""Labels judge between two graphs: each is predicted by both while it is held out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_choice import COMPUTED_FIRST, GraphChoice, read_choice, write_choice
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.errors import NotEnoughSamplesError
from loops.evaluation.comparison import compare, is_due
from loops.folds import assign_folds
from loops.seeding import seed_of

FEWEST_TO_COMPARE = 30  # labels
_FOLDS = 5


def review_choice(store: FeatureStore, labels: Mapping[int, int], *, num_classes: int, seed: int) -> GraphChoice:
    """Looks again which graph should be in force.

    What structure said counts after the first labels. Where there are 30, and then half as many again as at the last
    look, the other graph takes over when it is measurably better; see
    `loops.evaluation.comparison.compare`.

    Args:
        store: In whose folder the graphs lie.
        labels: Sample id -> class index.
        num_classes: C.
        seed: Of the graphs.
    """
    choice = _by_structure(store, len(labels), seed)
    due = is_due(len(labels), compared_at=choice.compared_at, fewest=FEWEST_TO_COMPARE)
    if not choice.computed_doubt or not due:
        return choice
    try:
        fold_of = assign_folds(labels, num_folds=_FOLDS, seed=seed_of(seed, "graph review", len(labels)))
    except NotEnoughSamplesError:
        return choice
    reviewed = _reviewed(choice, _graphs(store, choice, labels, num_classes, seed), labels, fold_of)
    write_choice(reviewed, store.folder, seed)
    return reviewed


def _by_structure(store: FeatureStore, labels: int, seed: int) -> GraphChoice:
    choice = read_choice(store.folder, seed)
    if labels < COMPUTED_FIRST or choice.compared_at or choice.learned or not choice.clearer:
        return choice
    taken = replace(choice, learned=True)
    write_choice(taken, store.folder, seed)
    return taken


def _graphs(
    store: FeatureStore, choice: GraphChoice, labels: Mapping[int, int], num_classes: int, seed: int
) -> list[GraphOfPool]:
    """The one in force, and the other."""
    graphs = [
        GraphOfPool(store, num_classes=num_classes, seed=seed, learned=learned)
        for learned in (choice.learned, not choice.learned)
    ]
    for graph in graphs:
        graph.hold(labels)
    return graphs


def _reviewed(
    choice: GraphChoice, graphs: list[GraphOfPool], labels: Mapping[int, int], fold_of: Mapping[int, int]
) -> GraphChoice:
    answering, other = graphs
    sample_ids = sorted(labels)
    found = compare(
        truth=np.array([labels[sample_id] for sample_id in sample_ids]),
        answering=answering.out_of_fold(labels, fold_of).argmax(1),
        other=other.out_of_fold(labels, fold_of).argmax(1),
        weight=answering.shares(sample_ids, sample_ids),
    )
    right = (found.other_right, found.right)
    return replace(
        choice,
        learned=choice.learned != found.other_is_better,
        compared_at=len(labels),
        learned_right=right[choice.learned],
        computed_right=right[not choice.learned],
    )
