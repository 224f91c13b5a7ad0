"""A project's own answer, whoever gives it, for samples that are not in the project."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from app.answering.answerer import About, Floats, prepared, spread
from app.errors import AnsweringError
from app.project.project import Project
from app.trainer.published import newest_published
from loops.embeddings.embedders import embedder_of
from loops.embeddings.new_samples import as_channels
from loops.embeddings.own_source import kind_of
from storage.engine import Database


class ChampionAnswerer:
    """What answered in the newest published round.

    Args:
        project: Whose.
        database: Its own, which is read once.

    Raises:
        NoModelError: No round was trained yet.
        AnsweringError: Its rows were computed elsewhere, so that a new sample has none.
    """

    def __init__(self, project: Project, database: Database) -> None:
        self._published = newest_published(project, database)
        backbone = self._published.store.backbone
        if backbone.source and kind_of(backbone.source) == "rows":
            raise AnsweringError("The features of this project were computed elsewhere; a new sample has none.")
        self._embedder = embedder_of(backbone, self._published.store.folder)
        self._module = self._published.predictor.as_module()
        self._one_at_a_time = threading.Lock()
        self.about = About(
            name=self._published.bench.settings.name,
            kind=self._published.kind,
            classes=self._published.classes,
            version=self._published.version,
            batch_size=self._embedder.batch_size,
            accuracy=self._published.accuracy,
        )

    def probs(self, samples: Sequence[Any]) -> tuple[Floats, dict[int, str]]:
        """Class probabilities `probs_N_C`, and why some of them have none."""
        with self._one_at_a_time:
            rows, places, bad = prepared(samples, self._embedder.prepare, self._embedder.embed)
            answers = None if rows is None else self._answers(rows)
        return spread(len(samples), len(self.about.classes), places, answers), bad

    def probs_of_pool(self, sample_ids: Sequence[int]) -> dict[int, Floats]:
        """Class probabilities of samples of the project, as its screens have them; of those that it has rows of."""
        store = self._published.store
        ids = np.setdiff1d(np.asarray(sample_ids, np.int64), store.missing(sample_ids))
        if not len(ids):
            return {}
        with self._one_at_a_time:
            return dict(zip(ids.tolist(), self._published.predictor.predict(ids), strict=True))

    def _answers(self, rows: Any) -> Floats:  # noqa: ANN401 - bytes or floats
        if self._module is None:
            return self._published.predictor.predict(self._published.store.lend(rows))
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(as_channels(rows, self._published.store.row_shape)))
            answers: Floats = self._module.eval()(given).numpy()
            return answers
