"""Labels saved against random: how many uniformly drawn labels would have given today's accuracy?

Nobody has drawn them, so the number is put together from three things that are known, with a band that says how well:

- level: shadows fitted on the audit labels, the only uniform ones, judged on those they did not see;
- shape: how the same predictor's error falls with uniformly drawn labels, seen in a world whose labels are all known,
  because they are the answers of one of this project's own models;
- limit: where the predictor's error ends with the whole pool labeled, from the learning curve of the chosen labels.
  With everything labeled it does not matter any more in which order.

`error of n uniform labels = limit + scale * (1 - agreement with the model whose n answers were learned)`, the scale
fitted to the level. See docs/decisions/0011-labels-saved-against-random.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loops.evaluation.estimates import wilson_interval
from loops.evaluation.learning_curve import AccuracyPoint, fit_curves
from loops.evaluation.shadow import Shadows, sizes_up_to

FEWEST_AUDITED = 20  # below, the accuracy at every size is a guess
FEWEST_SIZES = 3  # of shadows
BEYOND = 16  # times the chosen labels: more is not told apart from never
RESAMPLINGS = 1_000

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AtEqualLabels:
    """The first chosen labels against as many uniform ones, on the same audit samples: nothing is extrapolated."""

    labels: int
    chosen: float  # accuracy
    uniform: float
    low: float  # 95 % band of the difference
    high: float


@dataclass(frozen=True)
class LabelsSaved:
    """How many uniformly drawn labels would give the accuracy of today's model."""

    labels: int  # chosen ones, that today's model was fitted on
    audited: int
    wanted: float  # labels drawn uniformly, for that accuracy
    low: float  # 95 % band
    high: float | None  # None: beyond what can be told, or what the pool holds
    uniform: tuple[AccuracyPoint, ...]  # accuracy of the shadows on uniform labels
    equal: AtEqualLabels


def labels_saved(
    shadows: Shadows, rights_now_A: Bools, *, answers: Mapping[int, int], pool_size: int
) -> LabelsSaved | None:
    """Fits the shadows that are not there yet, and puts the number together.

    Args:
        shadows: With the audit labels, and those trained on.
        rights_now_A: Which of `shadows.audit` today's model predicts rightly.
        answers: Sample id -> class index, predictions of the pool by one of the project's models, not older than from
            half as many labels.
        pool_size: Samples that could have been drawn.

    Returns:
        None with fewer than 20 audit labels, or too few labels for three sizes.
    """
    sizes, most = shadows.uniform_sizes, min(pool_size, BEYOND * len(shadows.chosen))
    if len(shadows.audit) < FEWEST_AUDITED or len(sizes) < FEWEST_SIZES:
        return None
    apart = shadows.disagreements(answers, most)
    if len(apart) < FEWEST_SIZES:
        return None
    chosen_sizes = [size for size in sizes_up_to(len(shadows.chosen)) if 16 * size >= len(shadows.chosen)]
    uniform_A_S = np.stack([shadows.uniform_rights(size) for size in sizes], axis=1)
    chosen_A_T = np.stack([shadows.chosen_rights(size) for size in chosen_sizes], axis=1)
    equal_A = shadows.chosen_rights(sizes[-1])
    models_A_M = np.column_stack([uniform_A_S, chosen_A_T, equal_A, rights_now_A]).astype(float)
    redrawn_B_M = redraw(models_A_M, seed=len(shadows.audit))
    uniform_B_S, chosen_B_T = redrawn_B_M[:, : len(sizes)], redrawn_B_M[:, len(sizes) : -2]
    limit_B = _limits(chosen_sizes, chosen_B_T, len(shadows.chosen), redrawn_B_M[:, -1], pool_size)
    wanted_B = labels_wanted(sizes, 1 - uniform_B_S, 1 - redrawn_B_M[:, -1], limit_B=limit_B, apart=apart)
    low, wanted, high = np.percentile(wanted_B, [2.5, 50, 97.5]).tolist()
    step_low, step_high = np.percentile(redrawn_B_M[:, -2] - uniform_B_S[:, -1], [2.5, 97.5]).tolist()
    return LabelsSaved(
        labels=len(shadows.chosen),
        audited=len(shadows.audit),
        wanted=wanted,
        low=low,
        high=None if high > 0.99 * max(apart) else high,
        uniform=tuple(_point(size, rights_A) for size, rights_A in zip(sizes, uniform_A_S.T, strict=True)),
        equal=AtEqualLabels(sizes[-1], float(equal_A.mean()), float(uniform_A_S[:, -1].mean()), step_low, step_high),
    )


def redraw(rights_A_M: Floats, seed: int, counting_A: Floats | None = None) -> Floats:
    """Accuracies `[B, M]` under redrawn audit samples: the same samples for all models (Bayesian bootstrap).

    Half a sample that is right and half a one that is wrong are added to each, as in Jeffreys' prior: ten of ten right
    is no certainty.

    Args:
        rights_A_M: 1 where a model is right, else 0.
        seed: Of the draws.
        counting_A: How much each sample counts, 1 in the mean; None: all as much.
    """
    generator = np.random.default_rng(seed)
    samples, models = rights_A_M.shape
    weights_B_A = generator.exponential(size=(RESAMPLINGS, samples))
    weights_B_A = weights_B_A if counting_A is None else weights_B_A * counting_A
    right, wrong = generator.gamma(0.5, size=(2, RESAMPLINGS, models))
    redrawn: Floats = (weights_B_A @ rights_A_M + right) / (weights_B_A.sum(axis=1, keepdims=True) + right + wrong)
    return redrawn


def labels_wanted(
    sizes: list[int], errors_B_S: Floats, wanted_B: Floats, *, limit_B: Floats, apart: Mapping[int, float]
) -> Floats:
    """Where `limit + scale * apart(n)` comes down to an error, the scale fitted to the errors of uniform labels.

    Args:
        sizes: Numbers of uniform labels, `[S]`.
        errors_B_S: Errors of shadows fitted on them.
        wanted_B: The error to reach.
        limit_B: Error with everything labeled.
        apart: Number of labels -> disagreement, falling.

    Returns:
        `[B]`, between the least and the largest number in `apart`.
    """
    sizes_N, apart_N = np.array(list(apart), float), np.array(list(apart.values()))
    apart_S = np.interp(np.log(sizes), np.log(sizes_N), apart_N)
    # Larger shadows count for more, as in a forecast; the random part is doubt about the shape.
    weights_B_S = np.array(sizes) * np.random.default_rng(len(sizes)).exponential(size=errors_B_S.shape)
    above_B_S = errors_B_S - limit_B[:, None]
    scale_B = (weights_B_S * apart_S * above_B_S).sum(axis=1) / (weights_B_S * apart_S**2 + 1e-12).sum(axis=1)
    reached_B = (wanted_B - limit_B) / np.maximum(scale_B, 1e-9)
    return np.asarray(np.exp(np.interp(-reached_B, -apart_N, np.log(sizes_N))))


def _limits(sizes: list[int], accuracy_B_T: Floats, labels: int, now_B: Floats, pool_size: int) -> Floats:
    """Error of the predictor with the whole pool labeled; today's at most."""
    sizes_T = np.array([*sizes, labels], float)
    accuracies = np.column_stack([accuracy_B_T, now_B])
    weights = sizes_T * np.random.default_rng(labels).exponential(size=accuracies.shape)
    at_the_end = fit_curves(sizes_T, accuracies, weights).accuracy(np.array([float(pool_size)]))[:, 0]
    return np.minimum(1 - at_the_end, 1 - now_B)


def _point(size: int, rights_A: Bools) -> AccuracyPoint:
    low, high = wilson_interval(int(rights_A.sum()), len(rights_A))
    return AccuracyPoint(size, float(rights_A.mean()), low, high)
