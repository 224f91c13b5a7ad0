"""Trees over the columns of a table: they see steps and pairs of columns that no direction tells."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from sklearn.ensemble import ExtraTreesClassifier

from loops.errors import NotEnoughSamplesError, NotFittedError
from loops.predictors.predictor import Description, Floats, Ids, Predictor
from loops.predictors.trees_module import TreesModule
from loops.seeding import seed_of

NAME = "trees"
TREES = 100


class TreesPredictor(Predictor):
    """Extremely randomized trees (Geurts, Ernst and Wehenkel 2006) on the stored rows; a draw is some of the trees."""

    asks_of_whole_pool = False
    _forest: ExtraTreesClassifier | None = None
    _of_round: ExtraTreesClassifier | None = None  # as a round left it, of one that takes further labels

    def fit(self, labels: Mapping[int, int], *, round_number: int = 0, checkpoint_dir: Path | None = None) -> None:
        """Fits on all labels: a tenth of a second for a few hundred."""
        del checkpoint_dir
        if not labels:
            raise NotEnoughSamplesError(wanted=1, found=0)
        ids = np.array(sorted(labels), np.int64)
        classes = np.array([labels[sample_id] for sample_id in ids.tolist()], np.int64)
        forest = ExtraTreesClassifier(TREES, random_state=seed_of(self.seed, "trees", round_number) % 2**32)
        self._forest = forest.fit(self.store.flat_rows(ids), classes)
        self.fitted_on = dict(labels), round_number

    def refit(self, labels: Mapping[int, int]) -> None:
        """Takes all labels, those of the round and those since; of classes that were added since none.

        Args:
            labels: Sample id -> class index. Without any it is the round's.
        """
        known = {sample_id: label for sample_id, label in labels.items() if label < self.num_classes}
        if known:
            self.fit(known, round_number=0 if self.fitted_on is None else self.fitted_on[1])
        else:
            self._forest = self._of_round

    def predict(self, sample_ids: ArrayLike) -> Floats:
        """The mean of all trees' answers, `probs_N_C`."""
        return self.draws(sample_ids, count=1)[..., 0]

    def draws(self, sample_ids: ArrayLike, *, count: int = 0, round_number: int = 0) -> Floats:
        """The mean answers of K parts of the trees, `probs_N_C_K`; 0: as many as score a pool."""
        del round_number
        if self._forest is None:
            raise NotFittedError
        rows = self.store.flat_rows(sample_ids)
        parts = np.array_split(np.arange(TREES), min(TREES, count or self.mc_iterations))
        probs_N_C_K = np.zeros((len(rows), self.num_classes, len(parts)), np.float32)
        for k, part in enumerate(parts if len(rows) else []):
            answers = [self._forest.estimators_[tree].predict_proba(rows) for tree in part.tolist()]
            probs_N_C_K[:, self._forest.classes_, k] = np.mean(answers, axis=0)
        return probs_N_C_K

    def as_module(self) -> TreesModule:
        """The trees, walked at once."""
        if self._forest is None:
            raise NotFittedError
        return TreesModule(self._forest, self.num_classes)

    def describe(self) -> Description:
        """Its name, and what the person at the screen is told of it."""
        return Description(NAME, "Decision trees answer.")

    def fresh(self, fold: int | None = None) -> TreesPredictor:  # noqa: ARG002 - folds differ by their labels
        """One of the same kind that has learned nothing."""
        return TreesPredictor(
            self.store, num_classes=self.num_classes, seed=self.seed, mc_iterations=self.mc_iterations
        )

    def instant(self, sample_ids: ArrayLike, *, round_number: int) -> TreesPredictor:
        """One like this, which is fitted again on every label."""
        del sample_ids, round_number
        instant = copy.copy(self)
        instant._of_round = self._forest
        return instant

    def questions(self, sample_ids: Ids, size: int, *, coverage: bool) -> None:
        """It has none of its own: an acquisition function decides."""
