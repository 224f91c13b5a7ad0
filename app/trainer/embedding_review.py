"""After a round: whether labels contradict the embedding in force, and which one they speak for."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.trainer.sample_source import SampleSource
from app.trainer.workbench import Workbench
from loops.embeddings import embedding_choice
from loops.embeddings.embedding_choice import EmbeddingChoice, read_embedding_choice, write_embedding_choice
from loops.embeddings.features import FeatureStore
from loops.predictors import rival
from loops.predictors.predictor import Predictor

logger = logging.getLogger(__name__)


def review_embedding(bench: Workbench, predictor: Predictor) -> bool:
    """Compares the embedding in force with the others where that is due; see `loops.predictors.rival`.

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
    before = replace(choice or EmbeddingChoice(current, {}), chosen=current)
    stores = [FeatureStore(folder / name, name) for name in bench.candidates]
    source = SampleSource(bench.project, bench.database)

    def fill(store: FeatureStore, sample_ids: NDArray[np.int64]) -> None:
        source.fit(store, bench.pool.ids, lambda: bench.heartbeat.check(0, 0))
        load = source.reader(store.backbone, sample_ids)
        embedding_choice.fill(store, sample_ids, load, lambda: bench.heartbeat.check(0, 0))

    after = rival.review_embedding(predictor, before, stores, pool=bench.pool.ids, seed=bench.settings.seed, fill=fill)
    if after is before:
        return False
    write_embedding_choice(after, folder)
    logger.info("%s", after.sentence)
    return after.chosen != current
