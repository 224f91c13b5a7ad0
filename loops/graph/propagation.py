"""Propagation: labels spread over the graph of neighbors, anew after every label, in a few milliseconds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from loops.graph.variance_gain import VarianceGain
from loops.seeding import hash_of_ids

Floats = NDArray[np.float32]

REACH_OF_ANSWERS = 0.003  # eigenvalues of the Laplacian below this count alike; answers follow the graph closely
REACH_OF_QUESTIONS = 0.1  # questions are spread more evenly than answers
NOISE = 1.0  # variance of a label around the function that is sought, whose own variance is 1 everywhere
_SURE_NOISE = 0.1  # with which doubt is judged: one label is enough to settle its surroundings
_SURE_MARGIN = 0.9
_LEAST_DOUBT = 1e-3
_COUNTED = 8_192  # samples whose doubt stands for all
_CANDIDATES = 512  # the best ones, and as many drawn from the rest, of which a sequence is chosen


class Propagation:
    """Gaussian-process regression on the graph: one function per class, smooth along the edges.

    Its kernel is `1 / (Laplacian + reach)`, cut to the graph's coordinates and scaled to variance 1 in every sample.
    The mean is a linear solve with as many unknowns as coordinates, so neither the labels' number nor the pool's
    matters much. Zhu, Ghahramani and Lafferty 2003; Kapoor et al. 2005.

    Which sample to ask: the one whose label would take away most variance of all samples, each weighted by how
    undecided it still is (V-optimality, Ji and Han 2012, with weights). Without labels it asks for what is typical of
    large uncovered regions; as regions are settled, the weight moves to where classes meet. A region counts as the
    square root of its samples: by their number a rare class waits for the third label of a frequent one, and if all
    regions counted alike outliers would be asked first.

    Args:
        coordinates_N_M: Of each sample of the pool.
        eigenvalues_M: Of the graph.
        num_classes: C.
        seed: Of ties and draws.
    """

    def __init__(
        self,
        coordinates_N_M: Floats,
        eigenvalues_M: Floats,
        *,
        num_classes: int,
        seed: int = 0,
    ) -> None:
        self._eigenvalues_M = eigenvalues_M
        self._answers_N_M = kernel_features(coordinates_N_M, eigenvalues_M, REACH_OF_ANSWERS)
        self._questions_N_M = kernel_features(coordinates_N_M, eigenvalues_M, REACH_OF_QUESTIONS)
        self._num_classes = num_classes
        draws = hash_of_ids(np.arange(len(coordinates_N_M)), seed)
        self._ties_N = (draws >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24 * 1e-6)
        self._drawn = np.argsort(draws)[: max(_COUNTED, _CANDIDATES)]
        counted = self._drawn[:_COUNTED]
        self._counted, self._counted_answers = self._questions_N_M[counted], self._answers_N_M[counted]
        self._rarity = _rarity(self._counted)
        self._expected: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        self.refit({})

    def expect(self, probs_N_C: Floats) -> None:
        """Takes what is believed of each sample of the pool before any label; `refit` says what it is worth.

        Args:
            probs_N_C: Class probabilities.
        """
        features = self._answers_N_M.astype(np.float64)
        believed = features.T @ (probs_N_C - 1.0 / self._num_classes) / len(features)
        self._expected = features.T @ features / len(features), np.asarray(believed)

    def refit(self, labels: Mapping[int, int], *, worth: float = 0.0) -> None:
        """Fits to all labels; the same labels give the same state, in whatever order they came.

        Args:
            labels: Row -> class index. Classes of `num_classes` or more are left out.
            worth: Of what is expected, in labels: as if each sample of the pool had that part of one.
        """
        known = sorted((row, label) for row, label in labels.items() if label < self._num_classes)
        self._rows = np.array([row for row, _ in known], np.int64)
        classes = np.array([label for _, label in known], np.int64)
        self._weights_M_C, self._precision_M_M = self._solve(classes, NOISE, worth)
        self._sure_M_C, _ = self._solve(classes, _SURE_NOISE)

    @property
    def coefficients_M_C(self) -> Floats:  # noqa: N802 - an array, named by its shape
        """Coefficients of each class's function, which the labels made."""
        return self._weights_M_C

    def probs(self, rows: NDArray[np.int64] | None = None) -> Floats:
        """Class probabilities of samples of the pool (None: of all), `[N, C]`; 1/C each where no label reaches."""
        return self._probs(self._answers_N_M if rows is None else self._answers_N_M[rows])

    def probs_at(self, coordinates_N_M: Floats) -> Floats:
        """Class probabilities of any samples, by their coordinates on the graph."""
        return self._probs(kernel_features(coordinates_N_M, self._eigenvalues_M, REACH_OF_ANSWERS))

    def nearest_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which of these samples is nearest to each of the pool, on the graph: `[N]`, places in `rows`."""
        nearest: NDArray[np.int64] = (self._answers_N_M @ self._answers_N_M[rows].T).argmax(axis=1)
        return nearest

    def draws(self, rows: NDArray[np.int64], count: int, seed: int) -> Floats:
        """Class probabilities under functions drawn from the posterior, the same for all samples: `[N, C, K]`.

        Args:
            rows: `[N]`, of the pool.
            count: K.
            seed: Of the functions.
        """
        return self._draws(self._answers_N_M[rows], count, seed)

    def draws_at(self, coordinates_N_M: Floats, count: int, seed: int) -> Floats:
        """As `draws`, of any samples, by their coordinates on the graph."""
        return self._draws(kernel_features(coordinates_N_M, self._eigenvalues_M, REACH_OF_ANSWERS), count, seed)

    @property
    def doubt_N(self) -> Floats:  # noqa: N802 - an array, named by its shape
        """How undecided each sample is: 1 where no label reaches, near 0 where one class is clear."""
        return self._doubt(self._answers_N_M)

    def scores(self) -> Floats:
        """How much variance a label of each sample would take away from the pool, per sample of it: `scores_N`."""
        return self._gain(coverage=False).scores()

    def rank(self, rows: NDArray[np.int64], size: int, *, coverage: bool = False) -> tuple[NDArray[np.int64], Floats]:
        """Orders samples, each given that those before it will be labeled.

        Args:
            rows: Of the samples that may be asked.
            size: How many to return; more than there are: all.
            coverage: Whether every sample of the pool counts, also where the labels leave no doubt.

        Returns:
            Rows and their scores, falling: of a sequence each can only be less than the one before.
        """
        size, gain = min(size, len(rows)), self._gain(coverage=coverage)
        scores, count = gain.scores()[rows] + self._ties_N[rows], max(_CANDIDATES, size)
        best = rows[np.argpartition(-scores, min(count, len(rows)) - 1)[:count]]
        drawn = self._drawn[:_CANDIDATES]
        chosen, gains = gain.sequence(np.union1d(best, drawn[np.isin(drawn, rows)]), size)
        return chosen, np.minimum.accumulate(gains)

    def _gain(self, *, coverage: bool) -> VarianceGain:
        wanted = self._wanted(coverage=coverage)
        return VarianceGain(self._questions_N_M, self._covariance(), wanted, noise=NOISE, ties_N=self._ties_N)

    def _solve(
        self, classes_n: NDArray[np.int64], noise: float, worth: float = 0.0
    ) -> tuple[Floats, NDArray[np.float64]]:
        """Coefficients of each class's function, `[M, C]`, and their precision, which is that of each class: `[M, M]`.

        A label is the noisier the more labels its class has, so that each class speaks with one voice: otherwise the
        class that was asked about twice takes over what lies between it and one that was asked about once.
        """
        features = self._answers_N_M[self._rows].astype(np.float64)
        targets = np.eye(self._num_classes)[classes_n] - 1.0 / self._num_classes
        count_n = np.bincount(classes_n, minlength=1)[classes_n]
        weighted = features.T * (count_n.mean() / count_n / noise if len(count_n) else 1.0)
        inner, wanted = weighted @ features + np.eye(features.shape[1]), weighted @ targets
        if self._expected is not None and worth:
            inner, wanted = inner + worth * self._expected[0] / noise, wanted + worth * self._expected[1] / noise
        return np.linalg.solve(inner, wanted).astype(np.float32), inner

    def _doubt(self, answers_n_M: Floats) -> Floats:
        if not len(self._rows):
            return np.ones(len(answers_n_M), np.float32)
        first_n, second_n = _first_two(self._sure_M_C.T @ answers_n_M.T)
        margin = np.clip((first_n - second_n) / _SURE_MARGIN, 0.0, 1.0)
        return np.asarray(1.0 - margin + _LEAST_DOUBT, np.float32)

    def _covariance(self) -> NDArray[np.float64]:
        """Of the function's coefficients, after the labels: `[M, M]`."""
        features = self._questions_N_M[self._rows].astype(np.float64)
        return np.linalg.inv(np.eye(features.shape[1]) + features.T @ features / NOISE)

    def _wanted(self, *, coverage: bool) -> NDArray[np.float64]:
        """Second moments of the features, weighted by doubt and rarity: what variance is summed over, `[M, M]`."""
        weights = self._rarity if coverage else self._rarity * self._doubt(self._counted_answers)
        moments = self._counted.T @ (self._counted * weights[:, None]) / len(weights)
        return np.asarray(moments, np.float64)

    def _probs(self, features_N_M: Floats) -> Floats:
        return _normalized(features_N_M @ self._weights_M_C + np.float32(1.0 / self._num_classes))

    def _draws(self, features_N_M: Floats, count: int, seed: int) -> Floats:
        """By functions of the coefficients' posterior: its mean, and noise of covariance `precision^-1`."""
        shape = (len(self._precision_M_M), self._num_classes * count)
        factor_M_M = np.linalg.cholesky(self._precision_M_M)  # inv(factor).T @ noise has that covariance
        noise = np.linalg.solve(factor_M_M.T, np.random.default_rng(seed).standard_normal(shape))
        noise_M_C_K = noise.reshape(-1, self._num_classes, count).astype(np.float32)
        coefficients = self._weights_M_C[:, :, None] + noise_M_C_K
        values = features_N_M @ coefficients.reshape(len(coefficients), -1) + np.float32(1.0 / self._num_classes)
        return _normalized(values.reshape(len(features_N_M), self._num_classes, count))


def _normalized(values_N_C: Floats) -> Floats:
    """Probabilities of regressed indicators, which may lie below 0; classes are the second dimension."""
    positive = np.maximum(values_N_C, np.float32(1e-6))
    return np.asarray(positive / positive.sum(axis=1, keepdims=True), np.float32)


def _first_two(values_C_n: Floats) -> tuple[Floats, Floats]:
    """The largest and the next of each column; a single one leads by itself; partitions take ten times as long."""
    first_n, second_n = values_C_n[0].copy(), np.zeros_like(values_C_n[0])
    if len(values_C_n) > 1:
        second_n = np.minimum(values_C_n[0], values_C_n[1])
        np.maximum(values_C_n[0], values_C_n[1], out=first_n)
    for values_n in values_C_n[2:]:
        np.maximum(second_n, np.minimum(first_n, values_n), out=second_n)
        np.maximum(first_n, values_n, out=first_n)
    return first_n, second_n


def _rarity(features_n_M: Floats) -> Floats:
    """One by the root of how much of the pool each sample is like, the mean of the squared kernel, `[n]`."""
    moments = features_n_M.T @ features_n_M / len(features_n_M)
    density = np.einsum("nm,nm->n", features_n_M @ moments, features_n_M)
    return np.asarray(1.0 / np.sqrt(np.maximum(density, 1e-6)), np.float32)


def kernel_features(coordinates_N_M: Floats, eigenvalues_M: Floats, reach: float) -> Floats:
    """Features whose inner products are the kernel: coordinates times `(1 - eigenvalue + reach)^-1/2`, of length 1.

    Of length 1, or samples at the rim of the graph, which few edges hold, would be asked first and trusted most.
    """
    weights = 1.0 / np.sqrt(np.maximum(1.0 - eigenvalues_M, 0.0) + reach)
    features = coordinates_N_M * (weights / weights.max(initial=1e-12)).astype(np.float32)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(lengths, 1e-12), np.float32)
