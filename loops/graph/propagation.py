"""Propagation: labels spread over the graph of neighbors, anew after every label, in a few milliseconds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

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
_SEQUENCE = 50  # samples that are chosen one after the other: nobody gets further before the next label ranks anew
_TILE = 4_096  # rows worked on at once; they stay in the cache


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
        adaptive: Whether questions follow doubt (`auto`) or coverage alone (`typical`).
        seed: Of ties and draws.
    """

    def __init__(
        self,
        coordinates_N_M: Floats,
        eigenvalues_M: Floats,
        *,
        num_classes: int,
        adaptive: bool = True,
        seed: int = 0,
    ) -> None:
        self._eigenvalues_M = eigenvalues_M
        self._answers_N_M = kernel_features(coordinates_N_M, eigenvalues_M, REACH_OF_ANSWERS)
        self._questions_N_M = kernel_features(coordinates_N_M, eigenvalues_M, REACH_OF_QUESTIONS)
        self._num_classes, self._adaptive = num_classes, adaptive
        draws = hash_of_ids(np.arange(len(coordinates_N_M)), seed)
        self._ties_N = (draws >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24 * 1e-6)
        self._drawn = np.argsort(draws)[: max(_COUNTED, _CANDIDATES)]
        self._counted = self._questions_N_M[self._drawn[:_COUNTED]]
        self._rarity = _rarity(self._counted)
        self.refit({})

    def refit(self, labels: Mapping[int, int]) -> None:
        """Fits to all labels; the same labels give the same state, in whatever order they came.

        Args:
            labels: Row -> class index. Classes of `num_classes` or more are left out.
        """
        known = sorted((row, label) for row, label in labels.items() if label < self._num_classes)
        self._rows = np.array([row for row, _ in known], np.int64)
        classes = np.array([label for _, label in known], np.int64)
        self._weights_M_C = self._solve(classes, NOISE)
        self.doubt_N = self._doubt(self._solve(classes, _SURE_NOISE))

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

    def scores(self) -> Floats:
        """How much variance a label of each sample would take away from the pool, per sample of it: `scores_N`."""
        covariance = self._covariance(self._rows)
        return self._gains(self._questions_N_M, covariance, self._wanted())

    def rank(self, rows: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], Floats]:
        """Orders samples, each given that those before it will be labeled.

        Args:
            rows: Of the samples that may be asked.
            size: How many to return; more than there are: all.

        Returns:
            Rows and their scores, falling: of a sequence each can only be less than the one before.
        """
        size = min(size, len(rows))
        scores = self.scores()[rows] + self._ties_N[rows]
        best = np.argpartition(-scores, min(max(_CANDIDATES, size), len(rows)) - 1)[: max(_CANDIDATES, size)]
        drawn = np.flatnonzero(np.isin(rows, self._drawn[:_CANDIDATES]))
        chosen, gains = self._sequence(rows[np.union1d(best, drawn)], size)
        return chosen, np.minimum.accumulate(gains)

    def _sequence(self, rows: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], Floats]:
        """Takes the best, settles its surroundings, takes the next: two rank-one updates each instead of an inverse.

        What comes behind the sequence is in the order of its scores after it.
        """
        features_n_M, wanted = self._questions_N_M[rows].astype(np.float64), self._wanted()
        spread_n_M = features_n_M @ self._covariance(self._rows)
        moved_n_M = spread_n_M @ wanted
        chosen: list[int] = []
        gains: list[float] = []
        scores = self._sequence_scores(features_n_M, spread_n_M, moved_n_M, rows)
        for _ in range(min(size, _SEQUENCE)):
            best = int(scores.argmax())
            chosen.append(best)
            gains.append(float(scores[best]))
            column = spread_n_M[best].copy()
            share_n = spread_n_M @ features_n_M[best] / (column @ features_n_M[best] + NOISE)
            spread_n_M -= np.outer(share_n, column)
            moved_n_M -= np.outer(share_n, column @ wanted)
            scores = self._sequence_scores(features_n_M, spread_n_M, moved_n_M, rows)
            scores[chosen] = -np.inf
        behind = np.argsort(-scores, kind="stable")[: size - len(chosen)]
        return rows[[*chosen, *behind]], np.array([*gains, *scores[behind]], np.float32)

    def _sequence_scores(
        self,
        features_n_M: NDArray[np.float64],
        spread_n_M: NDArray[np.float64],
        moved_n_M: NDArray[np.float64],
        rows: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        variance = np.einsum("nm,nm->n", spread_n_M, features_n_M) + NOISE
        scores: NDArray[np.float64] = np.einsum("nm,nm->n", moved_n_M, spread_n_M) / variance + self._ties_N[rows]
        return scores

    def _solve(self, classes_n: NDArray[np.int64], noise: float) -> Floats:
        """Coefficients of each class's function, `[M, C]`.

        A label is the noisier the more labels its class has, so that each class speaks with one voice: otherwise the
        class that was asked about twice takes over what lies between it and one that was asked about once.
        """
        features = self._answers_N_M[self._rows].astype(np.float64)
        targets = np.eye(self._num_classes)[classes_n] - 1.0 / self._num_classes
        count_n = np.bincount(classes_n, minlength=1)[classes_n]
        weighted = features.T * (count_n.mean() / count_n / noise if len(count_n) else 1.0)
        inner = weighted @ features + np.eye(features.shape[1])
        return np.linalg.solve(inner, weighted @ targets).astype(np.float32)

    def _doubt(self, weights_M_C: Floats) -> Floats:
        """How undecided each sample is: 1 where no label reaches, near 0 where one class is clear, `[N]`."""
        if not self._adaptive or not len(self._rows):
            return np.ones(len(self._answers_N_M), np.float32)
        values = self._answers_N_M @ weights_M_C
        first_two = np.partition(values, -2, axis=1)[:, -2:] if values.shape[1] > 1 else np.c_[0 * values, values]
        margin = np.clip((first_two[:, 1] - first_two[:, 0]) / _SURE_MARGIN, 0.0, 1.0)
        return np.asarray(1.0 - margin + _LEAST_DOUBT, np.float32)

    def _covariance(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Of the function's coefficients, after labels of these samples: `[M, M]`."""
        features = self._questions_N_M[rows].astype(np.float64)
        return np.linalg.inv(np.eye(features.shape[1]) + features.T @ features / NOISE)

    def _wanted(self) -> NDArray[np.float64]:
        """Second moments of the features, weighted by doubt and rarity: what variance is summed over, `[M, M]`."""
        weights = self._rarity * self.doubt_N[self._drawn[: len(self._counted)]]
        moments = self._counted.T @ (self._counted * weights[:, None]) / len(weights)
        return np.asarray(moments, np.float64)

    @staticmethod
    def _gains(features_N_M: Floats, covariance: NDArray[np.float64], wanted: NDArray[np.float64]) -> Floats:
        """Variance taken away by a label: `sum_j doubt_j cov(i, j)^2 / (var(i) + noise)`, divided by the pool."""
        both = np.concatenate([covariance @ wanted @ covariance, covariance], axis=1).astype(np.float32)
        size = features_N_M.shape[1]
        gains = np.empty(len(features_N_M), np.float32)
        for start in range(0, len(features_N_M), _TILE):
            tile = features_N_M[start : start + _TILE]
            product = tile @ both
            taken = np.einsum("nm,nm->n", product[:, :size], tile)
            gains[start : start + _TILE] = taken / (np.einsum("nm,nm->n", product[:, size:], tile) + NOISE)
        return gains

    def _probs(self, features_N_M: Floats) -> Floats:
        values = np.maximum(features_N_M @ self._weights_M_C + np.float32(1.0 / self._num_classes), 1e-6)
        return np.asarray(values / values.sum(axis=1, keepdims=True), np.float32)


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
