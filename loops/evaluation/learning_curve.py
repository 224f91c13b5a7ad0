"""What more labels would bring: a learning curve fitted to the accuracy of the rounds, with a band and a sentence.

NumPy alone: the trainer, the command line and the screens forecast with this one piece of code, and screens load no
torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST_ROUNDS = 4  # three unknowns: with fewer points than this the curve goes through all of them and says nothing
TAIL = 0.25  # share of the latest number of labels from which rounds are fitted
RESAMPLINGS = 200
STEPS_POINTS = (10, 5, 2, 1)  # gains worth naming, in percentage points, largest first
Z_95 = 1.96
_DECAYS = np.linspace(0.05, 2.0, 40)
_SMALLEST_DEVIATION = 1e-6  # a point of 100 % on a large test set has a width of nearly 0; it must not outweigh all


@dataclass(frozen=True)
class AccuracyPoint:
    """Accuracy measured after one round."""

    labels: int
    accuracy: float  # share 0..1
    low: float | None = None  # 95 % interval, where known
    high: float | None = None


@dataclass(frozen=True)
class LearningCurve:
    """``accuracy = a - b * labels^-c``, the usual power law; several curves at once when the fields are arrays.

    ``a`` is where it levels off (at most 1), ``b`` what is missing at one label, ``c`` how fast it is gained.
    """

    a: Floats
    b: Floats
    c: Floats

    def accuracy(self, labels: Floats | float) -> Floats:
        """Accuracy at a number of labels; kept within 0..1."""
        return np.asarray(np.clip(self.a - self.b * np.asarray(labels, dtype=float) ** -self.c, 0.0, 1.0))

    def labels_for(self, accuracy: float) -> float:
        """The number of labels at which the curve reaches an accuracy; infinite where it never does."""
        missing = float(self.a) - accuracy
        if missing <= 0 or float(self.b) <= 0:
            return float("inf")
        return float((float(self.b) / missing) ** (1.0 / float(self.c)))


@dataclass(frozen=True)
class Gain:
    """What more labels would bring, as a share of accuracy, with the 95 % band of that step."""

    more: int  # labels
    expected: float
    low: float
    high: float


@dataclass(frozen=True)
class Curves:
    """B fitted curves, one for each redrawn history."""

    a_B: Floats
    b_B: Floats
    c_B: Floats

    def at(self, row: int) -> LearningCurve:
        """One of them."""
        return LearningCurve(self.a_B[row], self.b_B[row], self.c_B[row])

    def accuracy(self, labels_N: Floats) -> Floats:
        """Accuracies `[B, N]` at numbers of labels."""
        return LearningCurve(self.a_B[:, None], self.b_B[:, None], self.c_B[:, None]).accuracy(labels_N)


@dataclass(frozen=True)
class Forecast:
    """The fitted curve on a grid of label counts up to twice the labels there are."""

    curve: LearningCurve
    redrawn: Curves
    labels: int  # labels at the last round
    labels_N: Floats
    accuracy_N: Floats
    low_N: Floats  # 95 % band
    high_N: Floats
    sentence: str

    def gain(self, more: int) -> Gain:
        """What that many more labels would bring."""
        return _gain(self.curve, self.redrawn, self.labels, more)


def fit_learning_curve(points: Sequence[AccuracyPoint]) -> LearningCurve:
    """Least squares on a grid of ``c``, a point weighted by its number of labels and by how sure it is.

    For a given ``c`` the curve is linear in ``a`` and ``b``, so the grid needs no start value and cannot diverge. Later
    points count for more (as in Figueroa et al. 2012): the first rounds of a model seldom lie on a power law.
    """
    labels_N, accuracy_N, deviation_N = _columns(points)
    return fit_curves(labels_N, accuracy_N[None, :], _weights(labels_N, deviation_N)[None, :]).at(0)


def forecast(points: Sequence[AccuracyPoint]) -> Forecast | None:
    """Fit, draw on to twice the labels, and put the gain into words; None with fewer than 4 rounds.

    The band is a bootstrap of two doubts: every point is drawn anew within its own interval, and the points are
    weighted at random (Bayesian bootstrap), which widens the band where they do not lie on one curve.
    """
    points = distinct_rounds(points)
    if len(points) < FEWEST_ROUNDS:
        return None
    points = tail(points)
    labels_N, accuracy_N, deviation_N = _columns(points)
    curve = fit_learning_curve(points)
    rng, shape = np.random.default_rng(0), (RESAMPLINGS, len(points))
    redrawn_B_N = np.clip(accuracy_N + rng.normal(size=shape) * deviation_N, 0.0, 1.0)
    weights_B_N = _weights(labels_N, deviation_N) * rng.exponential(size=shape)
    redrawn = fit_curves(labels_N, redrawn_B_N, weights_B_N)
    grid_N = np.linspace(labels_N[0], 2 * labels_N[-1], 60)
    low_N, high_N = np.percentile(redrawn.accuracy(grid_N), [2.5, 97.5], axis=0)
    now = int(labels_N[-1])
    return Forecast(curve, redrawn, now, grid_N, curve.accuracy(grid_N), low_N, high_N, _in_words(curve, redrawn, now))


def too_few_rounds(points: Sequence[AccuracyPoint]) -> str:
    """Say how far the forecast is away."""
    return f"Too few rounds to forecast ({len(distinct_rounds(points))} of {FEWEST_ROUNDS} with a measured accuracy)."


def distinct_rounds(points: Sequence[AccuracyPoint]) -> list[AccuracyPoint]:
    """Keep the latest point for each number of labels; a retrained round has no new labels and teaches no slope."""
    latest = {point.labels: point for point in points if point.labels > 0}
    return [latest[labels] for labels in sorted(latest)]


def tail(points: Sequence[AccuracyPoint]) -> list[AccuracyPoint]:
    """The rounds with at least a quarter of the labels, four at least: a model's first steps are on no power law."""
    recent = [point for point in points if point.labels >= TAIL * points[-1].labels]
    return recent if len(recent) >= FEWEST_ROUNDS else list(points[-FEWEST_ROUNDS:])


def _columns(points: Sequence[AccuracyPoint]) -> tuple[Floats, Floats, Floats]:
    labels_N = np.array([point.labels for point in points], dtype=float)
    accuracy_N = np.array([point.accuracy for point in points], dtype=float)
    widths_N = [0.0 if p.low is None or p.high is None else p.high - p.low for p in points]
    return labels_N, accuracy_N, np.maximum(np.array(widths_N) / (2 * Z_95), _SMALLEST_DEVIATION)


def _weights(labels_N: Floats, deviation_N: Floats) -> Floats:
    return labels_N / deviation_N**2


def fit_curves(labels_N: Floats, accuracy_B_N: Floats, weights_B_N: Floats) -> Curves:
    """Fit every row of ``accuracy_B_N``; the best ``c`` of the grid by weighted squared error.

    Args:
        labels_N: Numbers of labels, at least two different ones, above 0.
        accuracy_B_N: One history per row.
        weights_B_N: Of its points.
    """
    weights_B_N = weights_B_N / weights_B_N.sum(axis=1, keepdims=True)
    fits = [_fit_at(decay, labels_N, accuracy_B_N, weights_B_N) for decay in _DECAYS]
    a_G_B, b_G_B, error_G_B = (np.stack(column) for column in zip(*fits, strict=True))
    best_B = error_G_B.argmin(axis=0)
    rows_B = np.arange(accuracy_B_N.shape[0])
    return Curves(a_G_B[best_B, rows_B], b_G_B[best_B, rows_B], _DECAYS[best_B])


def _fit_at(decay: float, labels_N: Floats, accuracy_B_N: Floats, weights_B_N: Floats) -> tuple[Floats, Floats, Floats]:
    """Weighted least squares of ``a`` and ``b`` for one ``c``, kept to ``0 <= b`` and ``a <= 1``."""
    falling_N = labels_N**-decay
    middle_B = weights_B_N @ falling_N
    mean_B = (weights_B_N * accuracy_B_N).sum(axis=1)
    apart_B_N = falling_N - middle_B[:, None]
    slope_B = -(weights_B_N * apart_B_N * (accuracy_B_N - mean_B[:, None])).sum(axis=1)
    b_B = np.maximum(slope_B / (weights_B_N * apart_B_N**2).sum(axis=1), 0.0)
    a_B = mean_B + b_B * middle_B
    # Past 1 the free fit makes no sense: hold a at 1 and fit b alone.
    held_B = np.maximum((weights_B_N * (1.0 - accuracy_B_N)) @ falling_N / (weights_B_N @ falling_N**2), 0.0)
    b_B, a_B = np.where(a_B > 1.0, held_B, b_B), np.minimum(a_B, 1.0)
    fitted_B_N = a_B[:, None] - b_B[:, None] * falling_N
    return a_B, b_B, (weights_B_N * (fitted_B_N - accuracy_B_N) ** 2).sum(axis=1)


def _in_words(curve: LearningCurve, redrawn: Curves, labels: int) -> str:
    """Name the largest worthwhile gain within twice the labels, with the band of that step."""
    now = float(curve.accuracy(labels))
    for points in STEPS_POINTS:
        wanted = curve.labels_for(now + points / 100)
        if wanted <= 2 * labels:
            gain = _gain(curve, redrawn, labels, max(1, round(wanted - labels)))
            unit = "point" if points == 1 else "points"
            return f"About {gain.more:,} more labels for +{points} {unit} of accuracy ({band_words(gain)})."
    gain = _gain(curve, redrawn, labels, labels)
    return (
        f"The curve is flat: twice the labels ({labels:,} more) would bring about {100 * gain.expected:+.1f} points of "
        f"accuracy ({band_words(gain)})."
    )


def band_words(gain: Gain) -> str:
    """The band of a step, in percentage points."""
    return f"95 % band of that step: {100 * gain.low:+.1f} to {100 * gain.high:+.1f}"


def _gain(curve: LearningCurve, redrawn: Curves, labels: int, more: int) -> Gain:
    ends_2 = np.array([float(labels), float(labels + more)])
    now, then = curve.accuracy(ends_2).tolist()
    steps_B_2 = redrawn.accuracy(ends_2)
    low, high = np.percentile(steps_B_2[:, 1] - steps_B_2[:, 0], [2.5, 97.5])
    return Gain(more, then - now, float(low), float(high))
