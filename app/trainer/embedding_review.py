"""After a round: whether labels contradict the embedding in force, and which one they speak for."""

from __future__ import annotations

import logging

import numpy as np

from app.trainer.sample_source import SampleSource
from app.trainer.workbench import Workbench
from loops.embeddings.embedding_choice import (
    LOOKED_AT,
    EmbeddingChoice,
    fill,
    in_embedding_order,
    read_embedding_choice,
    reviewed,
    write_embedding_choice,
)
from loops.embeddings.features import FeatureStore
from loops.evaluation.comparison import is_due
from loops.predictors.predictor import Predictor
from loops.predictors.rival import FEWEST, compare_embedding

logger = logging.getLogger(__name__)


def review_embedding(bench: Workbench, predictor: Predictor) -> bool:
    """Compares the embedding in force with the others, from 20 labels on and again at half as many more.

    Args:
        bench: The project as it is now.
        predictor: As the round left it.

    Returns:
        Whether another one is in force from now on; the trainer is to look at the samples anew.
    """
    folder, current = bench.project.features_dir, bench.store.backbone.name
    choice = read_embedding_choice(folder)
    if choice is None and bench.structure_tells:  # it is still to be compared without labels
        return False
    before = choice or EmbeddingChoice(current, {})
    rivals = [name for name in bench.candidates if name != current]
    labels = {} if predictor.held_out is None else predictor.held_out.labels
    if not rivals or not is_due(len(labels), compared_at=before.reviewed_at, fewest=FEWEST):
        return False
    found = {rival: compare_embedding(predictor, _looked_at(bench, rival, labels), labels) for rival in rivals}
    after = reviewed(before, current, found, labels=len(labels))
    write_embedding_choice(after, folder)
    logger.info("%s", after.sentence)
    return after.chosen != current


def _looked_at(bench: Workbench, rival: str, labels: dict[int, int]) -> FeatureStore:
    """Rows of the labeled samples and some hundred others in another embedding."""
    store = FeatureStore(bench.project.features_dir / rival, rival)
    source = SampleSource(bench.project, bench.database)
    some = in_embedding_order(bench.pool.ids, bench.settings.seed)[:LOOKED_AT]
    wanted = np.union1d(some, np.fromiter(labels, np.int64))
    source.fit(store, bench.pool.ids, lambda: bench.heartbeat.check(0, 0))
    fill(store, wanted, source.reader(store.backbone, wanted), lambda: bench.heartbeat.check(0, 0))
    return store
