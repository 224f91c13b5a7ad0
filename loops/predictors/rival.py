"""Whether labels contradict the embedding that was chosen without them: what would another one have answered?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from loops.cross_validation import CrossValidation
from loops.embeddings.embedding_choice import LOOKED_AT, EmbeddingChoice, in_embedding_order, reviewed
from loops.embeddings.features import FeatureStore
from loops.evaluation.comparison import Comparison, compare, is_due
from loops.predictors.champion import Champion
from loops.predictors.graph import GraphPredictor
from loops.predictors.linear import LinearPredictor
from loops.predictors.predictor import Ids, Predictor

FEWEST = 20  # labels


def review_embedding(
    predictor: Predictor,
    choice: EmbeddingChoice,
    stores: Sequence[FeatureStore],
    *,
    pool: Ids,
    seed: int,
    fill: Callable[[FeatureStore, Ids], None],
) -> EmbeddingChoice:
    """Compares the embedding in force with the others, from 20 labels on and again at half as many more.

    Args:
        predictor: As the last fit left it.
        choice: The one in force.
        stores: Of all embeddings that may be taken.
        pool: Ids of its samples.
        seed: Of the samples that are looked at beside the labeled ones.
        fill: Embeds what a store lacks of some samples.

    Returns:
        The choice from now on; the same object where nothing was due.
    """
    labels = {} if predictor.held_out is None else predictor.held_out.labels
    rivals = [store for store in stores if store.backbone.name != choice.chosen]
    if not rivals or not is_due(len(labels), compared_at=choice.reviewed_at, fewest=FEWEST):
        return choice
    wanted = np.union1d(in_embedding_order(pool, seed)[:LOOKED_AT], np.fromiter(labels, np.int64))
    for rival in rivals:
        fill(rival, wanted)
    found = {rival.backbone.name: compare_embedding(predictor, rival, labels) for rival in rivals}
    return reviewed(choice, choice.chosen, found, labels=len(labels))


def compare_embedding(predictor: Predictor, rival: FeatureStore, labels: Mapping[int, int]) -> Comparison | None:
    """Compares what answers with a graph and a linear model on another embedding, by labels that neither has seen.

    Args:
        predictor: Fitted on the labels.
        rival: Holds all labeled samples and some hundred others of the pool; its graph is built of them.
        labels: Sample id -> class index.

    Returns:
        None where the last fit held no label out, or the rival cannot hold any out.
    """
    held_out = predictor.held_out
    if held_out is None or held_out.sample_ids.tolist() != sorted(labels):
        return None
    theirs = _held_out(predictor, rival, labels)
    if theirs is None:
        return None
    return compare(
        truth=held_out.labels_N,
        answering=held_out.probs_N_C.argmax(axis=1),
        other=theirs.probs_N_C.argmax(axis=1),
        weight=predictor.pool_shares(held_out.sample_ids),
    )


def _held_out(predictor: Predictor, rival: FeatureStore, labels: Mapping[int, int]) -> CrossValidation | None:
    graph = GraphPredictor(rival, num_classes=predictor.num_classes, seed=predictor.seed)
    graph.review({}, pool=np.sort(rival.ids), begins=False)
    champion = Champion(graph, [], [LinearPredictor(graph)])
    champion.fit(labels, round_number=0)
    return champion.held_out
