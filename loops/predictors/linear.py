"""Linear models: of samples' rows as they are, which is the simplest thing, and of the graph's points."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from torch import nn

from loops.embeddings.features import FeatureStore
from loops.errors import NotEnoughSamplesError, NotFittedError
from loops.predictors.graph import GraphPredictor
from loops.predictors.linear_module import LinearModule
from loops.predictors.one_thread import one_thread
from loops.predictors.predictor import Description, Floats, Ids, Predictor
from loops.seeding import seed_of

Points = Callable[[Ids], Floats]

NAME = "linear"
# Measured in docs/experiments/0027-any-data.md; on ten sets no strength between 1 and 30 is a point better or worse.
STRENGTH = 3.0  # C of scikit-learn: the inverse of the penalty on weights
# The length of a coordinate that all points share. Without one (0) rare classes are given far too often; with a free
# intercept the first labels, which were chosen and not drawn, are taken for the shares of the classes.
STEADY = 0.4
LEARNED_FROM = 5_000  # labels, at most; more move no weight that a test set would notice


class LinearOfRows(Predictor):
    """Logistic regression without an intercept on rows of length 1; it learns in milliseconds.

    Its draws are a Bayesian bootstrap: each is fitted with weights of its own on the labels (Rubin 1981).

    Args:
        store: Where the rows of samples come from.
        num_classes: C.
        seed: Of weights drawn, and of which labels are learned from where there are very many.
        mc_iterations: K, of the draws that score a pool.
    """

    asks_of_whole_pool = False
    name, steady = "logistic regression", 0.0

    def __init__(self, store: FeatureStore, *, num_classes: int, seed: int = 0, mc_iterations: int = 20) -> None:
        super().__init__(store, num_classes=num_classes, seed=seed, mc_iterations=mc_iterations)
        self._fitted: _Fitted | None = None
        self._of_round: _Fitted | None = None  # as a round left it, of one that takes further labels

    def fit(self, labels: Mapping[int, int], *, round_number: int = 0, checkpoint_dir: Path | None = None) -> None:
        """Fits on all labels, or as many as `LEARNED_FROM` of them drawn by seed."""
        del checkpoint_dir
        if not labels:
            raise NotEnoughSamplesError(wanted=1, found=0)
        ids = np.array(sorted(labels), np.int64)
        if len(ids) > LEARNED_FROM:
            generator = np.random.default_rng(seed_of(self.seed, "linear", len(ids)))
            ids = np.sort(generator.permutation(ids)[:LEARNED_FROM])
        points = self._points(ids)
        classes = np.array([labels[sample_id] for sample_id in ids.tolist()], np.int64)
        self._fitted = _Fitted(points, self.steady, ids, classes, self.num_classes)
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
            self._fitted = self._of_round

    def predict(self, sample_ids: ArrayLike) -> Floats:
        """Class probabilities `probs_N_C`."""
        return self._known().probs(np.asarray(sample_ids, np.int64))

    def draws(self, sample_ids: ArrayLike, *, count: int = 0, round_number: int = 0) -> Floats:
        """Answers under K weightings of the labels, `probs_N_C_K`; 0: as many as score a pool."""
        seed = seed_of(self.seed, "weights of labels", round_number)
        return self._known().draws(np.asarray(sample_ids, np.int64), count or self.mc_iterations, seed)

    def as_module(self) -> LinearModule:
        """The weights, on the graph's points."""
        classes, coefficients = self._known().coefficients
        learned_from = np.array(sorted(self.fitted_on[0] if self.fitted_on else ()), np.int64)
        return LinearModule(
            self._points_as_module(learned_from),
            steady=self.steady,
            classes=classes,
            coefficients=coefficients,
            num_classes=self.num_classes,
        )

    def describe(self) -> Description:
        """Its name, and what the person at the screen is told of it."""
        return Description(self.name, "A linear model answers.")

    def fresh(self, fold: int | None = None) -> Predictor:
        """One on the same rows, without labels; a fit draws nothing that a fold would need a seed of its own for."""
        del fold
        return super().fresh()

    def instant(self, sample_ids: ArrayLike, *, round_number: int) -> LinearOfRows:
        """One like this, which is fitted again on every label."""
        del sample_ids, round_number
        instant = copy.copy(self)
        instant._of_round = self._fitted
        return instant

    def questions(self, sample_ids: Ids, size: int, *, coverage: bool) -> None:
        """It has none of its own: an acquisition function decides."""

    def _points(self, held: Ids) -> Points:
        del held
        return self.store.flat_rows

    def _points_as_module(self, held: Ids) -> nn.Module:
        del held
        return nn.Flatten()

    def _known(self) -> _Fitted:
        if self._fitted is None:
            raise NotFittedError
        return self._fitted


class LinearOfColumns(LinearOfRows):
    """The same as a member of the champion of a table, where it keeps how common each class is.

    A one-hot column says by itself what is common; around the middle of the pool that is lost.
    """

    name = "linear of columns"


class LinearPredictor(LinearOfRows):
    """The same on points of length 1 around the middle of the pool, in which the graph looks for neighbors.

    Args:
        graph: Whose points it takes.
    """

    name, steady = NAME, STEADY

    def __init__(self, graph: GraphPredictor) -> None:
        super().__init__(graph.store, num_classes=graph.num_classes, seed=graph.seed, mc_iterations=graph.mc_iterations)
        self._graph = graph

    def fresh(self, fold: int | None = None) -> LinearPredictor:
        """One on the same points, without labels."""
        return LinearPredictor(self._graph.fresh(fold))

    def _points(self, held: Ids) -> Points:
        return self._graph.points(held)

    def _points_as_module(self, held: Ids) -> nn.Module:
        return self._graph.points_as_module(held)


class _Fitted:
    """Weights of one fit, and what they were learned from."""

    def __init__(self, points: Points, steady: float, learned_from: Ids, classes_n: Ids, num_classes: int) -> None:
        self._points, self._steady, self._classes, self._num_classes = points, steady, classes_n, num_classes
        self._rows = self._steadied(learned_from)
        self._model = self._model_of(None)
        self._drawn: tuple[tuple[int, int], list[Any]] = (0, 0), []

    @property
    def coefficients(self) -> tuple[list[int], Floats]:
        """The classes that were learned, and their weights, as `LinearModule` takes them."""
        if self._model is None:
            return [int(self._classes[0])], np.zeros((1, self._rows.shape[1]), np.float32)
        return self._model.classes_.tolist(), np.asarray(self._model.coef_)

    def probs(self, sample_ids: Ids) -> Floats:
        return self._answers(self._model, self._steadied(sample_ids))

    def draws(self, sample_ids: Ids, count: int, seed: int) -> Floats:
        if self._drawn[0] != (count, seed):
            generator = np.random.default_rng(seed)
            weights = generator.exponential(size=(count, len(self._rows)))
            self._drawn = (count, seed), [self._model_of(weights_n) for weights_n in weights]
        rows = self._steadied(sample_ids)
        return np.stack([self._answers(model, rows) for model in self._drawn[1]], axis=-1)

    def _model_of(self, weights_n: Any) -> Any:  # noqa: ANN401 - scikit-learn's
        if len(np.unique(self._classes)) < 2:
            return None  # of a single class nothing can be learned but that there is none other
        with one_thread(), config_context(skip_parameter_validation=True, assume_finite=True):
            model = LogisticRegression(C=STRENGTH, fit_intercept=False, max_iter=200, warm_start=True)
            if weights_n is not None:  # other weights on the labels move the solution a little: it is sought from there
                model.coef_, model.intercept_ = self._model.coef_.copy(), self._model.intercept_
            return model.fit(self._rows, self._classes, weights_n)

    def _answers(self, model: Any, rows: Floats) -> Floats:  # noqa: ANN401
        probs_N_C = np.zeros((len(rows), self._num_classes), np.float32)
        if model is None:
            probs_N_C[:, self._classes[0]] = 1.0
        elif len(rows):
            probs_N_C[:, model.classes_] = model.predict_proba(rows)
        return probs_N_C

    def _steadied(self, sample_ids: Ids) -> Floats:
        """Points of unit length, and beside them the coordinate that all share."""
        points_N_P = self._points(sample_ids)
        lengths = np.linalg.norm(points_N_P, axis=1, keepdims=True)
        return np.concatenate([points_N_P / np.maximum(lengths, 1e-9), np.full_like(lengths, self._steady)], axis=1)
